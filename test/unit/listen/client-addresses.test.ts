import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import type { SocketAddress } from '../../../src/config/config.ts';
import type { UdpKind } from '../../../src/listen/udp-listener.ts';
import { UDP_KINDS } from '../../../src/listen/udp-opener.ts';
import { decodeMessage, encodeQuestion, type Message } from '../../client/message.ts';
import { a, NODATA, SearchingWorld, TEAM1, USUAL_POD } from '../resolve/completion/searching-world.ts';
import { LOOPBACK, open, until } from './setup.ts';

const NAME = `www.example.com.${TEAM1}`;
const WORLD = { 'www.example.com A': a('www.example.com'), 'www.example.com AAAA': NODATA };
const POD = '127.0.0.77';
const STRANGER = '127.0.0.78';
const KINDS = process.platform === 'linux' ? UDP_KINDS : UDP_KINDS.filter((kind) => kind === 'portable');

function askUdp(t: TestContext, server: SocketAddress, from: string): Promise<Message> {
  const client = createSocket(from.includes(':') ? 'udp6' : 'udp4');
  t.after(() => client.close());
  const reply = once(client, 'message').then(([bytes]) => decodeMessage(bytes as Buffer));
  client.bind(0, from, () => client.send(encodeQuestion({ name: NAME, type: 'A' }), server.port, server.host));
  return reply;
}

async function askTcp(t: TestContext, server: SocketAddress, from: string): Promise<Message> {
  const socket = connect({ ...server, localAddress: from });
  t.after(() => socket.destroy());
  const question = encodeQuestion({ name: NAME, type: 'A' });
  socket.write(Buffer.concat([Buffer.from([0, question.length]), question]));
  const [chunk] = (await once(socket, 'data')) as [Buffer];
  return decodeMessage(chunk.subarray(2));
}

/** Answers upstream while the client waits. */
async function settled(world: SearchingWorld, asking: Promise<Message>): Promise<Message> {
  let reply: Message | undefined;
  void asking.then((message) => {
    reply = message;
  });
  await until('the answer', () => {
    void world.settle();
    return reply !== undefined;
  });
  return reply!;
}

function world(addresses: readonly string[]): SearchingWorld {
  const made = new SearchingWorld(WORLD);
  made.house.pods.set('uid-1', { ...USUAL_POD, addresses });
  made.house.pass(60_000);
  return made;
}

function openFor(t: TestContext, { house }: SearchingWorld, address: SocketAddress, kind: UdpKind) {
  return open(t, [address], { udpKinds: [kind], responder: house.responder, slab: house.cache.memory.bytes });
}

for (const kind of KINDS) {
  test(`${kind}: a pod is told from its neighbour, held or at once, over UDP and TCP`, async (t) => {
    const made = world([POD]);
    const { listeners } = await openFor(t, made, LOOPBACK, kind);
    const server = listeners.addresses[0]!;
    for (const ask of [askUdp, askTcp, askUdp, askTcp]) {
      const known = await settled(made, ask(t, server, POD));
      assert.deepEqual([known.rcode, known.answers.length], [0, 2]);
      const unknown = await settled(made, ask(t, server, STRANGER));
      assert.deepEqual([unknown.rcode, unknown.answers.length], [3, 0]);
    }
  });

  test(`${kind}: the same over IPv6, and where a wildcard is bound`, async (t) => {
    const made = world(['::1', POD]);
    const v6 = (await openFor(t, made, { host: '::1', port: 0 }, kind)).listeners.addresses[0]!;
    for (const ask of [askUdp, askTcp]) assert.equal((await settled(made, ask(t, v6, '::1'))).answers.length, 2);
    if (kind !== 'batched') return;
    const all = (await openFor(t, made, { host: '0.0.0.0', port: 0 }, kind)).listeners.addresses[0]!;
    const server = { host: '127.0.0.1', port: all.port };
    for (const ask of [askUdp, askTcp]) assert.equal((await settled(made, ask(t, server, POD))).answers.length, 2);
  });
}
