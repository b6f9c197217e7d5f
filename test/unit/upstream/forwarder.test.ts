import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { ask, type SetUp, type SetUpOptions, setUp, until } from './asking.ts';
import { answerAll, answerTo, type Script, ScriptedServer } from './scripted-server.ts';

interface Scene extends SetUp {
  readonly servers: readonly ScriptedServer[];
}

async function scene(t: TestContext, scripts: readonly Script[], options: SetUpOptions = {}): Promise<Scene> {
  const servers = await Promise.all(scripts.map((script) => ScriptedServer.start(script)));
  const made = setUp(
    servers.map(({ address }) => address),
    { transport: 'udp', ...options },
  );
  t.after(async () => {
    made.upstreams.close();
    await Promise.all(servers.map((server) => server.close()));
  });
  return { ...made, servers };
}

const answerWith =
  (rcode: number): Script =>
  ({ query, reply }) =>
    reply(answerTo(query, { rcode }));
const silent: Script = () => {};

test('SERVFAIL, NOTIMP and REFUSED lead to the next upstream, other answers do not', async (t) => {
  for (const rcode of [2, 4, 5]) {
    const { forwarder, all } = await scene(t, [answerWith(rcode), answerAll]);
    const outcome = await ask(forwarder, 'n.test');
    assert.equal(outcome.rcode, 0);
    assert.equal(outcome.label, all[1]!.label);
  }
  for (const rcode of [1, 3]) {
    const { forwarder, servers } = await scene(t, [answerWith(rcode), answerAll]);
    assert.equal((await ask(forwarder, 'n.test', { isPlain: true })).rcode, rcode);
    assert.equal(servers[1]!.received.length, 0);
  }
});

test('where all upstreams refuse, the last answer is given, and each was asked once', async (t) => {
  const { forwarder, servers, all } = await scene(t, [answerWith(2), answerWith(2), answerWith(5)]);
  const { rcode, label } = await ask(forwarder, 'n.test');
  assert.equal(rcode, 5);
  assert.equal(label, all[2]!.label);
  assert.deepEqual(
    servers.map(({ received }) => received.length),
    [1, 1, 1],
  );
});

test('a refusal is given where the others are silent', async (t) => {
  const { forwarder } = await scene(t, [answerWith(5), silent], { tryMs: 100 });
  assert.equal((await ask(forwarder, 'n.test')).rcode, 5);
});

test('a refusal that is kept stays as it was, whatever is read from the connection after it', async (t) => {
  const refuseOne: Script = (received) => (received.label === 'kept' ? answerWith(5)(received) : answerAll(received));
  const silentToOne: Script = (received) => (received.label === 'kept' ? undefined : answerAll(received));
  const { forwarder } = await scene(t, [refuseOne, silentToOne], { tryMs: 150, totalMs: 400, transport: 'tcp' });
  const kept = ask(forwarder, 'kept.test');
  for (let i = 0; i < 5; i++) await ask(forwarder, `another-name-${i}.test`);
  const { rcode, reply } = await kept;
  assert.equal(rcode, 5);
  assert.equal(reply.toString('latin1', 13, 17), 'kept');
});

test('a silent upstream costs one try, and then the next one is asked', async (t) => {
  const { forwarder, servers } = await scene(t, [silent, answerAll], { tryMs: 60 });
  const { rcode, ms } = await ask(forwarder, 'n.test');
  assert.equal(rcode, 0);
  assert.ok(ms >= 60, `${ms} ms`);
  assert.equal(servers[0]!.received.length, 1);
});

test('of several silent upstreams each is asked once', async (t) => {
  const { forwarder, servers } = await scene(t, [silent, silent], { tryMs: 50, totalMs: 2000 });
  assert.equal((await ask(forwarder, 'n.test')).failure, 'timeout');
  for (const { received } of servers) assert.equal(received.filter(({ label }) => label === 'n').length, 1);
});

test('an only upstream that is silent is asked again until all time is over', async (t) => {
  const { forwarder, servers } = await scene(t, [silent], { tryMs: 100, totalMs: 250 });
  const { failure, ms } = await ask(forwarder, 'n.test');
  assert.equal(failure, 'timeout');
  assert.ok(ms >= 240, `${ms} ms`);
  assert.ok(servers[0]!.received.filter(({ label }) => label === 'n').length >= 2);
});

