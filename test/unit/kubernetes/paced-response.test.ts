import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import type { Dispatcher } from 'undici';
import { ApiClient } from '../../../src/kubernetes/api-client.ts';
import { PacedResponse } from '../../../src/kubernetes/paced-response.ts';

/** A response by a clock of the test's own, of which the transport would deliver a piece whenever it is not stopped. */
function response(t: TestContext, mayRest = () => true) {
  t.mock.timers.enable({ apis: ['setTimeout', 'setImmediate'] });
  const transport = {
    aborted: false,
    paused: false,
    reason: null,
    abort() {},
    pause() {
      transport.paused = true;
    },
    resume() {
      transport.paused = false;
    },
  };
  const house = { nowMs: 0, taken: 0, isStopped: () => transport.paused };
  let handed: Dispatcher.DispatchController | undefined;
  const paced = new PacedResponse(
    {
      onRequestStart: (controller) => {
        handed = controller;
      },
      onResponseData: () => void house.taken++,
    },
    mayRest,
    { nowMs: () => house.nowMs },
  );
  paced.onRequestStart(transport, undefined);
  const piece = Buffer.from('{}');
  /** Pieces that come in one turn of the loop, and the end of that turn. */
  const come = (pieces = 1): void => {
    for (let at = 0; at < pieces; at++) paced.onResponseData(transport, piece);
    t.mock.timers.tick(0);
  };
  const pass = (ms: number): void => {
    house.nowMs += ms;
    t.mock.timers.tick(ms);
  };
  return { house, come, pass, controller: handed! };
}

test('what comes now and then is handed on as it comes, and so is a handful at once', (t) => {
  const { house, come, pass } = response(t);
  for (let second = 0; second < 20; second++) {
    come(3);
    assert.equal(house.isStopped(), false);
    pass(1000);
  }
  for (let reading = 0; reading < 5; reading++) come();
  assert.deepEqual([house.taken, house.isStopped()], [65, false]);
});

test('a stream that does not end rests for a tenth of a second after each reading', (t) => {
  const { house, come, pass } = response(t);
  for (let reading = 0; reading < 6; reading++) come();
  assert.ok(house.isStopped());
  pass(99);
  assert.ok(house.isStopped());
  pass(1);
  assert.equal(house.isStopped(), false);
  // All that has waited comes in one turn.
  come(40);
  assert.equal(house.taken, 46);
  assert.ok(house.isStopped());
  pass(100);
  assert.equal(house.isStopped(), false);
});

test('the end of a rest does not bring more to one who can take no more', (t) => {
  const { house, come, pass, controller } = response(t);
  for (let reading = 0; reading < 6; reading++) come();
  controller.pause();
  pass(100);
  assert.ok(house.isStopped());
  controller.resume();
  assert.equal(house.isStopped(), false);
});

test('nor does one who can take more end a rest', (t) => {
  const { house, come, pass, controller } = response(t);
  for (let reading = 0; reading < 6; reading++) come();
  controller.pause();
  controller.resume();
  assert.ok(house.isStopped());
  pass(100);
  assert.equal(house.isStopped(), false);
});

test('while it may not rest, it does not, however much comes', (t) => {
  let mayRest = false;
  const { house, come } = response(t, () => mayRest);
  for (let reading = 0; reading < 100; reading++) come(10);
  assert.deepEqual([house.taken, house.isStopped()], [1000, false]);
  mayRest = true;
  come();
  assert.ok(house.isStopped());
});

test('all that a server sends comes, in order, though it ends in the middle of a rest', async (t) => {
  const lines = Array.from({ length: 400 }, (_, at) => `${at} ${'x'.repeat(at * 3)}\n`);
  const server = createServer((_request, answer) => {
    let sent = 0;
    const more = (): void => {
      answer.write(lines[sent++]);
      if (sent === lines.length) answer.end();
      else setImmediate(more);
    };
    more();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const client = new ApiClient({ server: url, isInsecure: false, origin: 'a test', credentials: async () => ({}) });
  t.after(async () => {
    await client.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const { signal } = new AbortController();
  const options = { accept: 'text/plain', silentMs: 0, signal, mayRest: () => true };
  let text = '';
  for await (const piece of await client.stream('look', '/', options)) text += Buffer.from(piece).toString();
  assert.equal(text, lines.join(''));
});
