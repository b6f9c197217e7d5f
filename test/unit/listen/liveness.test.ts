import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { silentLogger } from '../../../src/core/logger.ts';
import { type Listening, Liveness } from '../../../src/listen/liveness.ts';
import type { UdpListener } from '../../../src/listen/udp-listener.ts';
import { FakeClock } from '../../fake-clock.ts';
import { answering } from '../../servers/answering.ts';
import { LOOPBACK, open } from './setup.ts';

function livenessOf(t: TestContext, listeners: Listening) {
  const clock = new FakeClock();
  const liveness = new Liveness({ listeners, clock, log: silentLogger });
  t.after(() => liveness.close());
  /** As once a second. */
  const look = (): boolean => {
    clock.advance(1000);
    return liveness.isServing();
  };
  return { liveness, look };
}

/** A UDP listener as the proof sees it, whose counters the test moves. */
function listenerAt(port: number) {
  const counters = { address: { host: '127.0.0.1', port }, received: 0, kernelDrops: 0 as number | undefined };
  return { counters, listening: { udp: [counters as unknown as UdpListener], tcp: [] } };
}

test('listeners that answer are live at every look, over UDP and TCP, on both families', async (t) => {
  const { listeners } = await open(t, [LOOPBACK, { host: '::1', port: 0 }]);
  const { liveness, look } = livenessOf(t, listeners);
  for (let i = 0; i < 25; i++) {
    // The clock stands still, so this ends by the answers.
    await liveness.prove(1);
    assert.equal(look(), true);
  }
  assert.deepEqual(liveness.silent, []);
  assert.ok(
    listeners.tcp.every(({ accepted }) => accepted >= 2),
    'TCP is asked now and then',
  );
});

test('at the start it is waited for every listener’s own answer', async (t) => {
  const { listeners } = await open(t, [LOOPBACK, LOOPBACK]);
  const { liveness } = livenessOf(t, listeners);
  await liveness.prove(1);
  assert.ok(listeners.udp.every(({ received }) => received === 1));
  assert.ok(listeners.tcp.every(({ accepted }) => accepted === 1));
});

test('a listener that reads no more is not served, which is said by its address; one pause is forgiven, and it is tried again later', async (t) => {
  const { listeners } = await open(t);
  const { liveness, look } = livenessOf(t, listeners);
  const [first] = listeners.addresses;
  await liveness.prove(1);
  look();
  listeners.udp[0]!.pause();
  assert.equal(look(), true, 'one look without an answer is what any pause costs');
  assert.equal(look(), false);
  assert.deepEqual(liveness.silent, [`127.0.0.1:${first!.port} UDP`]);
  const verdicts = Array.from({ length: 20 }, look);
  assert.ok(verdicts.filter(Boolean).length <= 4, `${verdicts}`);
  await listeners.udp[0]!.resume();
  // The next trial at the latest.
  for (let i = 0; i < 50 && liveness.silent.length > 0; i++) {
    await liveness.prove(1);
    look();
  }
  assert.deepEqual(liveness.silent, []);
  assert.equal(look(), true);
});

test('a listener that accepts no more is waited for longer than one look, and then not served', async (t) => {
  const { listeners } = await open(t);
  const { counters, listening } = listenerAt(9);
  counters.kernelDrops = undefined;
  const { liveness, look } = livenessOf(t, { ...listening, tcp: listeners.tcp });
  listeners.tcp[0]!.pause();
  const verdicts = Array.from({ length: 7 }, () => {
    counters.received++;
    return look();
  });
  assert.deepEqual(verdicts, [true, true, true, true, true, false, false]);
  assert.deepEqual(liveness.silent, [`127.0.0.1:${listeners.addresses[0]!.port} TCP`]);
});

test('a flood that pushes our question out of the buffer changes nothing while the listener reads on', async (t) => {
  const { counters, listening } = listenerAt(9);
  const { look } = livenessOf(t, listening);
  for (let i = 0; i < 30; i++) {
    counters.received += 100_000;
    counters.kernelDrops! += 200_000;
    assert.equal(look(), true);
  }
  counters.kernelDrops! += 200_000;
  look();
  counters.kernelDrops! += 200_000;
  assert.equal(look(), false, 'a full buffer that nobody reads');
});

test('where the kernel tells of no drops, a listener that reads is live', async (t) => {
  const { counters, listening } = listenerAt(9);
  counters.kernelDrops = undefined;
  const { look } = livenessOf(t, listening);
  for (let i = 0; i < 30; i++) {
    counters.received++;
    assert.equal(look(), true);
  }
});

test('answers that another gives in our place are no failure, and do not bring back who was silent', async (t) => {
  const another = await answering(1);
  t.after(() => another.close());
  const { counters, listening } = listenerAt(another.port);
  const { liveness, look } = livenessOf(t, listening);
  const answered = async (): Promise<boolean> => {
    // The clock stands still, so this ends by the answer.
    await liveness.prove(1);
    return look();
  };
  for (let i = 0; i < 3; i++) assert.equal(await answered(), true);
  counters.address.port = 9;
  for (let i = 0; i < 3; i++) look();
  assert.equal(liveness.silent.length, 1);
  counters.address.port = another.port;
  for (let i = 0; i < 3; i++) assert.equal(await answered(), false);
});

test('at the start nobody waits for an answer of our own where rules lead our questions to another', async (t) => {
  const another = await answering(1);
  t.after(() => another.close());
  const { listening } = listenerAt(another.port);
  const { liveness } = livenessOf(t, listening);
  // The clock stands still, so this ends by the answer or never.
  await liveness.prove(1);
  assert.equal(another.count(), 1);
});

test('two looks at once are one: the question of the first is still on its way', async (t) => {
  const { listeners } = await open(t, [LOOPBACK]);
  const { liveness } = livenessOf(t, listeners);
  for (let i = 0; i < 10; i++) assert.equal(liveness.isServing(), true);
});