test('an upstream that is refused at once does not use up the time of the others', async (t) => {
  for (const transport of ['udp', 'tcp'] as const) {
    const { forwarder, servers } = await scene(t, [answerAll, answerAll], { transport });
    await servers[0]!.stopTcp();
    await servers[0]!.stopUdp();
    for (let i = 0; i < 10; i++) {
      const { rcode, ms } = await ask(forwarder, `n${i}.test`);
      assert.equal(rcode, 0);
      assert.ok(ms < 900, `${ms} ms`);
    }
  }
});

/** The policy random, always the first of those that stand best. */
const THE_FIRST = { policy: 'random', random: () => 0 } as const;

test('a slow upstream is not waited for: a second one is asked too, for few questions', async (t) => {
  const { forwarder, servers, upstreams } = await scene(t, [silent, answerAll], { ...THE_FIRST, tryMs: 3000 });
  const { rcode, ms } = await ask(forwarder, 'n.test');
  assert.equal(rcode, 0);
  assert.ok(ms < 2500, `${ms} ms`);
  assert.equal(upstreams.counts.hedges, 1);
  servers[0]!.script = ({ query, reply }) => setTimeout(() => reply(answerTo(query)), 150);
  for (let round = 0; round < 5; round++) await Promise.all(Array.from({ length: 20 }, () => ask(forwarder, 'n.test')));
  assert.ok(upstreams.counts.hedges <= 1 + 1 + 0.05 * 101, `${upstreams.counts.hedges} hedges of 101`);
});

test("where the order is the user's, no second one is asked beside the first, however slow it is", async (t) => {
  const slow: Script = ({ query, reply }) => setTimeout(() => reply(answerTo(query)), 150);
  const { forwarder, servers, upstreams, all } = await scene(t, [slow, answerAll], { policy: 'sequential' });
  for (let round = 0; round < 3; round++) {
    const outcomes = await Promise.all(Array.from({ length: 20 }, (_, i) => ask(forwarder, `n${round}-${i}.test`)));
    assert.ok(outcomes.every(({ label }) => label === all[0]!.label));
  }
  assert.equal(servers[1]!.received.length, 0);
  assert.equal(upstreams.counts.hedges, 0);
});

test('three failures in a row make an upstream down: while another lives it gets no question, only probes', async (t) => {
  const { forwarder, servers, all } = await scene(t, [silent, answerAll], { tryMs: 40 });
  for (let i = 0; i < 3; i++) assert.equal((await ask(forwarder, `n${i}.test`)).rcode, 0);
  assert.equal(all[0]!.isDown, true);
  const before = servers[0]!.received.length;
  for (let i = 0; i < 30; i++) assert.equal((await ask(forwarder, `m${i}.test`)).rcode, 0);
  await until('it was probed', () => servers[0]!.received.length > before);
  assert.ok(servers[0]!.received.slice(before).every(({ query }) => query[12] === 0));
  servers[0]!.script = answerAll;
  await until('a reply brings it back', () => !all[0]!.isDown);
  assert.equal((await ask(forwarder, 'back.test')).label, all[0]!.label);
});

test('a reply of any kind brings an upstream back', async (t) => {
  const { forwarder, servers, first } = await scene(t, [silent], { tryMs: 40, totalMs: 130 });
  await Promise.all([ask(forwarder, 'a.test'), ask(forwarder, 'b.test'), ask(forwarder, 'c.test')]);
  assert.equal(first.isDown, true);
  servers[0]!.script = answerWith(5);
  await until('it is back', () => !first.isDown);
});

