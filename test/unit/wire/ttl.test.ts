import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeMessage } from '../../../src/wire/codec.ts';
import { MessageScan } from '../../../src/wire/message-scan.ts';
import { capTtls, setTtls, subtractTtls } from '../../../src/wire/ttl.ts';
import { arbitraryReply } from '../../wire/arbitrary-message.ts';
import { embed, writeMessage } from '../../wire/message-writer.ts';

const ttlsOf = (octets: Uint8Array): number[] => {
  const { answers, authorities, additionals } = decodeMessage(octets);
  return [...answers, ...authorities, ...additionals].flatMap((record) =>
    record.type === 'OPT' ? [] : [record.ttl ?? -1],
  );
};

const fromWire = (ttl: number): number => (ttl > 0x7fffffff ? 0 : ttl);

/** TTLs before and after `change`, which must leave all else as it was. */
function changed(octets: Uint8Array, change: (bytes: Uint8Array, scan: MessageScan) => void): [number[], number[]] {
  const { bytes, start, end } = embed(octets);
  const scan = new MessageScan();
  assert.ok(scan.scan(bytes, start, end));
  const before = bytes.slice();
  change(bytes, scan);
  const after = ttlsOf(bytes.subarray(start, end));
  const untouched = bytes.slice();
  for (const offset of scan.ttlOffsets.subarray(0, scan.ttlCount)) {
    const at = scan.questionEnd + offset;
    untouched.set(before.subarray(at, at + 4), at);
  }
  assert.deepEqual(untouched, before);
  return [ttlsOf(octets).map(fromWire), after];
}

test('TTLs count down to 0 and no further', () => {
  fc.assert(
    fc.property(arbitraryReply, fc.oneof(fc.nat(1000), fc.nat(0x7fffffff)), (message, seconds) => {
      const [before, after] = changed(writeMessage(message), (bytes, scan) =>
        subtractTtls(bytes, scan.questionEnd, scan.ttlOffsets, 0, scan.ttlCount, seconds),
      );
      assert.deepEqual(
        after,
        before.map((ttl) => Math.max(0, ttl - seconds)),
      );
    }),
  );
});

test('TTLs can be set', () => {
  fc.assert(
    fc.property(arbitraryReply, fc.nat(0x7fffffff), (message, seconds) => {
      const [before, after] = changed(writeMessage(message), (bytes, scan) =>
        setTtls(bytes, scan.questionEnd, scan.ttlOffsets, 0, scan.ttlCount, seconds),
      );
      assert.deepEqual(
        after,
        before.map(() => seconds),
      );
    }),
  );
});

test('TTLs can be brought between two bounds', () => {
  fc.assert(
    fc.property(arbitraryReply, fc.nat(60), fc.integer({ min: 60, max: 86_400 }), (message, least, most) => {
      const [before, after] = changed(writeMessage(message), (bytes, scan) =>
        capTtls(bytes, scan.questionEnd, scan.ttlOffsets, 0, scan.ttlCount, least, most),
      );
      assert.deepEqual(
        after,
        before.map((ttl) => Math.min(most, Math.max(least, ttl))),
      );
    }),
  );
});

test('only the offsets that are named are changed', () => {
  const bytes = new Uint8Array(16);
  setTtls(bytes, 2, Uint16Array.of(0, 4, 8), 1, 1, 0x01020304);
  assert.deepEqual([...bytes], [0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 0, 0, 0, 0, 0, 0]);
  subtractTtls(bytes, 2, Uint16Array.of(0, 4, 8), 1, 1, 4);
  assert.deepEqual([...bytes.subarray(6, 10)], [1, 2, 3, 0]);
});
