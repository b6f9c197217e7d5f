import type { Upstream } from '../upstream.ts';
import type { Policy } from './policy.ts';

/** Each in turn, beginning at a random one: agents that start together do not all ask the first. */
export class RoundRobin implements Policy {
  readonly keepsOrder = false;
  #turn: number;

  /** `random`: 0 to 1. */
  constructor(random: () => number) {
    this.#turn = Math.floor(random() * 0x10000);
  }

  choose(healthy: readonly Upstream[]): number {
    this.#turn = (this.#turn + 1) & 0x3fffffff;
    return this.#turn % healthy.length;
  }
}
