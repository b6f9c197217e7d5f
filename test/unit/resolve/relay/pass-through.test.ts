import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RELAYS, RELAYS_PER_CLIENT } from '../../../../src/core/limits.ts';
import type { FlushReason } from '../../../../src/resolve/zone-flush.ts';
import { decodeMessage } from '../../../client/message.ts';
import { freePort } from '../../../servers/free-port.ts';
import type { House, PlayedClient } from '../house.ts';
import { houseOf, NOTIFY, replyTo, request, serve, UPDATE, until } from './relay-house.ts';

const NOTAUTH = 9;
const SERVFAIL = 2;

/** Sends a message and waits for what comes back. */
async function relay(house: House, message: Buffer, isStream = false): Promise<Buffer> {
  const client = house.send(message, isStream);
  await until('it is answered', () => client.replies.length === 1);
  return client.replies[0]!;
}

/** A name of corp.example and one beside it are in the cache. */
function fillCache(house: House): void {
  for (const name of ['www.CORP.example', 'www.other.example']) {
    house.ask({ name, type: 'A' });
    house.outside.answer({ answers: [{ type: 'A', name, ttl: 300, data: '192.0.2.1' }] });
  }
  assert.equal(house.cache.size, 2);
}

function flushes(house: House, reason: FlushReason): number {
  return house.flush.counts[reason];
}

for (const isStream of [false, true]) {
  const over = isStream ? 'TCP' : 'UDP';
  test(`what comes over ${over} leaves over ${over}, byte for byte in both directions`, async (t) => {
    const server = await serve(t, ({ query, reply }) => reply(Buffer.concat([replyTo(query, 5), Buffer.from('tail')])));
    const message = Buffer.concat([request({ flags: 0x2fff & ~0x8000 }), Buffer.from('what nobody understands')]);
    const reply = await relay(houseOf(server), message, isStream);
    assert.equal(server.received[0]!.overTcp, isStream);
    assert.deepEqual(server.received[0]!.query, message);
    assert.deepEqual(reply, Buffer.concat([replyTo(message, 5), Buffer.from('tail')]));
  });

  test(`a message that is none of the answer is not given to the client over ${over}`, async (t) => {
    const server = await serve(t, ({ query, reply }) => {
      const other = replyTo(query);
      other[1]! ^= 1;
      reply(other);
      reply(query);
      reply(Buffer.from('short'));
      reply(replyTo(query, 6));
    });
    assert.equal((await relay(houseOf(server), request(), isStream))[3], 6);
  });
}

test('an update that succeeds drops its zone from the cache before its client hears of it', async (t) => {
  const server = await serve(t, ({ query, reply }) => reply(replyTo(query)));
  const house = houseOf(server);
  fillCache(house);
  const client = house.send(request(), true) as PlayedClient;
  const send = client.send.bind(client);
  let sizeThen = -1;
  client.send = (reply) => {
    sizeThen = house.cache.size;
    send(reply);
  };
  await until('it is answered', () => client.replies.length === 1);
  assert.equal(sizeThen, 1);
  assert.equal(flushes(house, 'update'), 1);
});

test('an update that is refused, or fails, drops nothing', async (t) => {
  let rcode = 0;
  const server = await serve(t, ({ query, reply }) => reply(replyTo(query, rcode)));
  const house = houseOf(server);
  fillCache(house);
  for (rcode of [1, 2, 4, 5, 6, 7, 8, NOTAUTH, 10]) assert.equal((await relay(house, request()))[3], rcode);
  assert.deepEqual([house.cache.size, flushes(house, 'update')], [2, 0]);
});

test('an update that asks only whether something is there, which servers answer to anybody, drops nothing', async (t) => {
  const server = await serve(t, ({ query, reply }) => reply(replyTo(query)));
  const house = houseOf(server);
  fillCache(house);
  assert.equal((await relay(house, request({ authorities: [] })))[3], 0);
  assert.deepEqual([house.cache.size, flushes(house, 'update')], [2, 0]);
});

test('an answer that was on its way during the update is given, and not kept', async (t) => {
  const server = await serve(t, ({ query, reply }) => reply(replyTo(query)));
  const house = houseOf(server);
  const before = house.ask({ name: 'a.corp.example', type: 'A' });
  await relay(house, request());
  const after = house.ask({ name: 'a.corp.example', type: 'A' });
  assert.equal(house.outside.asked.length, 2, 'who asks after the update does not wait for the old answer');
  const answer = (data: string) => ({ answers: [{ type: 'A' as const, name: 'a.corp.example', ttl: 300, data }] });
  house.outside.answer(answer('192.0.2.1'));
  assert.equal(before.reply.answers[0]!.data, 'c0000201');
  assert.equal(house.cache.size, 0);
  house.outside.answer(answer('192.0.2.2'));
  assert.equal(after.reply.answers[0]!.data, 'c0000202');
  assert.equal(house.cache.size, 1);
});

