import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { silentLogger } from '../../../src/core/logger.ts';
import type { UdpKind } from '../../../src/listen/udp-listener.ts';
import { UDP_KINDS, UdpOpener } from '../../../src/listen/udp-opener.ts';
import { TrafficTable } from '../../../src/metrics/traffic-table.ts';
import { ZoneIds } from '../../../src/metrics/zone-ids.ts';
import type { Ask } from '../../../src/upstream/ask.ts';
import { decodeMessage, type Message as WireMessage } from '../../../src/wire/codec.ts';
import { encodeQuestion, type QuestionOptions } from '../../client/message.ts';
import { House } from '../resolve/house.ts';
import { LOOPBACK, until } from './setup.ts';

const QUESTIONS = 20_000;
/** In flight at once: three batches and a bit. */
const WINDOW = 200;

const COOKIE = Uint8Array.from([0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8]);
const ORIGIN = Uint8Array.from([0xfd, 0xf7, 0, 0]);

/** What is asked, and how: hits and misses of each size, local answers, errors, with and without EDNS. */
const FORMS: readonly ((n: number) => QuestionOptions)[] = [
  (n) => ({ name: `one${n}.example`, type: 'A' }),
  (n) => ({ name: `ONE${n}.eXample`, type: 'A', udpSize: 1232 }),
  (n) => ({ name: `one${n}.example`, type: 'A', dnssecOk: true, options: COOKIE }),
  (n) => ({ name: `six${n}.example`, type: 'A' }),
  (n) => ({ name: `long${n}.example`, type: 'TXT' }),
  (n) => ({ name: `long${n}.example`, type: 'TXT', udpSize: 900 }),
  (n) => ({ name: `long${n}.example`, type: 'TXT', udpSize: 4096 }),
  (n) => ({ name: `none${n}.example`, type: 'A', udpSize: 512 }),
  () => ({ name: 'version.bind', type: 'TXT', class: 3, options: ORIGIN, udpSize: 1232 }),
  () => ({ name: 'localhost', type: 'A' }),
  (n) => ({ name: `one${n}.example`, type: 'ANY', options: ORIGIN, udpSize: 1232 }),
  (n) => ({ name: `one${n}.example`, type: 'A', flags: 0x2900 }),
];

/** Questions in an order that is the same for every listener. Every tenth name is asked for the first time. */
function* questions(): Generator<Buffer> {
  let state = 3;
  const next = (bound: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
  for (let i = 0; i < QUESTIONS; i++) {
    const n = next(10) === 0 ? 1000 + i : next(50);
    yield encodeQuestion({ id: i & 0xffff, ...FORMS[next(FORMS.length)]!(n) });
  }
}

function sections({ message }: Ask): WireMessage & { flags?: number } {
  const { questions: asked } = decodeMessage(message);
  const { name } = asked![0]!;
  const kind = /^[a-z]+/.exec(name.toLowerCase())?.[0];
  const record = { name, ttl: 300, class: 'IN' as const };
  switch (kind) {
    case 'one':
      return { answers: [{ ...record, type: 'A', data: '192.0.2.1' }] };
    case 'six':
      return { answers: Array.from({ length: 6 }, (_, i) => ({ ...record, type: 'A', data: `192.0.2.${i}` })) };
    case 'long':
      return { answers: Array.from({ length: 9 }, (_, i) => ({ ...record, type: 'TXT', data: 'x'.repeat(90 + i) })) };
    default:
      return { flags: 0x0183 };
  }
}

/** Addresses turn from one answer to the next: six records of 16 octets, in their order. */
function ordered(reply: Buffer): Buffer {
  const at = reply.indexOf(Uint8Array.from([0xc0, 12, 0, 1, 0, 1]));
  if (reply.readUInt16BE(6) !== 6 || at === -1) return reply;
  const records = Array.from({ length: 6 }, (_, i) => reply.subarray(at + 16 * i, at + 16 * (i + 1)));
  return Buffer.concat([reply.subarray(0, at), ...records.sort(Buffer.compare), reply.subarray(at + 96)]);
}

/** Every reply that a listener of this kind gives, by the question's place in the order. */
async function replies(t: TestContext, kind: UdpKind): Promise<Buffer[]> {
  const house = new House(4 << 20);
  const opener = await UdpOpener.choose(silentLogger, [kind]);
  const { responder } = house;
  const traffics = new TrafficTable(new ZoneIds());
  const listener = await opener.open(LOOPBACK, {
    responder,
    traffics,
    clock: house.clock,
    slab: house.cache.memory.bytes,
  });
  const client = createSocket({ type: 'udp4', recvBufferSize: 4 << 20 });
  client.connect(listener.address.port, listener.address.host);
  await once(client, 'connect');
  const got: Buffer[] = [];
  let count = 0;
  let first = 0;
  client.on('message', (reply) => {
    // IDs are the lower 16 bits of the place; no window is longer than that.
    got[first + ((reply.readUInt16BE(0) - first) & 0xffff)] = reply;
    count++;
  });
  const all = [...questions()];
  t.after(() => client.close());
  for (; first < QUESTIONS; first += WINDOW) {
    for (const question of all.slice(first, first + WINDOW)) client.send(question);
    await until('all are answered', () => {
      while (house.outside.asked.length > 0) house.outside.answer(sections(house.outside.asked[0]!));
      return count === Math.min(first + WINDOW, QUESTIONS);
    });
  }
  await listener.finish();
  return got;
}

test('every kind of listener gives the same answers, to the octet', async (t) => {
  const expected = await replies(t, 'portable');
  const lengths = new Set(expected.map((reply) => reply.length));
  assert.ok(lengths.size > 20);
  assert.ok(expected.some((reply) => (reply[2]! & 2) !== 0) && expected.some((reply) => reply.length > 1000));
  for (const kind of UDP_KINDS) {
    if (kind === 'portable' || process.platform !== 'linux') continue;
    const got = await replies(t, kind);
    for (let i = 0; i < QUESTIONS; i++) {
      assert.equal(ordered(got[i]!).toString('hex'), ordered(expected[i]!).toString('hex'), `${kind}: question ${i}`);
    }
  }
});
