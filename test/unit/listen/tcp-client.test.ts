import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import type { ListenersParts } from '../../../src/listen/listeners.ts';
import { TCP_BOUNDS } from '../../../src/listen/tcp-parts.ts';
import { frame, TcpClient } from '../../client/ask.ts';
import { bound, expectEmpty, LARGE_BYTES, LOOPBACK, open, query, type Setup, until } from './setup.ts';

/** A setup, one connection, and how that is seen to end. */
async function openWithClient(t: TestContext, parts: Partial<ListenersParts> = {}) {
  const setup = await open(t, [LOOPBACK], parts);
  const client = await TcpClient.connect(setup.listeners.addresses[0]!);
  await until('it is accepted', () => setup.listeners.counts.total === 1);
  return { ...setup, setup, client, closed: setup.listeners.tcp[0]!.closed };
}

test('a connection that asks nothing is closed after 3 s', async (t) => {
  const { client, closed, pass, setup } = await openWithClient(t);
  pass(2999);
  assert.equal(setup.listeners.counts.total, 1);
  pass(501);
  await client.closed();
  await expectEmpty(setup);
  assert.equal(closed['first-query'], 1);
});

test('half a query, and messages that are none, do not put off the limit of the first one', async (t) => {
  const { client, closed, pass, setup } = await openWithClient(t);
  client.send(
    Buffer.concat([frame(new Uint8Array(3)), frame(query('drop.test')), frame(query('now.test')).subarray(0, 9)]),
  );
  pass(3500);
  await client.closed();
  await expectEmpty(setup);
  assert.equal(closed['first-query'], 1);
});

test('a connection is closed 10 s after its last query, not before', async (t) => {
  const { client, closed, pass, setup } = await openWithClient(t);
  for (let id = 0; id < 3; id++) {
    client.send(frame(query('now.test', id)));
    await client.next();
    pass(9999);
    assert.equal(setup.listeners.counts.total, 1);
  }
  pass(751);
  await client.closed();
  await expectEmpty(setup);
  assert.equal(closed.idle, 1);
});

test('a connection that waits for answers is not idle, and has 10 s again after the last one', async (t) => {
  const { client, closed, pass, responder, setup } = await openWithClient(t);
  client.send(frame(query('held.test', 6)));
  await until('it is held', () => responder.held.length === 1);
  for (let i = 0; i < 5; i++) pass(10_000);
  responder.held[0]!.answer();
  assert.equal((await client.next()).readUInt16BE(0), 6);
  pass(9999);
  assert.equal(setup.listeners.counts.total, 1);
  // What looks in every 10 s may have looked in right before.
  pass(751);
  await client.closed();
  await expectEmpty(setup);
  assert.equal(closed.idle, 1);
});

test('a message must end within 10 s of its first octet, however its octets come', async (t) => {
  const { client, closed, pass, setup } = await openWithClient(t);
  const next = frame(query('now.test'));
  client.send(Buffer.concat([frame(query('now.test')), next.subarray(0, 1)]));
  await client.next();
  for (let at = 1; at < 10; at++) {
    client.send(next.subarray(at, at + 1));
    pass(1000);
  }
  assert.equal(setup.listeners.counts.total, 1);
  pass(1751);
  await client.closed();
  await expectEmpty(setup);
  assert.equal(closed['unfinished-frame'], 1);
});

/** A client that asks for large answers and reads none; the connection is paused when it returns. */
async function openSlowReader(t: TestContext, count: number): Promise<{ setup: Setup; socket: Socket }> {
  const setup = await open(t);
  const { host, port } = setup.listeners.addresses[0]!;
  const socket = connect(port, host);
  await once(socket, 'connect');
  socket.pause();
  socket.write(Buffer.concat(Array.from({ length: count }, (_, id) => frame(query('large.test', id)))));
  await until('it is not read any more', () => setup.listeners.counts.paused === 1);
  return { setup, socket };
}

test('a client that does not read its answers is asked no more, and closed after 10 s', async (t) => {
  const { setup, socket } = await openSlowReader(t, 300);
  assert.ok(setup.responder.answered < 300, 'the rest waits');
  socket.on('error', () => {});
  setup.pass(9999);
  assert.equal(setup.listeners.counts.total, 1);
  setup.pass(751);
  await expectEmpty(setup);
  assert.equal(setup.listeners.tcp[0]!.closed['slow-reader'], 1);
  socket.destroy();
});

