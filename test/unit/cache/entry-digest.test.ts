import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EntryDigest } from '../../../src/cache/entry-digest.ts';
import { encodeName } from '../../client/message.ts';
import { House } from '../resolve/house.ts';

const NAME = '_http._tcp.web.shop.svc.cluster.local';
/** The question's name, and the last 27 octets of it: `web.shop.svc.cluster.local.` */
const POINTER = Buffer.of(0xc0, 12);
const TO_WEB = Buffer.of(0xc0, 12 + 6 + 5);

interface Target {
  readonly name: Buffer;
  readonly port?: number;
}

function record(type: number, owner: Buffer, ttl: number, data: Buffer): Buffer {
  const fixed = Buffer.alloc(10);
  fixed.writeUInt16BE(type, 0);
  fixed.writeUInt16BE(1, 2);
  fixed.writeUInt32BE(ttl, 4);
  fixed.writeUInt16BE(data.length, 8);
  return Buffer.concat([owner, fixed, data]);
}

function srv(owner: Buffer, { name, port = 80 }: Target, ttl = 30): Buffer {
  return record(33, owner, ttl, Buffer.concat([Buffer.of(0, 0, 0, 100, port >> 8, port & 255), name]));
}

const label = (text: string): Buffer => Buffer.concat([Buffer.of(text.length), Buffer.from(text)]);

/** The digest of the entry that is made of these records. */
function digestOf(answers: readonly Buffer[], additionals: readonly Buffer[] = [], name = NAME): number {
  const house = new House();
  house.ask({ name, type: 'SRV' });
  const { message, questionEnd } = house.cluster.asked[0]!;
  const head = Buffer.from(message.subarray(0, questionEnd));
  head.writeUInt16BE(0x8180, 2);
  for (const [at, count] of [answers.length, 0, additionals.length].entries()) head.writeUInt16BE(count, 6 + 2 * at);
  house.cluster.answerBytes(Buffer.concat([head, ...answers, ...additionals]));
  const digests: number[] = [];
  house.cache.forEachOfPage(0, (at) => digests.push(new EntryDigest().of(house.cache.memory, at)));
  assert.equal(digests.length, 1);
  return digests[0]!;
}

test('order, TTLs, compression and case make no difference', () => {
  const short = Buffer.concat([label('a'), TO_WEB]);
  const long = encodeName('a.web.shop.svc.cluster.local');
  const other = encodeName('b.web.shop.svc.cluster.local');
  const expected = digestOf([srv(POINTER, { name: short }), srv(POINTER, { name: other })]);
  const same = [
    [srv(POINTER, { name: other }), srv(POINTER, { name: short })],
    [srv(POINTER, { name: long }, 5), srv(encodeName(NAME), { name: other }, 7)],
    [srv(POINTER, { name: encodeName('A.web.shop.SVC.cluster.local') }), srv(POINTER, { name: other })],
  ];
  for (const answers of same) assert.equal(digestOf(answers), expected);
  assert.equal(digestOf(same[0]!, [], NAME.toUpperCase()), expected);
});

test('another target, port, number of records, or address beside them does', () => {
  const a = { name: encodeName('a.web.shop.svc.cluster.local') };
  const b = { name: encodeName('b.web.shop.svc.cluster.local') };
  const address = (last: number): Buffer => record(1, a.name, 30, Buffer.of(10, 0, 0, last));
  const different = [
    digestOf([srv(POINTER, a)]),
    digestOf([srv(POINTER, b)]),
    digestOf([srv(POINTER, { ...a, port: 81 })]),
    digestOf([srv(POINTER, a), srv(POINTER, b)]),
    digestOf([srv(POINTER, a), srv(POINTER, a)]),
    digestOf([srv(POINTER, a)], [address(1)]),
    digestOf([srv(POINTER, a)], [address(2)]),
  ];
  assert.equal(new Set(different).size, different.length);
});
