import { blockSeeds, frameSeeds } from './http2-seeds.ts';
import { http2Targets } from './http2-targets.ts';
import { mutate } from './mutate.ts';
import { Random } from './random.ts';
import { seeds } from './seeds.ts';
import { type Target, targets } from './targets.ts';

/** A mutant that broke a promise: what is needed to see it again. */
export class FuzzFailure extends Error {
  constructor(target: string, octets: Uint8Array, seed: number, cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super(`${target}: ${reason}\n  packet ${Buffer.from(octets).toString('hex')}\n  seed ${seed}`, { cause });
  }
}

/** What is fuzzed, and what its mutants descend from; `share`: how many mutants in sixteen it gets, the dear ones fewer. */
const GROUPS: readonly {
  readonly seeds: readonly Uint8Array[];
  readonly share: number;
  readonly targets: readonly { readonly name: string; readonly run: Target; readonly share: number }[];
}[] = [
  { seeds, share: 16, targets },
  { seeds: blockSeeds, share: 4, targets: [{ name: 'header blocks', run: http2Targets.blocks, share: 16 }] },
  { seeds: frameSeeds, share: 4, targets: [{ name: 'HTTP/2', run: http2Targets.connection, share: 16 }] },
];

/** Runs `count` mutants from one seed through the targets; the same seed makes the same mutants. Throws FuzzFailure at the first that fails. */
export function runCampaign(seed: number, count: number): void {
  const random = new Random(seed);
  for (let i = 0; i < count; i++) {
    for (const group of GROUPS) {
      if (i % 16 >= group.share) continue;
      const octets = mutate(group.seeds, random);
      for (const { name, run, share } of group.targets) {
        if (i % 16 < share) runOne(name, run, octets, seed, random);
      }
    }
  }
}

/** The sound ones that mutants descend from. */
export function runSeeds(): void {
  const random = new Random(0);
  for (const group of GROUPS) {
    for (const octets of group.seeds) {
      for (const { name, run } of group.targets) runOne(name, run, octets, 0, random);
    }
  }
}

function runOne(name: string, run: Target, octets: Uint8Array, seed: number, random: Random): void {
  try {
    run(octets, random);
  } catch (error) {
    throw new FuzzFailure(name, octets, seed, error);
  }
}