test('NOTIFY drops its zone at once and once more, when the server has fetched it, however many come', async (t) => {
  const server = await serve(t, ({ query, reply }) => reply(replyTo(query)));
  const house = houseOf(server);
  fillCache(house);
  await relay(house, request({ flags: NOTIFY }));
  assert.deepEqual([house.cache.size, flushes(house, 'notify')], [1, 1]);
  for (let i = 0; i < 5; i++) await relay(house, request({ flags: NOTIFY, name: ['CORP', 'example'] }));
  assert.equal(flushes(house, 'notify'), 1);
  house.pass(2100);
  assert.equal(flushes(house, 'notify'), 2);
  house.pass(10_000);
  assert.equal(flushes(house, 'notify'), 2);
});

test('NOTIFY that the server does not take drops nothing', async (t) => {
  const server = await serve(t, ({ query, reply }) => reply(replyTo(query, NOTAUTH)));
  const house = houseOf(server);
  fillCache(house);
  await relay(house, request({ flags: NOTIFY }));
  house.pass(3000);
  assert.deepEqual([house.cache.size, flushes(house, 'notify')], [2, 0]);
});

test('NOTIFY for the cluster, which the cluster DNS takes from anybody, or for the root drops nothing', async (t) => {
  const server = await serve(t, ({ query, reply }) => reply(replyTo(query)));
  const house = houseOf(server);
  house.cluster.targets = house.outside.targets;
  fillCache(house);
  for (const name of [[], ['example'], ['local'], ['cluster', 'local'], ['svc', 'cluster', 'local']]) {
    await relay(house, request({ flags: NOTIFY, name }));
  }
  house.pass(3000);
  assert.deepEqual([house.cache.size, flushes(house, 'notify')], [2, 0]);
});

test('a server that cannot be reached is passed over, whatever the transport', async (t) => {
  const server = await serve(t, ({ query, reply }) => reply(replyTo(query)));
  for (const isStream of [true, false]) {
    const house = houseOf({ host: '127.0.0.1', port: await freePort() }, server);
    assert.equal((await relay(house, request(), isStream))[3], 0);
  }
  assert.equal(server.received.length, 2);
});

test('a server that there is no way to is passed over too, and its socket closed', async (t) => {
  const server = await serve(t, ({ query, reply }) => reply(replyTo(query)));
  const sockets = () => process.getActiveResourcesInfo().filter((kind) => kind === 'UDPWRAP').length;
  // No address of this machine; and one from which nothing but itself can be reached.
  for (const [source, host] of [
    ['203.0.113.9', '127.0.0.1'],
    ['127.0.0.1', '192.0.2.1'],
  ] as const) {
    const house = houseOf({ host, port: 53 }, server);
    const [first, second] = house.outside.targets;
    house.outside.targets = [{ ...first!, address: { ...first!.address, source } }, second!];
    const before = sockets();
    assert.equal((await relay(house, request({ flags: UPDATE, id: 1 })))[3], 0);
    await until('no socket is left', () => sockets() === before);
  }
  assert.equal(server.received.length, 2);
});

test('where no server can be reached the client is told SERVFAIL, with its opcode and its ID', async () => {
  const house = houseOf({ host: '127.0.0.1', port: await freePort() });
  fillCache(house);
  const reply = decodeMessage(await relay(house, request(), true));
  assert.deepEqual([reply.id, reply.rcode, reply.flags & 0xf800], [0x4711, SERVFAIL, 0xa800]);
  assert.equal(house.cache.size, 2, 'nothing was sent, so nothing has changed');
});

for (const [what, isStream, waitMs] of [
  ['UDP', false, 10_000],
  ['TCP', true, 30_000],
] as const) {
  test(`an update that is not answered over ${what} is never sent again: SERVFAIL, and its zone is asked anew`, async (t) => {
    const silent = await serve(t, () => {});
    const second = await serve(t, ({ query, reply }) => reply(replyTo(query)));
    const house = houseOf(silent, second);
    fillCache(house);
    const client = house.send(request(), isStream);
    await until('it has come', () => silent.received.length === 1);
    house.pass(waitMs - 10);
    assert.equal(client.replies.length, 0);
    house.pass(20);
    assert.equal(client.reply.rcode, SERVFAIL);
    assert.equal(silent.received.length + second.received.length, 1);
    assert.equal(house.cache.size, 1, 'it may have been done');
  });
}

