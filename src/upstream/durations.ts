/** Upper ends of CoreDNS's buckets, in seconds: 0.25 ms, doubled 15 times. */
export const DURATION_BOUNDS: readonly number[] = Array.from({ length: 16 }, (_, power) => 0.00025 * 2 ** power);

const CELLS = DURATION_BOUNDS.length + 1;
const RCODES = 16;

/** How long replies took, by rcode: typed-array cells, read when a scrape comes. */
export class Durations {
  readonly #counts = new Float64Array(RCODES * CELLS);
  readonly #sums = new Float64Array(RCODES);

  add(rcode: number, durationMs: number): void {
    const seconds = durationMs / 1000;
    let bucket = 0;
    while (bucket < CELLS - 1 && seconds > DURATION_BOUNDS[bucket]!) bucket++;
    this.#counts[rcode * CELLS + bucket]!++;
    this.#sums[rcode]! += seconds;
  }

  /** Adds what another has counted. */
  merge(other: Durations): void {
    for (let i = 0; i < this.#counts.length; i++) this.#counts[i]! += other.#counts[i]!;
    for (let i = 0; i < RCODES; i++) this.#sums[i]! += other.#sums[i]!;
  }

  /** Tells of each rcode that was seen: its counts by bucket, the last one for all longer ones, and its sum in seconds. */
  forEach(visit: (rcode: number, counts: Float64Array, sum: number) => void): void {
    for (let rcode = 0; rcode < RCODES; rcode++) {
      const counts = this.#counts.subarray(rcode * CELLS, (rcode + 1) * CELLS);
      if (counts.some((count) => count > 0)) visit(rcode, counts, this.#sums[rcode]!);
    }
  }
}
