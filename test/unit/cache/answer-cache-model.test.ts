import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CacheModel, type CacheModelOptions } from './answer-cache-model.ts';

const MIB = 1024 * 1024;
const STEPS = 250_000;
const STEPS_BETWEEN_CHECKS = 50_000;
/** Bodies are shorter than that, for a while each: the usual, small ones, large ones, all. */
const LONGEST = [300, 60, 8000, 300, 50_000];

function play(options: CacheModelOptions): CacheModel {
  const model = new CacheModel(options);
  try {
    for (let step = 1; step <= STEPS; step++) {
      const longest = LONGEST[Math.floor((step * LONGEST.length) / (STEPS + 1))]!;
      if (model.random.below(5) < 2) model.store(longest);
      else model.lookUp();
      model.nowMs += model.random.below(8);
      if (step % STEPS_BETWEEN_CHECKS === 0) model.assertCounts();
    }
  } catch (error) {
    throw new Error(`${JSON.stringify(options)}: ${(error as Error).message}`, { cause: error });
  }
  return model;
}

for (const options of [
  { bytes: MIB, seed: 31, names: 2000 },
  { bytes: 4 * MIB, seed: 32, names: 5000 },
]) {
  test(`what is found was stored for the question and is live, and nothing is lost from the counts: ${JSON.stringify(options)}`, () => {
    const { cache, found } = play(options);
    assert.ok(cache.evictions > 5000, `${cache.evictions} evictions`);
    assert.ok(found > STEPS / 25, `${found} found`);
  });
}

test('names whose hashes are the same are never taken for one another', () => {
  const { cache, found } = play({ bytes: MIB, seed: 33, names: 2000, hashMask: 0x3ff });
  assert.ok(cache.size < 1024 * 8 && found > STEPS / 100, `${found} found`);
});
