import { mutate } from './mutate.ts';
import { Random } from './random.ts';
import { seeds } from './seeds.ts';
import { targets } from './targets.ts';

/** A mutant that broke a promise: what is needed to see it again. */
export class FuzzFailure extends Error {
  constructor(target: string, octets: Uint8Array, seed: number, cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super(`${target}: ${reason}\n  packet ${Buffer.from(octets).toString('hex')}\n  seed ${seed}`, { cause });
  }
}

/** Runs `count` mutants from one seed through the targets; the same seed makes the same mutants. Throws FuzzFailure at the first that fails. */
export function runCampaign(seed: number, count: number): void {
  const random = new Random(seed);
  for (let i = 0; i < count; i++) {
    const octets = mutate(seeds, random);
    for (const { name, run, share } of targets) {
      if (i % 16 >= share) continue;
      try {
        run(octets, random);
      } catch (error) {
        throw new FuzzFailure(name, octets, seed, error);
      }
    }
  }
}
