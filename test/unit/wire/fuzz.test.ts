import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runCampaign, runSeeds } from '../../fuzz/campaign.ts';
import { mutate } from '../../fuzz/mutate.ts';
import { Random } from '../../fuzz/random.ts';
import { seeds } from '../../fuzz/seeds.ts';

const SEEDS = [1, 2, 3, 5, 8, 13, 21, 34];
const MUTANTS_A_SEED = 25_000;

for (const seed of SEEDS) {
  test(`no mutated packet makes wire code throw, or read or write outside it (seed ${seed})`, () => {
    runCampaign(seed, MUTANTS_A_SEED);
  });
}

test('the sound messages that mutants descend from pass too', () => {
  runSeeds();
});

test('the same seed makes the same mutants', () => {
  const mutants = (seed: number): string[] => {
    const random = new Random(seed);
    return Array.from({ length: 50 }, () => Buffer.from(mutate(seeds, random)).toString('hex'));
  };
  assert.deepEqual(mutants(7), mutants(7));
  assert.notDeepEqual(mutants(7), mutants(8));
});
