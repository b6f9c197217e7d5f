import type { Upstream } from '../upstream.ts';
import type { Policy } from './policy.ts';

/** One try in so many goes to another than the fastest, so that one that has become faster is noticed. */
const EXPLORE_EVERY = 16;

/** Those that take at most so much longer than the fastest are as fast: agents of many nodes do not all settle on the same one. */
const TIE_TIMES = 1.125;
const TIE_MS = 0.5;

/**
 * The one with the lowest smoothed round trip. One that has given no answer yet, since the start or since it came back, is asked before it is compared, though by
 * one question at a time. Questions without an answer count as long as they were waited for (`Upstream.onSilent`).
 */
export class Fastest implements Policy {
  readonly keepsOrder = false;
  readonly #random: () => number;
  #tries: number;

  /** `random`: 0 to 1. */
  constructor(random: () => number) {
    this.#random = random;
    this.#tries = Math.floor(random() * EXPLORE_EVERY);
  }

  choose(healthy: readonly Upstream[]): number {
    const { length } = healthy;
    if (length === 1) return 0;
    this.#tries = (this.#tries + 1) % EXPLORE_EVERY;
    let fastestMs = Number.POSITIVE_INFINITY;
    for (let i = 0; i < length; i++) {
      const { roundTrips, owed } = healthy[i]!;
      if (roundTrips.samples > 0) fastestMs = Math.min(fastestMs, roundTrips.smoothedMs);
      else if (owed.count === 0) return i;
    }
    const isExploring = this.#tries === 0;
    const limitMs = Math.max(fastestMs * TIE_TIMES, fastestMs + TIE_MS);
    const chosen = this.#oneOf(healthy, limitMs, isExploring);
    // All are as fast as the fastest, or none has answered yet.
    return chosen === -1 ? Math.floor(this.#random() * length) : chosen;
  }

  /** A random one of the fastest, or of the others; -1 where there is none. */
  #oneOf(healthy: readonly Upstream[], limitMs: number, isExploring: boolean): number {
    let chosen = -1;
    let seen = 0;
    for (let i = 0; i < healthy.length; i++) {
      const { samples, smoothedMs } = healthy[i]!.roundTrips;
      const isFastest = samples > 0 && smoothedMs <= limitMs;
      if (isFastest === isExploring) continue;
      seen++;
      if (this.#random() * seen < 1) chosen = i;
    }
    return chosen;
  }
}
