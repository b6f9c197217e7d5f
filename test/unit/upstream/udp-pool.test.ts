import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { type TestContext, test } from 'node:test';
import { ask, type SetUp, type SetUpOptions, setUp, until } from './asking.ts';
import { answerAll, answerTo, type Script, ScriptedServer } from './scripted-server.ts';

async function scene(
  t: TestContext,
  script: Script,
  options: SetUpOptions = {},
): Promise<SetUp & { server: ScriptedServer }> {
  const server = await ScriptedServer.start(script);
  const made = setUp([server.address], { transport: 'udp', ...options });
  t.after(async () => {
    made.upstreams.close();
    await server.close();
  });
  return { ...made, server };
}

const names = (count: number): string[] => Array.from({ length: count }, (_, i) => `n${i}.test`);

test('many questions at once are answered, and leave nothing behind', async (t) => {
  const { forwarder, first, wheel } = await scene(t, answerAll);
  for (let round = 0; round < 20; round++) {
    const outcomes = await Promise.all(names(50).map((name) => ask(forwarder, name)));
    assert.ok(outcomes.every(({ rcode }) => rcode === 0));
  }
  assert.equal(first.inFlight, 0);
  assert.equal(first.stream.size, 0);
  await until('no timer is left', () => wheel.size === 0);
});

test('a wrong id, a wrong question and garbage are counted, and the good reply still counts', async (t) => {
  const { forwarder, first } = await scene(t, ({ query, reply }) => {
    const good = answerTo(query);
    const wrongId = Buffer.from(good);
    wrongId[1]! ^= 0x80;
    const wrongType = Buffer.from(good);
    wrongType[good.indexOf(0, 12) + 2] = 97;
    for (const message of [wrongId, wrongType, Buffer.from('?'), Buffer.from('garbage of some length'), good])
      reply(message);
  });
  assert.equal((await ask(forwarder, 'lies.test')).rcode, 0);
  await until('all are counted', () => first.badReplies.reduce((sum, count) => sum + count) === 4);
  assert.equal(first.inFlight, 0);
});

test('an error without question is not believed over UDP', async (t) => {
  const { forwarder } = await scene(t, ({ query, reply }) => {
    const bare = answerTo(query, { rcode: 2 }).subarray(0, 12);
    bare[5] = 0;
    reply(bare);
    reply(answerTo(query));
  });
  assert.equal((await ask(forwarder, 'n.test')).rcode, 0);
});

test('a reply from another address is never seen', async (t) => {
  const forger = createSocket('udp4');
  t.after(() => forger.close());
  const { forwarder, server, first } = await scene(t, ({ query, reply }) => {
    const forged = answerTo(query, { rcode: 3 });
    for (const port of ports()) forger.send(forged, port, '127.0.0.1');
    setTimeout(() => reply(answerTo(query)), 50);
  });
  const ports = (): number[] => [...(server.received.length > 0 ? server.ports : [])];
  assert.equal((await ask(forwarder, 'n.test')).rcode, 0);
  assert.ok(first.badReplies.every((count) => count === 0));
});

test('questions leave from several ports, and each has an id of its own', async (t) => {
  const { forwarder, server } = await scene(t, answerAll);
  for (let i = 0; i < 60; i++) await ask(forwarder, 'n.test');
  assert.ok(server.ports.size >= 2 && server.ports.size <= 4, `${server.ports.size} ports`);
  const ids = new Set(server.received.map(({ query }) => query.readUInt16BE(0)));
  assert.ok(ids.size > 50, `${ids.size} ids`);
});

test('a port is given up after some number of questions', async (t) => {
  const { forwarder, server, first } = await scene(t, answerAll);
  for (let round = 0; round < 30; round++) {
    await Promise.all(names(200).map((name) => ask(forwarder, name)));
  }
  assert.ok(server.ports.size > 4, `${server.ports.size} ports`);
  assert.ok(first.udp!.size <= 4);
  assert.equal(first.inFlight, 0);
});

test('a truncated answer is asked for over TCP, and the whole one given', async (t) => {
  const { forwarder, server, first } = await scene(t, ({ query, reply, overTcp }) => {
    reply(answerTo(query, { isTruncated: !overTcp }));
  });
  const { rcode, reply } = await ask(forwarder, 'large.test');
  assert.equal(rcode, 0);
  assert.equal(reply.readUInt16BE(6), 1);
  assert.equal(first.truncated, 1);
  assert.deepEqual(
    server.received.map(({ overTcp }) => overTcp),
    [false, true],
  );
  assert.equal(first.inFlight, 0);
});

test('an answer truncated over UDP and refused over TCP is no answer', async (t) => {
  const { forwarder, server, first } = await scene(t, ({ query, reply }) =>
    reply(answerTo(query, { isTruncated: true })),
  );
  await server.stopTcp();
  assert.equal((await ask(forwarder, 'large.test')).failure, 'unreachable');
  assert.equal(first.isDown, false, 'it does answer over UDP');
});

test('a port where nobody listens is told at once, and three times make the upstream down', async (t) => {
  const { forwarder, server, first } = await scene(t, answerAll);
  await server.stopUdp();
  const { failure, ms } = await ask(forwarder, 'n.test');
  assert.equal(failure, 'unreachable');
  assert.ok(ms < 900, `${ms} ms`);
  assert.equal(first.isDown, true);
});

test('a lost datagram is asked again, and its late reply still counts', async (t) => {
  let asked = 0;
  const { forwarder, first } = await scene(
    t,
    ({ query, reply }) => {
      if (++asked === 1) setTimeout(() => reply(answerTo(query)), 150);
    },
    { tryMs: 100, totalMs: 2000 },
  );
  const { rcode, ms } = await ask(forwarder, 'n.test');
  assert.equal(rcode, 0);
  assert.ok(ms < 1500);
  assert.equal(first.retries, 1);
});

test('lost replies leave no slot behind', async (t) => {
  const { forwarder, first } = await scene(t, () => {}, { tryMs: 50, totalMs: 60 });
  const outcomes = await Promise.all(names(100).map((name) => ask(forwarder, name)));
  assert.ok(outcomes.every(({ failure }) => failure === 'timeout'));
  first.health.stop();
  await until('all are free', () => first.inFlight === 0);
});

test('IPv6 upstreams are asked over both', async (t) => {
  const udp = createSocket('udp6');
  udp.on('message', (query, from) => udp.send(answerTo(query), from.port, from.address));
  await new Promise<void>((resolve) => udp.bind(0, '::1', resolve));
  t.after(() => udp.close());
  const { forwarder, first, upstreams } = setUp([{ host: '::1', port: udp.address().port }], { transport: 'udp' });
  t.after(() => upstreams.close());
  assert.equal((await ask(forwarder, 'n.test')).rcode, 0);
  assert.equal(first.label, `[::1]:${udp.address().port}`);
});
