import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEPARTURES_A_TURN } from '../../../src/core/limits.ts';
import { ask, setUp, until, zone } from './asking.ts';
import { answerAll, answerTo, type Received, ScriptedServer } from './scripted-server.ts';

test('an upstream that zones share is one, with one set of connections', async (t) => {
  const server = await ScriptedServer.start(answerAll);
  const { upstreams } = setUp([server.address]);
  t.after(() => [upstreams.close(), server.close()]);
  const forwarders = upstreams.apply([
    zone('.', [server.address]),
    zone('a.test.', [server.address, { ...server.address, transport: 'udp' }]),
    zone('b.test.', [server.address, { ...server.address, transport: 'udp+tcp' }]),
  ]);
  assert.equal([...upstreams.list()].length, 2, 'one over TCP, one over UDP');
  for (const forwarder of forwarders.values()) assert.equal((await ask(forwarder, 'n.test')).rcode, 0);
  assert.equal(server.connections, 1);
});

test('a new configuration keeps the upstreams that it still names, with their connections', async (t) => {
  const server = await ScriptedServer.start(answerAll);
  const other = await ScriptedServer.start(answerAll);
  const { upstreams, forwarder, first } = setUp([server.address]);
  t.after(() => [upstreams.close(), server.close(), other.close()]);
  await ask(forwarder, 'n.test');
  const after = upstreams.apply([zone('.', [other.address, server.address], { policy: 'round-robin' })]).get('.')!;
  assert.ok([...upstreams.list()].includes(first));
  for (let i = 0; i < 6; i++) assert.equal((await ask(after, 'n.test')).rcode, 0);
  assert.equal(server.connections, 1);
  assert.equal(other.connections, 1);
});

test('a zone that is asked as before keeps how it stands with its upstreams, and its counts', async (t) => {
  const server = await ScriptedServer.start(answerAll);
  const { upstreams } = setUp([]);
  t.after(() => [upstreams.close(), server.close()]);
  const [a, b] = [zone('a.test.', [server.address]), zone('b.test.', [server.address])];
  const before = upstreams.apply([a, b]);
  const { hedges } = upstreams.counts;
  const after = upstreams.apply([{ ...a }, { ...b, tryMs: b.tryMs + 1 }, zone('c.test.', [server.address])]);
  assert.equal(after.get('a.test.'), before.get('a.test.'));
  assert.notEqual(after.get('b.test.'), before.get('b.test.'));
  assert.equal(upstreams.counts.hedges, hedges);
  for (const forwarder of after.values()) assert.equal((await ask(forwarder, 'n.test')).rcode, 0);
});

test('an upstream that is named no more answers what it was asked, and is closed', async (t) => {
  for (const transport of ['tcp', 'udp'] as const) {
    const held: Received[] = [];
    const server = await ScriptedServer.start((received) => held.push(received));
    const other = await ScriptedServer.start(answerAll);
    const { upstreams, forwarder, first } = setUp([server.address], { transport });
    t.after(() => [upstreams.close(), server.close(), other.close()]);
    const outcome = ask(forwarder, 'n.test');
    await until('it was asked', () => held.length > 0);
    upstreams.apply([zone('.', [other.address], { transport })]);
    for (const { query, reply } of held) reply(answerTo(query));
    assert.equal((await outcome).rcode, 0);
    await until('it is closed', () => !first.isOpen);
    assert.deepEqual(
      [...upstreams.list()].map(({ address }) => address.port),
      [other.port],
    );
  }
});

test('counters of forwarders that were replaced are not lost', async (t) => {
  const server = await ScriptedServer.start(() => {});
  const { upstreams, forwarder } = setUp([server.address], { transport: 'udp', tryMs: 40, totalMs: 50 });
  t.after(() => [upstreams.close(), server.close()]);
  await Promise.all(['a.test', 'b.test', 'c.test'].map((name) => ask(forwarder, name)));
  for (let i = 0; i < 3; i++) await ask(forwarder, 'd.test');
  const { allDown } = upstreams.counts;
  assert.ok(allDown > 0);
  upstreams.apply([zone('.', [server.address], { transport: 'udp' })]);
  assert.equal(upstreams.counts.allDown, allDown);
});

test('closing ends what is in flight', async (t) => {
  for (const transport of ['tcp', 'udp'] as const) {
    const server = await ScriptedServer.start(() => {});
    t.after(() => server.close());
    const { upstreams, forwarder, first } = setUp([server.address], { transport, tryMs: 5000 });
    const outcome = ask(forwarder, 'n.test');
    await until('it was asked', () => server.received.length > 0);
    upstreams.close();
    const { failure, ms } = await outcome;
    assert.ok(failure !== undefined);
    assert.ok(ms < 4000, `${ms} ms`);
    assert.equal(first.isOpen, false);
  }
});

test('ten thousand zones cost what their upstreams cost', (t) => {
  const { upstreams } = setUp([]);
  t.after(() => upstreams.close());
  const zones = Array.from({ length: 10_000 }, (_, i) =>
    zone(`z${i}.test.`, [{ host: '127.0.0.1', port: 1 + (i % 3) }]),
  );
  assert.equal(upstreams.apply(zones).size, 10_000);
  assert.equal([...upstreams.list()].length, 3);
});

test('what still waits for its turn is asked of the old upstreams when a new configuration comes', async (t) => {
  const other = await ScriptedServer.start(answerAll);
  t.after(() => other.close());
  for (const transport of ['tcp', 'udp'] as const) {
    const server = await ScriptedServer.start(answerAll);
    const { upstreams, forwarder } = setUp([server.address], { transport });
    t.after(() => [upstreams.close(), server.close()]);
    // A connection that is open: one that is still being made does not outlive its upstream.
    await ask(forwarder, 'first.test');
    const outcomes = Array.from({ length: 3 * DEPARTURES_A_TURN.value }, () => ask(forwarder, 'n.test'));
    upstreams.apply([zone('.', [other.address], { transport })]);
    for (const { rcode } of await Promise.all(outcomes)) assert.equal(rcode, 0);
    assert.equal(other.received.length, 0);
  }
});

test('what still waits for its turn ends when all is closed', async (t) => {
  const server = await ScriptedServer.start(() => {});
  const { upstreams, forwarder, wheel } = setUp([server.address]);
  t.after(() => server.close());
  const outcomes = Array.from({ length: 3 * DEPARTURES_A_TURN.value }, () => ask(forwarder, 'n.test'));
  upstreams.close();
  for (const { failure } of await Promise.all(outcomes)) assert.notEqual(failure, undefined);
  assert.equal(wheel.size, 0);
});
