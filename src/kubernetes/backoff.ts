export interface BackoffOptions {
  readonly firstMs?: number;
  readonly mostMs?: number;
  /** Between 0 and 1; tests inject their own. */
  readonly random?: () => number;
}

/** The longest wait for what nobody has allowed, is not there, or cannot be read: it is not asked for every half minute by each of thousands of nodes. */
export const MOST_REFUSED_MS = 300_000;

/**
 * How long to wait before the next try: twice as long each time, up to a bound, and anything between half of that and all of it, so that thousands of nodes that lost the API
 * server in one moment do not come back in one.
 */
export class Backoff {
  readonly #firstMs: number;
  readonly #mostMs: number;
  readonly #random: () => number;
  #ceilingMs: number;

  constructor({ firstMs = 1000, mostMs = 30_000, random = Math.random }: BackoffOptions = {}) {
    this.#firstMs = firstMs;
    this.#mostMs = mostMs;
    this.#random = random;
    this.#ceilingMs = firstMs;
  }

  /** `atLeastMs`: what the server asked for. It is never below it, and is spread all the same. */
  next(atLeastMs = 0): number {
    const ceilingMs = this.#ceilingMs;
    this.#ceilingMs = Math.min(ceilingMs * 2, this.#mostMs);
    const waitMs = ceilingMs / 2 + (ceilingMs / 2) * this.#random();
    return Math.max(waitMs, atLeastMs + (atLeastMs / 4) * this.#random());
  }

  /** All went well: the next wait is a short one. */
  reset(): void {
    this.#ceilingMs = this.#firstMs;
  }
}
