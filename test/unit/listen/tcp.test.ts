import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { frame, type Server, TcpClient } from '../../client/ask.ts';
import { bound, expectEmpty, LARGE_BYTES, open, query, until } from './setup.ts';

test('a query over TCP is answered on both address families', async (t) => {
  const setup = await open(t, [
    { host: '127.0.0.1', port: 0 },
    { host: '::1', port: 0 },
  ]);
  for (const address of setup.listeners.addresses) {
    const client = await TcpClient.connect(address);
    client.send(frame(query('now.test', 77)));
    const reply = await client.next();
    assert.equal(reply.readUInt16BE(0), 77);
    assert.equal(reply[2]! & 0x80, 0x80);
    client.close();
  }
  await expectEmpty(setup);
});

test('a query that comes octet by octet is answered', async (t) => {
  const setup = await open(t);
  const client = await TcpClient.connect(setup.listeners.addresses[0]!);
  client.socket.setNoDelay(true);
  for (const octet of frame(query('now.test', 5))) {
    client.send(Buffer.of(octet));
    await turn();
  }
  assert.equal((await client.next()).readUInt16BE(0), 5);
  client.close();
  await expectEmpty(setup);
});

test('1,000 queries in one write are all answered, in far fewer writes', async (t) => {
  const setup = await open(t);
  const client = await TcpClient.connect(setup.listeners.addresses[0]!);
  client.send(Buffer.concat(Array.from({ length: 1000 }, (_, id) => frame(query('now.test', id)))));
  for (let id = 0; id < 1000; id++) assert.equal((await client.next()).readUInt16BE(0), id);
  assert.ok(setup.listeners.buffers.writes < 50, `${setup.listeners.buffers.writes} writes`);
  client.close();
  await expectEmpty(setup);
});

test('answers leave in the order in which they come, not in that of the queries', async (t) => {
  const setup = await open(t);
  const client = await TcpClient.connect(setup.listeners.addresses[0]!);
  client.send(Buffer.concat([1, 2, 3].map((id) => frame(query('held.test', id)))));
  client.send(frame(query('now.test', 4)));
  assert.equal((await client.next()).readUInt16BE(0), 4);
  await until('three are held', () => setup.responder.held.length === 3);
  for (const question of setup.responder.held.toReversed()) question.answer();
  for (const id of [3, 2, 1]) assert.equal((await client.next()).readUInt16BE(0), id);
  client.close();
  await expectEmpty(setup);
});

test('answers that come in one turn of the loop leave in one write', async (t) => {
  const setup = await open(t);
  const clients = await Promise.all([0, 1].map(() => TcpClient.connect(setup.listeners.addresses[0]!)));
  for (const client of clients) {
    client.send(Buffer.concat(Array.from({ length: 50 }, (_, id) => frame(query('held.test', id)))));
  }
  await until('all are held', () => setup.responder.held.length === 100);
  for (const question of setup.responder.held) question.answer();
  for (const client of clients) {
    for (let id = 0; id < 50; id++) assert.equal((await client.next()).readUInt16BE(0), id);
    client.close();
  }
  assert.equal(setup.listeners.buffers.writes, 2);
  await expectEmpty(setup);
});

test('an answer of the longest kind goes out whole between short ones', async (t) => {
  const setup = await open(t);
  const client = await TcpClient.connect(setup.listeners.addresses[0]!);
  const names = ['now.test', 'large.test', 'now.test', 'held.test'];
  client.send(Buffer.concat(names.map((name, id) => frame(query(name, id)))));
  for (const extra of [0, LARGE_BYTES, 0]) {
    const reply = await client.next();
    assert.equal(reply.length, query(names[reply.readUInt16BE(0)]!).length + extra);
  }
  const longest = 65_535 - query('held.test').length;
  setup.responder.held[0]!.answer(new Uint8Array(longest).fill(9));
  const reply = await client.next();
  assert.equal(reply.length, 65_535);
  assert.ok(reply.subarray(reply.length - longest).every((octet) => octet === 9));
  client.close();
  await expectEmpty(setup);
});

test('a message shorter than a header and a dropped one get no answer, and the next query does', async (t) => {
  const setup = await open(t);
  const client = await TcpClient.connect(setup.listeners.addresses[0]!);
  const messages = [new Uint8Array(0), new Uint8Array(11), query('drop.test', 1), query('now.test', 2)];
  client.send(Buffer.concat(messages.map(frame)));
  assert.equal((await client.next()).readUInt16BE(0), 2);
  client.close();
  await expectEmpty(setup);
});

