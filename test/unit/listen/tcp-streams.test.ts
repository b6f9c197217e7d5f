import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import type { Client, ReplyStream } from '../../../src/resolve/client.ts';
import { HELD } from '../../../src/resolve/responder.ts';
import type { Reply } from '../../../src/wire/reply.ts';
import { frame, TcpClient } from '../../client/ask.ts';
import { bound, EchoResponder, expectEmpty, LOOPBACK, open, query, type Setup, until } from './setup.ts';

/** Opens a stream for `stream.`; the test writes to it. */
class StreamResponder extends EchoResponder {
  readonly streams: (ReplyStream | undefined)[] = [];
  drains = 0;
  gone = 0;

  override respond(bytes: Uint8Array, start: number, end: number, nowMs: number, client: Client, reply: Reply): number {
    if (bytes[start + 12] !== 6) return super.respond(bytes, start, end, nowMs, client, reply);
    const onDrain = (): void => void this.drains++;
    const onGone = (): void => void this.gone++;
    this.streams.push(client.holdStream({ onDrain, onGone }));
    return HELD;
  }
}

const STREAM = frame(query('stream.test', 7));

interface Streaming extends Setup {
  readonly streamed: StreamResponder;
  readonly client: TcpClient;
}

async function openStreams(t: TestContext, count = 1): Promise<Streaming> {
  const streamed = new StreamResponder();
  const setup = await open(t, [LOOPBACK], { responder: streamed });
  const client = await TcpClient.connect(setup.listeners.addresses[0]!);
  for (let i = 0; i < count; i++) client.send(STREAM);
  await until('the streams are open', () => streamed.streams.length === count);
  return { ...setup, streamed, client };
}

function message(id: number, length: number): Buffer {
  const bytes = Buffer.alloc(length, id);
  bytes.writeUInt16BE(id);
  return bytes;
}

/** Writes until the client takes no more; how many messages that were. */
function fill(stream: ReplyStream, length = 30_000): number {
  for (let written = 1; written < 1000; written++) if (!stream.write(message(9, length), 0, length)) return written;
  return assert.fail('never full');
}

/** Reads a connection by hand, so that it can be left alone. */
async function slowClient(setup: Setup): Promise<Socket> {
  const socket = connect(setup.listeners.addresses[0]!.port, '127.0.0.1');
  await once(socket, 'connect');
  socket.pause();
  return socket;
}

test('the messages of a stream come whole and in order, with answers to other questions in between', async (t) => {
  const { streamed, client } = await openStreams(t);
  const stream = streamed.streams[0]!;
  for (let id = 1; id <= 3; id++) stream.write(message(id, 1000 * id), 0, 1000 * id);
  client.send(frame(query('now.test', 77)));
  for (let id = 1; id <= 3; id++) assert.deepEqual(await client.next(), message(id, 1000 * id));
  assert.equal((await client.next()).readUInt16BE(0), 77);
  stream.write(message(4, 65_535), 0, 65_535);
  stream.end();
  assert.deepEqual(await client.next(), message(4, 65_535));
  client.close();
});

test('over UDP there are no streams', async (t) => {
  const { listeners } = await open(t);
  for (const udp of listeners.udp as unknown as Client[]) {
    assert.equal(udp.holdStream({ onDrain: () => {}, onGone: () => {} }), undefined);
  }
});

test('a stream is told when the client is slow, and when it has taken all', async (t) => {
  const streamed = new StreamResponder();
  const setup = await open(t, [LOOPBACK], { responder: streamed });
  const socket = await slowClient(setup);
  socket.write(STREAM);
  await until('the stream is open', () => streamed.streams.length === 1);
  assert.ok(fill(streamed.streams[0]!) > 1);
  assert.equal(streamed.drains, 0);
  socket.resume();
  await until('it has drained', () => streamed.drains === 1);
  streamed.streams[0]!.end();
  socket.destroy();
  await expectEmpty(setup);
});