test('while all are down, one question a second is tried and all others fail at once', async (t) => {
  const { forwarder, servers, all, upstreams } = await scene(t, [silent, silent], { tryMs: 400, totalMs: 500 });
  await Promise.all(Array.from({ length: 8 }, (_, i) => ask(forwarder, `n${i}.test`)));
  await until('both are down', () => forwarder.isAllDown);
  assert.ok(all.every(({ isDown }) => isDown));
  const before = servers.map(({ received }) => received.length);
  const outcomes = await Promise.all(Array.from({ length: 100 }, (_, i) => ask(forwarder, `m${i}.test`)));
  const atOnce = outcomes.filter(({ failure }) => failure === 'all-down');
  assert.ok(atOnce.length >= 98, `${atOnce.length}`);
  assert.ok(atOnce.every(({ ms }) => ms < 350));
  assert.ok(outcomes.every(({ failure }) => failure !== undefined));
  const tried = servers.map(
    ({ received }, i) => received.slice(before[i]).filter(({ label }) => label.startsWith('m')).length,
  );
  assert.ok(
    tried.every((count) => count <= 1),
    `${tried}`,
  );
  assert.ok(upstreams.counts.allDown >= 100);
});

test('the first question answered after an outage ends it for all', async (t) => {
  const { forwarder, servers, first } = await scene(t, [silent], { tryMs: 40, totalMs: 130 });
  await Promise.all(['a.test', 'b.test', 'c.test', 'd.test'].map((name) => ask(forwarder, name)));
  assert.equal(forwarder.isAllDown, true);
  servers[0]!.script = answerAll;
  await until('it is up', () => !first.isDown);
  const outcomes = await Promise.all(Array.from({ length: 20 }, (_, i) => ask(forwarder, `m${i}.test`)));
  assert.ok(outcomes.every(({ rcode }) => rcode === 0));
});

test('only changes of state are logged: one line when it goes down, one when it is back', async (t) => {
  const lines: string[] = [];
  const note = (fields: object, message: string): void => void lines.push(`${message} ${JSON.stringify(fields)}`);
  const log = { debug: note, info: note, warn: note, error: note };
  const { forwarder, servers, first } = await scene(t, [silent], { tryMs: 40, totalMs: 100, log });
  for (let i = 0; i < 4; i++) await Promise.all([ask(forwarder, 'a.test'), ask(forwarder, 'b.test')]);
  assert.equal(lines.length, 1);
  assert.ok(lines[0]!.includes(first.label) && lines[0]!.includes('timeout'), `${lines[0]}`);
  servers[0]!.script = answerAll;
  await until('it is up', () => !first.isDown);
  assert.equal(lines.length, 2);
});

test('a server that knows no EDNS is asked without it, and that is remembered', async (t) => {
  const old: Script = ({ query, reply }) => reply(answerTo(query, { rcode: query[11] === 0 ? 0 : 1 }));
  for (const transport of ['udp', 'tcp'] as const) {
    const { forwarder, servers } = await scene(t, [old], { transport });
    assert.equal((await ask(forwarder, 'a.test')).rcode, 0);
    assert.equal((await ask(forwarder, 'b.test')).rcode, 0);
    assert.deepEqual(
      servers[0]!.received.map(({ query }) => query[11]),
      [1, 0, 0],
    );
  }
});

test('a FORMERR that does not come from EDNS is the answer', async (t) => {
  const { forwarder, servers } = await scene(t, [answerWith(1)]);
  assert.equal((await ask(forwarder, 'a.test')).rcode, 1);
  assert.deepEqual(
    servers[0]!.received.map(({ query }) => query[11]),
    [1, 0],
  );
  servers[0]!.script = answerAll;
  await ask(forwarder, 'b.test');
  assert.equal(servers[0]!.received.at(-1)!.query[11], 1);
});

test('a burst over every bound ends each question once, and everything is free afterwards', async (t) => {
  const { forwarder, first, wheel } = await scene(t, [silent], { tryMs: 150, totalMs: 150 });
  const outcomes = await Promise.all(Array.from({ length: 6000 }, (_, i) => ask(forwarder, `n${i}.test`)));
  // Down: for those whose turn came when the first ones had no answer in time.
  const expected = ['timeout', 'overload', 'all-down'];
  for (const { failure = 'none' } of outcomes) assert.ok(expected.includes(failure), failure);
  first.health.stop();
  await until('no slot and no timer is taken', () => first.inFlight === 0 && wheel.size === 0);
});