test('updates that are not answered, however many, drop their zone once and once more; while all servers are down, never', async (t) => {
  const silent = await serve(t, () => {});
  const house = houseOf(silent);
  fillCache(house);
  house.outside.isAllDown = true;
  house.send(request());
  await until('it has come', () => silent.received.length === 1);
  house.pass(10_100);
  assert.equal(house.cache.size, 2, 'what is cached is all that there is');
  house.outside.isAllDown = false;
  for (let id = 0; id < 5; id++) house.send(request({ id }));
  await until('all have come', () => silent.received.length === 6);
  house.pass(10_100);
  assert.deepEqual([house.cache.size, flushes(house, 'update')], [1, 1]);
  house.pass(10_100);
  assert.equal(flushes(house, 'update'), 2);
});

test('an update of the root or right below it, to a server that is silent, does not cost the cache its answers', async (t) => {
  const silent = await serve(t, () => {});
  const house = houseOf(silent);
  fillCache(house);
  for (const name of [[], ['example']]) house.send(request({ name }));
  await until('both have come', () => silent.received.length === 2);
  house.pass(10_100);
  assert.deepEqual([house.cache.size, flushes(house, 'update')], [2, 0]);
});

test('a server that closes the connection without an answer has perhaps done what it was told: no other is asked', async (t) => {
  const first = await serve(t, ({ socket }) => socket!.destroy());
  const second = await serve(t, ({ query, reply }) => reply(replyTo(query)));
  const reply = await relay(houseOf(first, second), request(), true);
  assert.equal(reply[3]! & 15, SERVFAIL);
  assert.equal(second.received.length, 0);
});

test('names that are answered here are no zones that could be changed or fetched', () => {
  const house = houseOf();
  const local = { name: ['localhost'] };
  assert.equal(house.send(request(local)).reply.rcode, NOTAUTH, 'UPDATE');
  assert.equal(house.send(request({ ...local, flags: NOTIFY })).reply.rcode, NOTAUTH, 'NOTIFY');
  assert.equal(house.send(request({ ...local, flags: 0, type: 252 })).reply.rcode, 5, 'AXFR');
  assert.equal(house.send(request({ ...local, flags: 0, type: 249 })).reply.rcode, 5, 'TKEY');
});

test('a server that is asked over HTTPS alone takes no such messages; where there is another, that one does', async (t) => {
  const server = await serve(t, ({ query, reply }) => reply(replyTo(query)));
  const house = houseOf(server);
  const [plain] = house.outside.targets;
  const https = { address: { ...plain!.address, transport: 'https' as const }, label: 'https' };
  house.outside.targets = [https];
  assert.equal(house.send(request()).reply.rcode, NOTAUTH);
  house.outside.targets = [https, plain!];
  assert.equal((await relay(house, request()))[3], 0);
});

test('where every server leads back to us, which may end, the client is told to come again', () => {
  const house = houseOf();
  assert.equal(house.send(request()).reply.rcode, SERVFAIL);
  assert.equal(house.passThrough.counts.ended.update.unreachable, 1);
});

test('what has no name to be routed by is malformed, or of a kind that nobody serves', () => {
  const house = houseOf();
  const nameless = (flags: number) => Buffer.from([0, 1, flags >> 8, flags, 0, 0, 0, 0, 0, 0, 0, 0]);
  for (const [opcode, rcode] of [
    [5, 1],
    [4, 1],
    [1, 4],
    [2, 4],
    [3, 4],
    [6, 4],
    [15, 4],
  ] as const) {
    assert.equal(house.send(nameless(opcode << 11)).reply.rcode, rcode, `opcode ${opcode}`);
  }
});

test('one client has so many messages on their way and no more, and the others have theirs', async (t) => {
  const silent = await serve(t, () => {});
  const house = houseOf(silent);
  for (let i = 0; i < RELAYS_PER_CLIENT.value; i++) house.send(request({ id: i }));
  await until('all have come', () => silent.received.length === RELAYS_PER_CLIENT.value);
  const hits = RELAYS_PER_CLIENT.hits;
  assert.equal(house.send(request()).reply.rcode, SERVFAIL);
  assert.equal(RELAYS_PER_CLIENT.hits, hits + 1);
  assert.ok(RELAYS.value >= 4 * RELAYS_PER_CLIENT.value);
  house.pass(10_100);
  assert.equal(house.passThrough.counts.open.update, 0);
  assert.equal(house.send(request()).replies.length, 0);
  house.passThrough.close();
});
