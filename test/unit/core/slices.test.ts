import assert from 'node:assert/strict';
import { test } from 'node:test';
import { atOnce, inSlices, type Steps } from '../../../src/core/slices.ts';

function* counting(steps: number, onStep: (step: number) => void = () => {}): Steps<number> {
  for (let i = 0; i < steps; i++) {
    onStep(i);
    yield;
  }
  return steps;
}

test('long work lets others have turns of the loop in between', async () => {
  let turns = 0;
  let timer = setImmediate(function again() {
    turns++;
    timer = setImmediate(again);
  });
  const busy = (): void => {
    const endMs = performance.now() + 0.05;
    while (performance.now() < endMs);
  };
  assert.equal(await inSlices(counting(400, busy)), 400);
  clearImmediate(timer);
  assert.ok(turns >= 2, `${turns} turns`);
});

test('short work is over before anything else runs', () => {
  let last = -1;
  void inSlices(counting(10, (step) => (last = step)));
  assert.equal(last, 9);
});

test('all of it can be done at once', () => {
  assert.equal(atOnce(counting(100_000)), 100_000);
});

test('what work throws comes to who waits for it', async () => {
  const failing = (): Steps<number> =>
    counting(100, (step) => {
      if (step === 40) throw new Error('no');
    });
  await assert.rejects(inSlices(failing()), /no/);
  assert.throws(() => atOnce(failing()), /no/);
});
