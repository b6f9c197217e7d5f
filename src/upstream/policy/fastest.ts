import type { Upstream } from '../upstream.ts';
import type { Policy } from './policy.ts';

/** One try in so many goes to any upstream, so that one that has become faster is noticed. */
const EXPLORE = 1 / 16;

/** The one with the lowest smoothed round trip; what has never answered is asked before it is compared. */
export class Fastest implements Policy {
  readonly #random: () => number;

  /** `random`: 0 to 1. */
  constructor(random: () => number) {
    this.#random = random;
  }

  choose(healthy: readonly Upstream[]): number {
    if (healthy.length > 1 && this.#random() < EXPLORE) return Math.floor(this.#random() * healthy.length);
    let best = 0;
    for (let i = 1; i < healthy.length; i++) {
      // 0 before the first answer.
      if (healthy[i]!.roundTrips.smoothedMs < healthy[best]!.roundTrips.smoothedMs) best = i;
    }
    return best;
  }
}
