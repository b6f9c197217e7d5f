import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import type { SocketAddress } from '../../../src/config/config.ts';
import { UDP_KINDS } from '../../../src/listen/udp-opener.ts';
import { exchangeUdp } from '../../client/ask.ts';
import { BODY_BYTES, expectEmpty, LARGE_BYTES, LOOPBACK, openUdp, query, SLAB, until } from './setup.ts';

for (const kind of UDP_KINDS) {
  const skip = kind !== 'portable' && process.platform !== 'linux';

  test(`${kind}: each address answers from itself`, { skip }, async (t) => {
    const hosts = ['127.0.0.1', '127.0.0.2', '::1'];
    const setup = await openUdp(
      t,
      kind,
      hosts.map((host) => ({ host, port: 0 })),
    );
    assert.deepEqual(
      setup.listeners.addresses.map(({ host }) => host),
      hosts,
    );
    // The socket of the client is connected, so it would not hear another address.
    for (const address of setup.listeners.addresses) {
      const reply = await exchangeUdp(address, query('now.test', 500));
      assert.equal(reply.readUInt16BE(0), 500);
      assert.equal(reply.length, query('now.test').length);
    }
    assert.deepEqual(
      setup.traffics.listeners().map(({ server, proto, family }) => `${server} ${proto} ${family}`),
      setup.listeners.addresses.flatMap(({ host, port }) =>
        ['tcp', 'udp'].map((proto) =>
          host === '::1' ? `dns://[::1]:${port} ${proto} 2` : `dns://${host}:${port} ${proto} 1`,
        ),
      ),
    );
  });

  test(`${kind}: every reply of a burst holds the bytes of its own query`, { skip }, async (t) => {
    const setup = await openUdp(t, kind);
    const { socket, replies } = await openClient(t, setup.listeners.addresses[0]!);
    for (let round = 0; round < 10; round++) {
      replies.length = 0;
      const names = Array.from({ length: 50 }, (_, i) => `now${i}.${'x'.repeat(i)}.test`);
      for (const [id, name] of names.entries()) socket.send(query(name, id));
      await until('all are answered', () => replies.length === 50);
      for (const reply of replies) {
        const id = reply.readUInt16BE(0);
        const expected = query(names[id]!, id);
        expected[2]! |= 0x80;
        assert.deepEqual(reply, expected);
      }
    }
  });

  test(`${kind}: a reply longer than usual goes out whole`, { skip }, async (t) => {
    const setup = await openUdp(t, kind);
    const reply = await exchangeUdp(setup.listeners.addresses[0]!, query('large.test'));
    assert.equal(reply.length, query('large.test').length + LARGE_BYTES);
    assert.equal((await exchangeUdp(setup.listeners.addresses[0]!, query('now.test', 3))).readUInt16BE(0), 3);
  });

  test(`${kind}: a reply gathered from the slab is whole, between others and after a message that gets none`, {
    skip,
  }, async (t) => {
    const setup = await openUdp(t, kind);
    const { socket, replies } = await openClient(t, setup.listeners.addresses[0]!);
    const names = ['now.test', 'drop.test', 'slab.test', 'held.test', 'slab.longer.test', 'now.test', 'slab.test'];
    for (let round = 0; round < 20; round++) {
      replies.length = 0;
      for (const [id, name] of names.entries()) socket.send(query(name, id));
      await until('all but two are answered', () => replies.length === 5);
      for (const reply of replies) {
        const id = reply.readUInt16BE(0);
        const head = query(names[id]!, id);
        head[2]! |= 0x80;
        const isGathered = names[id]!.startsWith('slab');
        const rest = isGathered
          ? Buffer.concat([SLAB.subarray(5, 5 + BODY_BYTES), Uint8Array.of(0, 1, 2)])
          : Buffer.alloc(0);
        assert.deepEqual(reply, Buffer.concat([head, rest]));
      }
    }
    for (const question of setup.responder.held) question.sink.drop();
  });

  test(`${kind}: late answers reach the client that asked`, { skip }, async (t) => {
    const setup = await openUdp(t, kind);
    const [server] = setup.listeners.addresses;
    const first = await openClient(t, server!);
    const second = await openClient(t, server!);
    first.socket.send(query('held.test', 1));
    await until('the first is held', () => setup.responder.held.length === 1);
    second.socket.send(query('held.test', 2));
    await until('the second is held', () => setup.responder.held.length === 2);
    assert.equal(setup.listeners.udp[0]!.held, 2);
    for (const question of setup.responder.held.toReversed()) question.answer();
    await until('both are answered', () => first.replies.length + second.replies.length === 2);
    assert.equal(first.replies[0]!.readUInt16BE(0), 1);
    assert.equal(second.replies[0]!.readUInt16BE(0), 2);
    await expectEmpty(setup);
  });

  test(`${kind}: an answer to a client that has closed its socket harms nobody`, { skip }, async (t) => {
    const setup = await openUdp(t, kind);
    const [server] = setup.listeners.addresses;
    const gone = createSocket('udp4');
    gone.send(query('held.test', 1), server!.port, server!.host);
    await until('it is held', () => setup.responder.held.length === 1);
    gone.close();
    await once(gone, 'close');
    setup.responder.held[0]!.answer();
    assert.equal((await exchangeUdp(server!, query('now.test', 8))).readUInt16BE(0), 8);
    await expectEmpty(setup);
  });

  test(`${kind}: an empty datagram and a dropped message get no answer`, { skip }, async (t) => {
    const setup = await openUdp(t, kind, [LOOPBACK]);
    const { socket, replies } = await openClient(t, setup.listeners.addresses[0]!);
    for (const message of [Buffer.alloc(0), query('drop.test', 1), query('held.test', 2), query('now.test', 3)]) {
      socket.send(message);
    }
    await until('the last is answered', () => replies.some((reply) => reply.readUInt16BE(0) === 3));
    setup.responder.held[0]!.sink.drop();
    await expectEmpty(setup);
    assert.equal(replies.length, 1);
  });

  test(`${kind}: the kernel grants a receive buffer, and says how big`, { skip }, async (t) => {
    const setup = await openUdp(t, kind);
    const usual = createSocket('udp4');
    usual.bind(0, '127.0.0.1');
    await once(usual, 'listening');
    assert.ok(setup.listeners.udp[0]!.receiveBufferBytes >= usual.getRecvBufferSize());
    usual.close();
  });
}

async function openClient(t: TestContext, server: SocketAddress): Promise<{ socket: Socket; replies: Buffer[] }> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 4 * 1024 * 1024 });
  t.after(() => socket.close());
  socket.connect(server.port, server.host);
  await once(socket, 'connect');
  const replies: Buffer[] = [];
  socket.on('message', (message) => replies.push(message));
  return { socket, replies };
}
