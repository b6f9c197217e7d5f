import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger } from '../../../src/core/logger.ts';
import { TimerWheel } from '../../../src/core/timer-wheel.ts';
import { Health } from '../../../src/upstream/health.ts';
import { FakeClock } from '../../fake-clock.ts';
import { ask, setUp, until } from './asking.ts';
import { answerTo, ScriptedServer } from './scripted-server.ts';

interface Patient {
  readonly health: Health;
  /** When each probe was sent, counted from the start. */
  readonly probes: number[];
  pass(ms: number): void;
}

/** Every probe goes unanswered for 10 ms and then fails, unless `isAnswered` says otherwise. */
function patient(random: () => number, isAnswered = (): boolean => false): Patient {
  const clock = new FakeClock();
  const startMs = clock.nowMs();
  const wheel = new TimerWheel({ clock, arm: () => {} });
  const probes: number[] = [];
  let endsMs = Number.POSITIVE_INFINITY;
  const probe = (): void => {
    probes.push(clock.nowMs() - startMs);
    endsMs = clock.nowMs() + 10;
  };
  const health = new Health({ name: '192.0.2.1:53', wheel, log: silentLogger, random, probe });
  const end = (): void => {
    endsMs = Number.POSITIVE_INFINITY;
    if (isAnswered()) {
      health.succeeded();
    } else {
      health.failed('timeout');
      health.probeFailed();
    }
  };
  const pass = (ms: number): void => {
    for (let i = 0; i < ms; i++) {
      clock.advance(1);
      wheel.advance();
      if (clock.nowMs() >= endsMs) end();
    }
  };
  return { health, probes, pass };
}

test('an upstream that never failed is never probed', () => {
  const { health, probes, pass } = patient(() => 0.5);
  for (let i = 0; i < 20; i++) {
    health.succeeded();
    pass(500);
  }
  assert.deepEqual(probes, []);
});

test('three failures in a row make it down, two with a reply between do not', () => {
  const { health } = patient(() => 0.5);
  health.failed('timeout');
  health.failed('timeout');
  health.succeeded();
  health.failed('timeout');
  health.failed('timeout');
  assert.equal(health.isDown, false);
  health.failed('timeout');
  assert.equal(health.isDown, true);
  health.succeeded();
  assert.equal(health.isDown, false);
});

test('probes come at growing steps from 250 ms to one second, and never end while there is no reply', () => {
  const { health, probes, pass } = patient(() => 0.5);
  health.failed('ECONNREFUSED');
  pass(20_000);
  const gaps = probes.map((ms, i) => ms - (i === 0 ? 0 : probes[i - 1]!));
  const wanted = [250, 500, ...gaps.slice(2).map(() => 1000)];
  for (const [i, gap] of gaps.entries()) assert.ok(Math.abs(gap - wanted[i]!) <= 12, `${gaps}`);
  // At most one a second after the first two, so that two upstreams get two a second, and one that returns is asked within a second.
  assert.ok(probes.length >= 19 && probes.length <= 21, `${probes.length}`);
  assert.equal(health.isDown, true);
  assert.equal(health.probeFailures, probes.length);
});

test('steps differ by a quarter each way, so that nodes do not probe in step', () => {
  for (const [random, first] of [
    [0, 187.5],
    [0.999, 312.5],
  ] as const) {
    const { health, probes, pass } = patient(() => random);
    health.failed('timeout');
    pass(400);
    assert.ok(Math.abs(probes[0]! - first) <= 12, `${probes}`);
  }
});

test('a reply ends the probing, and the next failure begins it anew', () => {
  let isAnswered = false;
  const { health, probes, pass } = patient(
    () => 0.5,
    () => isAnswered,
  );
  health.failed('timeout');
  pass(3000);
  isAnswered = true;
  pass(2000);
  assert.equal(health.isDown, false);
  const count = probes.length;
  pass(5000);
  assert.equal(probes.length, count);
  health.failed('timeout');
  pass(300);
  assert.equal(probes.length, count + 1);
});

test("a client's question takes the place of the next probe", () => {
  const { health, probes, pass } = patient(() => 0.5);
  health.failed('timeout');
  pass(5000);
  const count = probes.length;
  for (let i = 0; i < 10; i++) {
    health.postponeProbe();
    pass(950);
  }
  assert.equal(probes.length, count);
  pass(60);
  assert.equal(probes.length, count + 1);
});

test('what was wrong the last time is kept for people', () => {
  const { health } = patient(() => 0.5);
  assert.equal(health.lastError, undefined);
  health.failed('ECONNREFUSED');
  health.succeeded();
  assert.equal(health.lastError, 'ECONNREFUSED');
  assert.ok(Math.abs(Date.now() - health.lastErrorAtMs) < 60_000);
});

test('one that is stopped is probed no more', () => {
  const { health, probes, pass } = patient(() => 0.5);
  health.failed('timeout');
  health.stop();
  pass(3000);
  assert.deepEqual(probes, []);
});

test('a port that nobody listens on is a refused one, not a silent one', async (t) => {
  const server = await ScriptedServer.start(() => {});
  await server.close();
  for (const transport of ['udp', 'tcp'] as const) {
    const { upstreams, forwarder, first } = setUp([server.address], { transport, tryMs: 100, totalMs: 300 });
    t.after(() => upstreams.close());
    await ask(forwarder, 'n.test');
    await until('down', () => first.isDown);
    await ask(forwarder, 'n.test');
    assert.equal(first.health.lastError, 'ECONNREFUSED', transport);
    assert.equal(first.roundTrips.samples, 0);
  }
});

test('an upstream that was only silent has not replied, whatever its round trips say', async (t) => {
  let isSilent = true;
  const server = await ScriptedServer.start(({ query, reply }) => void (isSilent || reply(answerTo(query))));
  const { upstreams, forwarder, first } = setUp([server.address], { tryMs: 40, totalMs: 100 });
  t.after(() => [upstreams.close(), server.close()]);
  assert.equal((await ask(forwarder, 'n.test')).failure, 'timeout');
  assert.deepEqual([first.roundTrips.samples > 0, first.hasReplied], [true, false]);
  isSilent = false;
  await until('it is asked and answers', () => first.hasReplied);
});
