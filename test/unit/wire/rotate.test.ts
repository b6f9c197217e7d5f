import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeMessage } from '../../../src/wire/codec.ts';
import { MessageScan } from '../../../src/wire/message-scan.ts';
import { rotateGroup } from '../../../src/wire/rotate.ts';
import { arbitraryReply } from '../../wire/arbitrary-message.ts';
import { embed, writeMessage } from '../../wire/message-writer.ts';

test('a turn of all groups moves the first of each to its end, and nothing else', () => {
  const scan = new MessageScan();
  fc.assert(
    fc.property(arbitraryReply, fc.nat(6), (message, turns) => {
      const octets = writeMessage(message);
      const { bytes, start, end } = embed(octets);
      assert.ok(scan.scan(bytes, start, end));
      const before = decodeMessage(octets);
      const wanted = [...before.answers];
      for (let i = 0; i < scan.groupCount; i++) {
        const [offset, length, count] = scan.groups.subarray(3 * i, 3 * i + 3) as unknown as [number, number, number];
        const first = recordIndexAt(scan, offset);
        for (let turn = 0; turn < turns; turn++) {
          rotateGroup(bytes, scan.questionEnd + offset, length, count);
          const run = wanted.splice(first, count);
          wanted.splice(first, 0, ...run.slice(1), run[0]!);
        }
      }
      const poison = bytes.slice();
      poison.fill(0xc0, start, end);
      assert.deepEqual(new Set(poison), new Set([0xc0]), 'nothing outside is written');
      assert.deepEqual(decodeMessage(bytes.subarray(start, end)), { ...before, answers: wanted });
    }),
  );
});

/** The place in the answer of the record at `offset`: TTLs lie in order, one a record. */
function recordIndexAt(scan: MessageScan, offset: number): number {
  return scan.ttlOffsets.subarray(0, scan.ttlCount).findIndex((ttlOffset) => ttlOffset > offset);
}

test('a group of one stays as it is', () => {
  const bytes = Uint8Array.of(1, 2, 3, 4);
  rotateGroup(bytes, 1, 2, 1);
  assert.deepEqual([...bytes], [1, 2, 3, 4]);
});