test('while a stream waits for the client its other questions are read and answered', async (t) => {
  const streamed = new StreamResponder();
  const setup = await open(t, [LOOPBACK], { responder: streamed });
  const socket = await slowClient(setup);
  socket.write(STREAM);
  await until('the stream is open', () => streamed.streams.length === 1);
  fill(streamed.streams[0]!);
  for (let id = 0; id < 20; id++) socket.write(frame(query('now.test', id)));
  await until('all are answered', () => streamed.answered === 20);
  assert.equal(setup.listeners.counts.paused, 0);
  socket.destroy();
  await until('it is gone', () => streamed.gone === 1);
});

test('several streams that come in full flood stay within their room', async (t) => {
  const streamed = new StreamResponder();
  const setup = await open(t, [LOOPBACK], { responder: streamed });
  const socket = await slowClient(setup);
  for (let i = 0; i < 4; i++) socket.write(STREAM);
  await until('the streams are open', () => streamed.streams.length === 4);
  for (const stream of streamed.streams) fill(stream!, 65_535);
  // Each may be in the middle of what its server has sent already.
  for (const stream of streamed.streams) stream!.write(message(1, 65_535), 0, 65_535);
  assert.equal(setup.listeners.counts.total, 1);
  socket.destroy();
  await until('all are told', () => streamed.gone === 4);
});

test('a client that leaves ends its streams, and what is written after that goes nowhere', async (t) => {
  const { streamed, client, ...setup } = await openStreams(t, 3);
  streamed.streams[1]!.end();
  client.close();
  await until('they are told', () => {
    streamed.streams[0]!.write(message(1, 1000), 0, 1000);
    return streamed.gone === 2;
  });
  assert.equal(streamed.streams[0]!.write(message(1, 100), 0, 100), false);
  streamed.streams[0]!.end();
  await expectEmpty(setup);
});

test('a connection with a stream is not idle, and has 10 s again after its end', async (t) => {
  const { streamed, client, listeners, pass } = await openStreams(t);
  for (let i = 0; i < 5; i++) pass(10_000);
  assert.equal(listeners.counts.total, 1);
  streamed.streams[0]!.end();
  pass(9500);
  assert.equal(listeners.counts.total, 1);
  pass(1000);
  await client.closed();
});

test('a client that has ended its side gets the whole stream', async (t) => {
  const { streamed, client, ...setup } = await openStreams(t);
  client.socket.end();
  streamed.streams[0]!.write(message(5, 40_000), 0, 40_000);
  assert.deepEqual(await client.next(), message(5, 40_000));
  streamed.streams[0]!.end();
  await client.closed();
  await expectEmpty(setup);
});

test('a client that takes nothing of a stream for 10 s is closed, one that takes some is not', async (t) => {
  const streamed = new StreamResponder();
  const setup = await open(t, [LOOPBACK], { responder: streamed });
  const socket = await slowClient(setup);
  socket.write(STREAM);
  await until('the stream is open', () => streamed.streams.length === 1);
  const stream = streamed.streams[0]!;
  fill(stream);
  for (let i = 0; i < 4; i++) {
    setup.pass(6000);
    const { drains } = streamed;
    socket.resume();
    await until('it has taken all', () => streamed.drains > drains);
    socket.pause();
    fill(stream);
  }
  assert.equal(streamed.gone, 0);
  // What it took last counts for the first of these.
  setup.pass(10_500);
  setup.pass(10_500);
  await until('it is closed', () => streamed.gone === 1);
  assert.equal(setup.listeners.tcp[0]!.closed['slow-reader'], 1);
});

test('answers that are not of a stream still close a connection that takes none', async (t) => {
  const streamed = new StreamResponder();
  const bounds = { queries: bound(256), backlogBytes: bound(100_000) };
  const setup = await open(t, [LOOPBACK], { responder: streamed, bounds });
  const socket = await slowClient(setup);
  socket.on('error', () => {});
  socket.write(frame(query('stream.test', 1)));
  for (let id = 0; id < 200; id++) socket.write(frame(query('large.test', id)));
  await until('it is closed or read no more', () => streamed.gone === 1 || setup.listeners.counts.paused === 1);
  socket.destroy();
  await expectEmpty(setup);
});
