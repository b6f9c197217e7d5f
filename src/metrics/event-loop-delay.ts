/** How often the loop is asked. Four wake-ups a second cost nothing at rest; a stall of 250 ms or more is always seen. */
const SAMPLE_MS = 250;

export const DELAY_BOUNDS_SECONDS: readonly number[] = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5,
];

/**
 * How late the event loop runs what is due: all else that this process promises in milliseconds rests on it. Sampled by a timer of our own, for
 * Node's monitor wakes the process at its resolution and keeps percentiles, which cannot be summed up over nodes.
 */
export class EventLoopDelay {
  /** Samples by bucket of `DELAY_BOUNDS_SECONDS`, the last one above all. */
  readonly counts = new Float64Array(DELAY_BOUNDS_SECONDS.length + 1);
  sumSeconds = 0;
  #dueMs = 0;
  #timer: NodeJS.Timeout | undefined;

  start(): void {
    this.#dueMs = performance.now() + SAMPLE_MS;
    this.#timer = setTimeout(() => this.#sample(), SAMPLE_MS);
    this.#timer.unref();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Counts one sample. */
  add(seconds: number): void {
    let bucket = 0;
    while (bucket < DELAY_BOUNDS_SECONDS.length && seconds > DELAY_BOUNDS_SECONDS[bucket]!) bucket++;
    this.counts[bucket]!++;
    this.sumSeconds += seconds;
  }

  #sample(): void {
    this.add(Math.max(0, performance.now() - this.#dueMs) / 1000);
    this.start();
  }
}
