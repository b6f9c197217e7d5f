/**
 * The long mode of the fuzzer: `npm run fuzz -- --seconds 600`, or `--seed N` to see a failure again. The short one, with fixed seeds, is
 * in the unit tests.
 */
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { FuzzFailure, runCampaign } from './fuzz/campaign.ts';

const MUTANTS_A_SEED = 20_000;
const { values } = parseArgs({ options: { seconds: { type: 'string', default: '60' }, seed: { type: 'string' } } });
const seconds = Number(values.seconds);
const first = values.seed === undefined ? randomInt(2 ** 31) : Number(values.seed);
if (!(seconds > 0) || !Number.isSafeInteger(first)) {
  console.error('Usage: npm run fuzz -- [--seconds N] [--seed N], both numbers');
  process.exit(2);
}

const startMs = performance.now();
const elapsedMs = (): number => performance.now() - startMs;
console.log(`seed ${first}, ${seconds} s`);
let mutants = 0;
try {
  for (let seed = first; elapsedMs() < seconds * 1000; seed++) {
    runCampaign(seed, MUTANTS_A_SEED);
    mutants += MUTANTS_A_SEED;
  }
} catch (error) {
  if (!(error instanceof FuzzFailure)) throw error;
  console.error(error.message);
  console.error(error.cause);
  process.exitCode = 1;
}
console.log(`${mutants} mutants, ${Math.round((mutants * 1000) / elapsedMs())} a second`);
