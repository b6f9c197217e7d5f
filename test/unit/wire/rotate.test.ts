import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeMessage } from '../../../src/wire/codec.ts';
import { MessageScan } from '../../../src/wire/message-scan.ts';
import { rotateGroup, rotateUneven } from '../../../src/wire/rotate.ts';
import { arbitraryOpt, arbitraryPointers, arbitraryReply } from '../../wire/arbitrary-message.ts';
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
        if (length === 0) continue;
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

test('a turn of records of different lengths moves the first to the end, and its TTL is known there', () => {
  const scan = new MessageScan();
  const plain = fc.tuple(arbitraryReply, arbitraryPointers, fc.option(arbitraryOpt, { nil: undefined }), fc.nat(9));
  fc.assert(
    fc.property(plain, ([reply, pointers, opt, turns]) => {
      const message = {
        ...reply,
        answers: [...reply.answers, ...pointers],
        authorities: [],
        additionals: opt ? [opt] : [],
      };
      const octets = writeMessage(message, { compresses: false });
      const { bytes, start, end } = embed(octets);
      assert.ok(scan.scan(bytes, start, end));
      const at = 3 * scan.groupCount - 3;
      if (pointers.length === 1 && scan.groups[at + 1] !== 0) return;
      const [offset, length, count] = scan.groups.subarray(at, at + 3) as unknown as [number, number, number];
      assert.ok(length === 0 && count >= pointers.length);
      const before = decodeMessage(octets);
      const first = scan.ttlCount - count;
      for (let turn = 0; turn < turns; turn++) {
        rotateUneven(bytes, scan.questionEnd, offset, scan.recordsEnd, scan.ttlOffsets, first, count);
      }
      const run = before.answers.slice(first);
      const wanted = run.map((_, i) => run[(i + turns) % count]!);
      assert.deepEqual(decodeMessage(bytes.slice(start, end)), {
        ...before,
        answers: [...before.answers.slice(0, first), ...wanted],
      });
      const known = Array.from(scan.ttlOffsets.subarray(0, scan.ttlCount));
      assert.ok(scan.scan(bytes, start, end));
      assert.deepEqual(Array.from(scan.ttlOffsets.subarray(0, scan.ttlCount)), known);
      bytes.fill(0xc0, start, end);
      assert.deepEqual(new Set(bytes), new Set([0xc0]), 'nothing outside is written');
    }),
  );
});

test('the longest records change their places as others do', () => {
  const long = (letter: string) => ['a', 'b', 'c', 'd'].map((end) => (letter + end).padEnd(end === 'd' ? 61 : 63, 'x'));
  const pointers = ['p', 'q'].map((letter) => ({ owner: long('o'), type: 12, class: 1, ttl: 5, data: [long(letter)] }));
  const questions = [{ name: long('o'), type: 12, class: 1 }];
  const message = { id: 1, flags: 0x8180, questions, answers: pointers, authorities: [], additionals: [] };
  const octets = writeMessage(message, { compresses: false });
  const scan = new MessageScan();
  assert.ok(scan.scan(octets, 0, octets.length));
  assert.deepEqual([...scan.groups.subarray(0, 3 * scan.groupCount)], [0, 0, 2]);
  rotateUneven(octets, scan.questionEnd, 0, octets.length, scan.ttlOffsets, 0, 2);
  assert.deepEqual(octets, writeMessage({ ...message, answers: pointers.reverse() }, { compresses: false }));
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
