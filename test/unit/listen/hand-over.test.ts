import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import type { PassedSocket } from '../../../src/listen/listeners.ts';
import { duplicate } from '../../../src/native/descriptors.ts';
import { loadLibc } from '../../../src/native/libc.ts';
import { LOOPBACK, open, openUdp, query, type Setup, until } from './setup.ts';

const libc = await loadLibc();

/** What a successor of `first` is opened with: copies, as the kernel makes them on the way. */
function adoptFrom(first: Setup) {
  const passed = new Map<string, number>();
  for (const { protocol, address, descriptor } of first.listeners.passedSockets!) {
    passed.set(`${protocol} ${address.host} ${address.port}`, duplicate(libc, descriptor));
  }
  const adopt = (protocol: PassedSocket['protocol'], { host, port }: { host: string; port: number }) =>
    passed.get(`${protocol} ${host} ${port}`);
  return { adopt };
}

async function udpClient(t: TestContext, port: number): Promise<Socket> {
  const client = createSocket('udp4');
  client.connect(port, '127.0.0.1');
  await once(client, 'connect');
  t.after(() => client.close());
  return client;
}

async function ask(client: Socket, name: string, id = 1): Promise<void> {
  const reply = once(client, 'message');
  client.send(query(name, id));
  await reply;
}

async function askOverTcp(port: number): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  const message = query('a.', 5);
  socket.write(Buffer.concat([Buffer.from([0, message.length]), message]));
  await once(socket, 'data');
  socket.destroy();
}

for (const kind of ['batched', 'batched-dgram'] as const) {
  test(`${kind}: one reads while the other pauses, each in its turn, and no query is lost`, async (t) => {
    const first = await openUdp(t, kind, [LOOPBACK, { host: '::1', port: 0 }]);
    const { addresses } = first.listeners;
    const { port } = addresses[0]!;
    const second = await openUdp(t, kind, addresses, adoptFrom(first));
    assert.deepEqual(second.listeners.addresses, addresses);
    const client = await udpClient(t, port);
    for (let round = 0; round < 3; round++) {
      first.listeners.pause();
      const seen = first.responder.answered;
      for (let i = 0; i < 20; i++) await ask(client, 'a.');
      for (let i = 0; i < 5; i++) await askOverTcp(port);
      assert.equal(first.responder.answered, seen);

      // Both, for a moment: whoever comes first answers.
      await first.listeners.resume();
      for (let i = 0; i < 20; i++) await ask(client, 'a.');
      second.listeners.pause();
      const others = second.responder.answered;
      for (let i = 0; i < 20; i++) await ask(client, 'a.');
      for (let i = 0; i < 5; i++) await askOverTcp(port);
      assert.equal(second.responder.answered, others);
      await second.listeners.resume();
    }
  });

  test(`${kind}: whoever has a question in flight answers it, though it reads no more`, async (t) => {
    const first = await openUdp(t, kind);
    const { port } = first.listeners.addresses[0]!;
    const client = await udpClient(t, port);
    const reply = once(client, 'message');
    client.send(query('held.', 9));
    await until('the question is held', () => first.responder.held.length === 1);
    const second = await openUdp(t, kind, first.listeners.addresses, adoptFrom(first));
    first.listeners.pause();
    await ask(await udpClient(t, port), 'a.');
    assert.equal(second.responder.answered, 1);
    first.responder.held[0]!.answer();
    assert.equal((await reply)[0].readUInt16BE(0), 9);
  });

  test(`${kind}: one that pauses can be closed, and the sockets of the other stay`, async (t) => {
    const first = await openUdp(t, kind);
    const { port } = first.listeners.addresses[0]!;
    const second = await openUdp(t, kind, first.listeners.addresses, adoptFrom(first));
    first.listeners.pause();
    await first.listeners.close();
    await ask(await udpClient(t, port), 'a.');
    await askOverTcp(port);
    assert.equal(second.responder.answered, 2);
  });
}

test('a TCP connection stays with the one that accepted it, and is served on', async (t) => {
  const first = await open(t);
  const { port } = first.listeners.addresses[0]!;
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  await until('the connection is taken', () => first.listeners.tcp[0]!.connections === 1);
  const second = await open(t, first.listeners.addresses, adoptFrom(first));
  first.listeners.pause();
  await askOverTcp(port);
  assert.equal(second.responder.answered, 1);
  const message = query('a.', 5);
  socket.write(Buffer.concat([Buffer.from([0, message.length]), message]));
  await once(socket, 'data');
  assert.equal(first.responder.answered, 1);
  socket.destroy();
});

test('addresses that were yielded can be bound by another, and are had again when that one is gone', async (t) => {
  const first = await open(t);
  const { addresses } = first.listeners;
  const yielding = first.listeners.yield();
  const takeAgain = await yielding;
  const second = await open(t, addresses);
  await askOverTcp(addresses[0]!.port);
  assert.equal(second.responder.answered, 1);
  await assert.rejects(takeAgain(), { code: 'ERR_LISTEN_IN_USE' });
  await second.listeners.close();
  await takeAgain();
  assert.deepEqual(first.listeners.addresses, addresses);
  await ask(await udpClient(t, addresses[0]!.port), 'a.');
  assert.equal(first.responder.answered, 1);
});

test('addresses that are being had again when all is closed are free afterwards', async (t) => {
  const first = await open(t);
  const { addresses } = first.listeners;
  const takeAgain = await first.listeners.yield();
  const taking = takeAgain();
  await first.listeners.close();
  await taking;
  const second = await open(t, addresses);
  await second.listeners.close();
});

test('a kind that cannot pass its sockets says so', async (t) => {
  const { listeners } = await openUdp(t, 'portable');
  assert.equal(listeners.passedSockets, undefined);
});
