import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { BATCH } from '../../../src/native/batch-layout.ts';
import { DatagramBatch } from '../../../src/native/datagram-batch.ts';
import { loadLibc } from '../../../src/native/libc.ts';
import { encodeSockaddr } from '../../../src/native/sockaddr.ts';
import { UdpDescriptor } from '../../../src/native/udp-descriptor.ts';
import { until } from '../listen/setup.ts';

const skip = process.platform !== 'linux';
const SLAB = Uint8Array.from({ length: 4096 }, (_, i) => i * 31);

/** A batch on a socket of its own, and clients that keep what they hear. */
async function open(t: TestContext, ...hosts: string[]) {
  const libc = await loadLibc();
  const parts = { host: hosts[0]!, port: 0, receiveBufferBytes: 1 << 20, isWildcard: false };
  const descriptor = new UdpDescriptor(libc, parts);
  const clients = await Promise.all(hosts.map((host) => Ear.open(host)));
  t.after(() => {
    descriptor.close();
    for (const client of clients) client.socket.close();
  });
  return { batch: new DatagramBatch({ libc, descriptor, slab: SLAB }), descriptor, clients };
}

class Ear {
  readonly heard: Buffer[] = [];
  readonly expected: Buffer[] = [];
  readonly socket: Socket;
  readonly sockaddr: Uint8Array;

  private constructor(socket: Socket) {
    this.socket = socket;
    const { address, port } = socket.address();
    this.sockaddr = encodeSockaddr(address, port);
    socket.on('message', (message) => this.heard.push(message));
  }

  static async open(host: string): Promise<Ear> {
    const socket = createSocket({ type: host.includes(':') ? 'udp6' : 'udp4', recvBufferSize: 4 << 20 });
    socket.bind(0, host);
    await once(socket, 'listening');
    return new Ear(socket);
  }

  /** All came, none twice, each as it was put, and those of one length in their order. */
  async expectAll(): Promise<void> {
    await until('all have come', () => this.heard.length >= this.expected.length);
    const byLength = (a: Buffer, b: Buffer): number => a.length - b.length;
    assert.deepEqual(this.heard.sort(byLength), this.expected.sort(byLength));
  }
}

/** Puts one message for `ear`: its number, then filling; with `middle` octets of the slab inside, or in one piece. */
function put(batch: DatagramBatch, ear: Ear, number: number, length: number, middle = 0): void {
  const slot = batch.pending;
  const start = batch.start(slot);
  batch.bytes.fill(number, start, start + length).set([number >> 8, number & 255], start);
  batch.setEnvelope(slot, ear.sockaddr);
  const own = Buffer.from(batch.bytes.subarray(start, start + length));
  if (middle === 0) {
    batch.put(slot, length);
    ear.expected.push(own);
  } else {
    const tail = number % 2 === 0 ? 0 : 11;
    batch.putGathered(slot, length - tail, 7, 7 + middle, tail);
    const head = length - tail;
    ear.expected.push(Buffer.concat([own.subarray(0, head), SLAB.subarray(7, 7 + middle), own.subarray(head)]));
  }
}

/** Numbers below `bound`, the same for the same seed. */
function numbers(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return ((state >>> 8) * bound) >>> 24;
  };
}

test('every client hears what was sent to it, whatever clients, lengths and pieces a batch mixes', {
  skip,
}, async (t) => {
  const { batch, descriptor, clients } = await open(t, '127.0.0.1', '127.0.0.2', '127.0.0.1', '127.0.0.1');
  for (let seed = 1; seed <= 100; seed++) {
    const below = numbers(seed);
    const count = 1 + below(BATCH);
    const kinds = 1 + below(clients.length);
    for (let i = 0; i < count; i++) {
      const length = [40, 40, 40, 41, 60, 1232][below(6)]!;
      put(batch, clients[below(kinds)]!, seed * 64 + i, length, below(5) === 0 ? 300 : 0);
    }
    assert.equal(batch.send(), count);
    batch.clear();
    await until('the batch has come', () => clients.every(({ heard, expected }) => heard.length >= expected.length));
  }
  for (const client of clients) await client.expectAll();
  assert.equal(batch.sendErrors, 0);
  assert.ok(batch.segmented > 500, `${batch.segmented} left together with others`);
  assert.ok(descriptor.canSegment);
});

test('a client of the same port on another address is another, over IPv6 too', { skip }, async (t) => {
  const { batch, clients } = await open(t, '::1', '::1', '::1');
  for (let i = 0; i < BATCH; i++) put(batch, clients[i % 3]!, i, 50);
  assert.equal(batch.send(), BATCH);
  for (const client of clients) await client.expectAll();

  const four = await open(t, '127.0.0.1');
  const [first] = four.clients;
  const twin = createSocket('udp4');
  twin.bind(first!.socket.address().port, '127.0.0.3');
  await once(twin, 'listening');
  let heardByTwin = 0;
  twin.on('message', () => heardByTwin++);
  const sockaddr = encodeSockaddr('127.0.0.3', twin.address().port);
  for (let i = 0; i < BATCH; i++) {
    put(four.batch, first!, i, 50);
    if (i % 2 === 0) continue;
    four.batch.setEnvelope(i, sockaddr);
    first!.expected.pop();
  }
  assert.equal(four.batch.send(), BATCH);
  await until('the twin has heard its half', () => heardByTwin === BATCH / 2);
  await first!.expectAll();
  twin.close();
});

test('a full batch of the longest answers to one client is more than one piece may hold, and comes all the same', {
  skip,
}, async (t) => {
  const { batch, descriptor, clients } = await open(t, '127.0.0.1');
  for (let i = 0; i < BATCH; i++) put(batch, clients[0]!, i, 1232);
  assert.equal(batch.send(), BATCH);
  await clients[0]!.expectAll();
  assert.ok(descriptor.canSegment);
});

test('a client that nothing may be sent to costs others nothing, and segmentation goes on', { skip }, async (t) => {
  const { batch, descriptor, clients } = await open(t, '127.0.0.1');
  const nobody = encodeSockaddr('255.255.255.255', 9);
  for (let i = 0; i < 40; i++) {
    put(batch, clients[0]!, i, 50);
    if (i % 2 === 0) continue;
    batch.setEnvelope(i, nobody);
    clients[0]!.expected.pop();
  }
  assert.equal(batch.send(), 40);
  await clients[0]!.expectAll();
  assert.equal(batch.sendErrors, 20);
  assert.ok(descriptor.canSegment);
});