test('a client that reads late gets everything', async (t) => {
  const { setup, socket } = await openSlowReader(t, 300);
  const length = 300 * (frame(query('large.test')).length + LARGE_BYTES);
  let received = 0;
  socket.on('data', (chunk) => {
    received += chunk.length;
  });
  socket.resume();
  await until('all has come', () => received === length);
  assert.equal(setup.responder.answered, 300);
  socket.destroy();
  await expectEmpty(setup);
});

test('late answers that a client does not take close it at the bound', async (t) => {
  const bounds = { queries: bound(1000), backlogBytes: bound(200_000) };
  const setup = await open(t, [LOOPBACK], { bounds });
  const { host, port } = setup.listeners.addresses[0]!;
  const socket = connect(port, host).on('error', () => {});
  socket.pause();
  socket.write(Buffer.concat(Array.from({ length: 500 }, (_, id) => frame(query('held.test', id)))));
  await until('all are held', () => setup.responder.held.length === 500);
  for (const question of setup.responder.held) question.answer(new Uint8Array(60_000));
  await expectEmpty(setup);
  assert.equal(bounds.backlogBytes.hits, 1);
  assert.equal(setup.listeners.tcp[0]!.closed['slow-reader'], 1);
  socket.destroy();
});

test('1,000 queries at once are asked a few at a time, and all answered', async (t) => {
  const bounds = { ...TCP_BOUNDS, queries: bound(8) };
  const { client, responder, setup } = await openWithClient(t, { bounds });
  client.send(Buffer.concat(Array.from({ length: 1000 }, (_, id) => frame(query('held.test', id)))));
  for (let answered = 0; answered < 1000; ) {
    await until('some are held', () => responder.held.length > 0);
    assert.ok(responder.held.length <= 8, `${responder.held.length} in flight`);
    for (const question of responder.held.splice(0)) {
      question.answer();
      answered++;
      assert.ok(responder.held.length <= 8);
    }
  }
  for (let id = 0; id < 1000; id++) assert.equal((await client.next()).readUInt16BE(0), id);
  assert.ok(bounds.queries.hits > 0);
  client.close();
  await expectEmpty(setup);
});

test('a client that asks much and ends its side at once gets every answer, then the end', async (t) => {
  const bounds = { ...TCP_BOUNDS, queries: bound(8) };
  const { client, closed, responder, setup } = await openWithClient(t, { bounds });
  client.socket.end(Buffer.concat(Array.from({ length: 100 }, (_, id) => frame(query('held.test', id)))));
  for (let answered = 0; answered < 100; answered++) {
    await until('one is held', () => responder.held.length > 0);
    responder.held.shift()!.answer();
  }
  for (let id = 0; id < 100; id++) assert.equal((await client.next()).readUInt16BE(0), id);
  await client.closed();
  await expectEmpty(setup);
  assert.equal(closed.client, 1);
});

test('a client that ends its side and reads late gets every answer, then the end', async (t) => {
  const { setup, socket } = await openSlowReader(t, 300);
  socket.end();
  const ended = once(socket, 'end');
  socket.on('data', () => {});
  socket.resume();
  await ended;
  assert.equal(socket.bytesRead, 300 * (frame(query('large.test')).length + LARGE_BYTES));
  await expectEmpty(setup);
});

test('where too many connections have to wait, the next one is closed', async (t) => {
  const connectionBounds = { total: bound(10), perClient: bound(10), paused: bound(1) };
  const bounds = { ...TCP_BOUNDS, queries: bound(2) };
  const { client, closed, listeners, responder, setup } = await openWithClient(t, { bounds, connectionBounds });
  const three = Buffer.concat([1, 2, 3].map((id) => frame(query('held.test', id))));
  client.send(three);
  await until('it waits', () => listeners.counts.paused === 1);
  const other = await TcpClient.connect(listeners.addresses[0]!);
  other.send(three);
  await other.closed();
  await until('it is gone', () => listeners.counts.total === 1);
  assert.equal(closed.overload, 1);
  assert.equal(connectionBounds.paused.hits, 1);
  while (responder.held.length > 0) responder.held.shift()!.answer();
  for (const id of [1, 2, 3]) assert.equal((await client.next()).readUInt16BE(0), id);
  client.close();
  await expectEmpty(setup);
});
