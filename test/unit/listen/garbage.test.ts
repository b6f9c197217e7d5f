import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { exchangeTcp, exchangeUdp, frame } from '../../client/ask.ts';
import { expectEmpty, open, query } from './setup.ts';

/** Numbers from 0 up to `bound`, the same in every run (a linear congruence, upper bits). */
function numbers(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
}

test('random octets, cut anywhere, on 100 connections at once harm nobody', async (t) => {
  const setup = await open(t);
  const { host, port } = setup.listeners.addresses[0]!;
  const next = numbers(7);
  const gone: Promise<void>[] = [];
  for (let i = 0; i < 100; i++) {
    const socket = connect(port, host).on('error', () => {});
    gone.push(new Promise((resolve) => socket.once('close', () => resolve())));
    socket.resume();
    for (let j = next(20); j > 0; j--) {
      const chunk =
        next(2) === 0 ? frame(query('now.test')) : Buffer.from(Array.from({ length: next(300) }, () => next(256)));
      socket.write(chunk.subarray(0, next(chunk.length + 1)));
      if (next(3) === 0) await turn();
    }
    if (next(3) === 0) socket.resetAndDestroy();
    else if (next(2) === 0) socket.end();
    else socket.destroy();
  }
  await Promise.all(gone);
  await expectEmpty(setup);
  assert.equal((await exchangeTcp(setup.listeners.addresses[0]!, query('now.test', 9))).readUInt16BE(0), 9);
});

test('random datagrams harm nobody', async (t) => {
  const setup = await open(t);
  const [server] = setup.listeners.addresses;
  const socket = createSocket('udp4');
  socket.connect(server!.port, server!.host);
  await once(socket, 'connect');
  const next = numbers(8);
  for (let i = 0; i < 1000; i++) {
    socket.send(Buffer.from(Array.from({ length: next(next(10) === 0 ? 5000 : 60) }, () => next(256))));
    if (i % 50 === 0) await turn();
  }
  assert.equal((await exchangeUdp(server!, query('now.test', 9))).readUInt16BE(0), 9);
  socket.close();
  await expectEmpty(setup);
});
