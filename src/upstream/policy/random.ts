import type { Upstream } from '../upstream.ts';
import type { Policy } from './policy.ts';

/** Any of them, each as likely as the others. */
export class RandomPolicy implements Policy {
  readonly keepsOrder = false;
  readonly #random: () => number;

  /** `random`: 0 to 1. */
  constructor(random: () => number) {
    this.#random = random;
  }

  choose(healthy: readonly Upstream[]): number {
    return Math.floor(this.#random() * healthy.length);
  }
}
