import type { Clock } from '../src/core/clock.ts';

/** Time that stands still until a test lets it pass. */
export class FakeClock implements Clock {
  #nowMs = 1_000_000;

  nowMs(): number {
    return this.#nowMs;
  }

  advance(ms: number): void {
    this.#nowMs += ms;
  }
}
