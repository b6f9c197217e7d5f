/** Four buckets an octave from 1/8 ms: 64 of them reach 8 s, each within 19% of what it stands for. */
const BUCKETS = 64;
const PER_OCTAVE = 4;
const LOWEST_MS = 0.125;

/** After so many samples all counts are halved, so that what was long ago fades. */
const HALF_LIFE = 512;

/** The percentile is looked up anew after so many samples: walking 64 cells for each reply would show. */
const REFRESH = 32;

/** Like TCP's estimator (RFC 6298): each sample moves the mean by an eighth. */
const GAIN = 1 / 8;

/** What is seldom asked is known by its latest replies: after so long without one, the next moves the mean by half. */
const RARE_MS = 1000;
const RARE_GAIN = 1 / 2;

/** One slow name is no slow server: a sample moves the mean as if it were so many times the mean, and so much, at the most. Five in a row reach 20 ms from 1 ms. */
const OUTLIER_TIMES = 4;
const OUTLIER_MS = 20;

/** How long an upstream takes to answer: a moving mean, and the 95th percentile of recent replies. */
export class RoundTrips {
  readonly #counts = new Float32Array(BUCKETS);
  #total = 0;
  #sinceHalved = 0;
  #sinceRefreshed = 0;
  #p95Ms = 0;
  #lastMs = 0;
  /** The moving mean; 0 before the first sample. */
  smoothedMs = 0;
  samples = 0;

  add(roundTripMs: number, nowMs: number): void {
    const steps = Math.log2(roundTripMs / LOWEST_MS) * PER_OCTAVE;
    const bucket = steps > 0 ? Math.min(Math.floor(steps), BUCKETS - 1) : 0;
    this.#counts[bucket]!++;
    this.#total++;
    this.#smooth(roundTripMs, nowMs);
    this.samples++;
    if (++this.#sinceHalved >= HALF_LIFE) this.#halve();
    if (++this.#sinceRefreshed >= REFRESH || this.samples < REFRESH) this.#refresh();
  }

  #smooth(roundTripMs: number, nowMs: number): void {
    const gain = nowMs - this.#lastMs > RARE_MS ? RARE_GAIN : GAIN;
    this.#lastMs = nowMs;
    if (this.samples === 0) {
      this.smoothedMs = roundTripMs;
      return;
    }
    const boundedMs = Math.min(roundTripMs, this.smoothedMs * OUTLIER_TIMES + OUTLIER_MS);
    this.smoothedMs += (boundedMs - this.smoothedMs) * gain;
  }

  /** Begins anew: what was learnt before an outage says nothing about what comes after it. */
  forget(): void {
    this.#counts.fill(0);
    this.#total = 0;
    this.#sinceHalved = 0;
    this.#sinceRefreshed = 0;
    this.#p95Ms = 0;
    this.smoothedMs = 0;
    this.samples = 0;
  }

  /** The upper end of the bucket with the 95th percentile; 0 before the first sample. */
  get p95Ms(): number {
    return this.#p95Ms;
  }

  #refresh(): void {
    this.#sinceRefreshed = 0;
    let bucket = BUCKETS - 1;
    let above = this.#counts[bucket]!;
    while (bucket > 0 && above <= this.#total * 0.05) above += this.#counts[--bucket]!;
    this.#p95Ms = LOWEST_MS * 2 ** ((bucket + 1) / PER_OCTAVE);
  }

  #halve(): void {
    this.#sinceHalved = 0;
    this.#total = 0;
    for (let i = 0; i < BUCKETS; i++) {
      this.#counts[i]! *= 0.5;
      this.#total += this.#counts[i]!;
    }
  }
}
