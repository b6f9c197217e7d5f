import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FrameQueue } from '../../../src/listen/frame-queue.ts';

test('messages come out as they went in, in order, however the two alternate', () => {
  const step = fc.oneof(fc.uint8Array({ maxLength: 3000 }), fc.constant('shift' as const));
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const queue = new FrameQueue();
      const expected: Uint8Array[] = [];
      for (const next of steps) {
        if (next === 'shift') expectNext(queue, expected);
        else {
          const surrounded = Uint8Array.from([1, ...next, 2]);
          queue.push(surrounded, 1, surrounded.length - 1);
          surrounded.fill(0);
          expected.push(next);
        }
        assert.equal(queue.isEmpty, expected.length === 0);
      }
      while (expected.length > 0) expectNext(queue, expected);
      assert.equal(queue.shift(), false);
    }),
  );
});

function expectNext(queue: FrameQueue, expected: Uint8Array[]): void {
  const message = expected.shift();
  assert.equal(queue.shift(), message !== undefined);
  if (message) assert.deepEqual(Buffer.from(queue.bytes.subarray(queue.start, queue.end)), Buffer.from(message));
}

test('the longest message passes through', () => {
  const queue = new FrameQueue();
  queue.push(new Uint8Array(65_535).fill(3), 0, 65_535);
  assert.equal(queue.shift(), true);
  assert.equal(queue.end - queue.start, 65_535);
  assert.equal(queue.bytes[queue.end - 1], 3);
});