test('a client that ends its side still gets what it asked for', async (t) => {
  const setup = await open(t);
  const client = await TcpClient.connect(setup.listeners.addresses[0]!);
  client.socket.end(Buffer.concat(['held.test', 'now.test', 'held.test'].map((name, id) => frame(query(name, id)))));
  assert.equal((await client.next()).readUInt16BE(0), 1);
  const [first, second] = setup.responder.held;
  second!.answer();
  assert.equal((await client.next()).readUInt16BE(0), 2);
  assert.equal(client.isClosed, false);
  first!.answer();
  assert.equal((await client.next()).readUInt16BE(0), 0);
  await client.closed();
  await expectEmpty(setup);
  assert.equal(setup.listeners.tcp[0]!.closed.client, 1);
});

test('a client that breaks the connection inside a message leaves nothing behind', async (t) => {
  const setup = await open(t);
  const client = await TcpClient.connect(setup.listeners.addresses[0]!);
  client.send(Buffer.concat([frame(query('now.test')), frame(query('now.test')).subarray(0, 20)]));
  await client.next();
  client.socket.resetAndDestroy();
  await expectEmpty(setup);
  assert.equal(setup.listeners.tcp[0]!.closed.reset, 1);
});

test('an answer for a client that is gone is dropped', async (t) => {
  const setup = await open(t);
  const client = await TcpClient.connect(setup.listeners.addresses[0]!);
  client.send(Buffer.concat([frame(query('held.test')), frame(query('held.test'))]));
  await until('both are held', () => setup.responder.held.length === 2);
  client.socket.resetAndDestroy();
  await expectEmpty(setup);
  setup.responder.held[0]!.answer();
  setup.responder.held[1]!.sink.drop();
  assert.equal(setup.listeners.buffers.writes, 0);
});

test('1,000 connections at once are all answered, and leave nothing behind', async (t) => {
  const setup = await open(t);
  const clients: TcpClient[] = [];
  for (let i = 0; i < 1000; i++) clients.push(await TcpClient.connect(setup.listeners.addresses[0]!));
  for (const [id, client] of clients.entries()) client.send(frame(query('now.test', id)));
  for (const [id, client] of clients.entries()) assert.equal((await client.next()).readUInt16BE(0), id);
  assert.equal(setup.listeners.counts.total, 1000);
  assert.equal(setup.listeners.counts.clients, 1);
  for (const client of clients) client.close();
  await expectEmpty(setup);
});

test('one client cannot take all connections, and all clients together cannot take more than the limit', async (t) => {
  const bounds = { total: bound(5), perClient: bound(3), paused: bound(1) };
  const setup = await open(
    t,
    [
      { host: '127.0.0.1', port: 0 },
      { host: '::1', port: 0 },
    ],
    { connectionBounds: bounds },
  );
  const [v4, v6] = setup.listeners.addresses;
  const clients: TcpClient[] = [];
  for (const server of [v4!, v4!, v4!, v6!, v6!]) clients.push(await TcpClient.connect(server));
  await until('all are accepted', () => setup.listeners.counts.total === 5);
  for (const client of clients) client.send(frame(query('now.test')));
  for (const client of clients) await client.next();

  await refused(v4!);
  assert.deepEqual(setup.listeners.tcp[0]!.refused, { total: 1, client: 0 });
  clients.pop()!.close();
  await until('there is room again', () => setup.listeners.counts.total === 4);
  await refused(v4!);
  assert.deepEqual(setup.listeners.tcp[0]!.refused, { total: 1, client: 1 });
  assert.deepEqual([bounds.total.hits, bounds.perClient.hits], [1, 1]);

  clients[0]!.close();
  await until('there is room for this client', () => setup.listeners.counts.total === 3);
  const next = await TcpClient.connect(v4!);
  next.send(frame(query('now.test', 9)));
  assert.equal((await next.next()).readUInt16BE(0), 9);
  for (const client of [...clients, next]) client.close();
  await expectEmpty(setup);
});

/** Whether the reset comes before or after the connection stands is up to the kernel. */
async function refused({ host, port }: Server): Promise<void> {
  const socket = connect(port, host).on('error', () => {});
  await new Promise((resolve) => socket.once('close', resolve));
  assert.equal(socket.bytesRead, 0);
}
