import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KIND_NEGATIVE, KIND_POSITIVE } from '../../../src/cache/entry-memory.ts';
import { Lifetime } from '../../../src/cache/lifetime.ts';
import type { CachePolicy } from '../../../src/config/config.ts';
import { encodeMessage, type Message } from '../../../src/wire/codec.ts';
import { MessageScan } from '../../../src/wire/message-scan.ts';
import { OUTSIDE } from '../resolve/house.ts';

const NAME = 'www.example.com';
const NXDOMAIN = 3;
const A = (ttl: number) => ({ type: 'A', name: NAME, ttl, data: '192.0.2.1' }) as const;
const CNAME = { type: 'CNAME', name: NAME, ttl: 300, data: 'gone.example.com' } as const;
const SOA = (ttl: number, minimum: number) =>
  ({
    type: 'SOA',
    name: 'example.com',
    ttl,
    data: { mname: 'ns.example.com', rname: 'a.example.com', serial: 1, refresh: 1, retry: 1, expire: 1, minimum },
  }) as const;

function judged(reply: Message, policy: Partial<CachePolicy>, isTruncated = false): [kind: number, seconds: number] {
  const bytes = encodeMessage({ type: 'response', questions: [{ type: 'A', name: NAME }], ...reply });
  const scan = new MessageScan();
  assert.ok(scan.scan(bytes, 0, bytes.length));
  const lifetime = new Lifetime();
  lifetime.judge(scan, { ...OUTSIDE, ...policy }, isTruncated);
  return [lifetime.kind, lifetime.seconds];
}

test('an answer lives as long as its TTL says, within the bounds of its zone', () => {
  const bounds = { positiveMinSeconds: 10, positiveMaxSeconds: 100, negativeMinSeconds: 1000 };
  assert.deepEqual(judged({ answers: [A(50)] }, bounds), [KIND_POSITIVE, 50]);
  assert.deepEqual(judged({ answers: [A(5)] }, bounds), [KIND_POSITIVE, 10]);
  assert.deepEqual(judged({ answers: [A(500)] }, bounds), [KIND_POSITIVE, 100]);
  assert.deepEqual(judged({ answers: [A(0)] }, bounds), [KIND_POSITIVE, 0], 'TTL 0 is not to be kept');
});

test('a "no" lives as long as the lesser of SOA TTL and MINIMUM, within bounds of its own', () => {
  const bounds = { negativeMinSeconds: 5, negativeMaxSeconds: 20, positiveMinSeconds: 1000 };
  for (const flags of [NXDOMAIN, 0]) {
    assert.deepEqual(judged({ flags, authorities: [SOA(15, 12)] }, bounds), [KIND_NEGATIVE, 12]);
    assert.deepEqual(judged({ flags, authorities: [SOA(2, 12)] }, bounds), [KIND_NEGATIVE, 5]);
    assert.deepEqual(judged({ flags, authorities: [SOA(900, 900)] }, bounds), [KIND_NEGATIVE, 20]);
    assert.deepEqual(
      judged({ flags }, bounds),
      [KIND_NEGATIVE, 0],
      'without a SOA it is not kept, whatever the minimum',
    );
    assert.deepEqual(judged({ flags, authorities: [SOA(15, 12)] }, bounds, true), [KIND_NEGATIVE, 0], 'truncated');
  }
});

test('a SOA beside an alias says that there is nothing at its end; beside what was asked it says nothing', () => {
  assert.deepEqual(judged({ answers: [CNAME], authorities: [SOA(15, 12)] }, {}), [KIND_NEGATIVE, 12]);
  assert.deepEqual(judged({ answers: [CNAME, A(60)], authorities: [SOA(900, 900)] }, {}), [KIND_POSITIVE, 60]);
});
