import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { DohQueue } from '../../../src/upstream/doh-queue.ts';
import { DohStream } from '../../../src/upstream/doh-stream.ts';
import { Probe, ROOT_QUESTION } from '../../../src/upstream/probe.ts';

const stream = (slot: number): DohStream => new DohStream(new Probe(ROOT_QUESTION, () => {}), slot);

test('what waits leaves in the order in which it came, whatever comes and goes meanwhile', () => {
  const queue = new DohQueue();
  let next = 0;
  let left = 0;
  for (const [pushes, shifts] of [
    [1, 1],
    [600, 300],
    [1, 299],
    [2000, 1],
    [0, 2001],
    [3, 0],
  ] as const) {
    for (let i = 0; i < pushes; i++) queue.push(stream(next++));
    for (let i = 0; i < shifts; i++, queue.shift()) assert.equal(queue.first?.slot, left++);
    assert.equal(queue.isEmpty, left === next);
  }
  assert.deepEqual(
    queue.takeAll().map(({ slot }) => slot),
    [left, left + 1, left + 2],
  );
  assert.equal(queue.first, undefined);
});

test('a queue that is never empty lets go of what has left', async () => {
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  const queue = new DohQueue();
  const left: WeakRef<DohStream>[] = [];
  queue.push(stream(0));
  for (let i = 1; i <= 10_000; i++) {
    queue.push(stream(i));
    left.push(new WeakRef(queue.first!));
    queue.shift();
  }
  // A weak reference holds on until the turn of the loop is over.
  await new Promise(setImmediate);
  collect();
  const kept = left.filter((each) => each.deref() !== undefined);
  assert.ok(kept.length <= 256, `${kept.length} of ${left.length} are still there`);
  assert.equal(queue.isEmpty, false);
});
