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

/** How long an upstream takes to answer: a moving mean, and the 95th percentile of recent replies. */
export class RoundTrips {
  readonly #counts = new Float32Array(BUCKETS);
  #total = 0;
  #sinceHalved = 0;
  #sinceRefreshed = 0;
  #p95Ms = 0;
  /** The moving mean; 0 before the first sample. */
  smoothedMs = 0;
  samples = 0;

  add(roundTripMs: number): void {
    const steps = Math.log2(roundTripMs / LOWEST_MS) * PER_OCTAVE;
    const bucket = steps > 0 ? Math.min(Math.floor(steps), BUCKETS - 1) : 0;
    this.#counts[bucket]!++;
    this.#total++;
    this.smoothedMs += this.samples === 0 ? roundTripMs : (roundTripMs - this.smoothedMs) * GAIN;
    this.samples++;
    if (++this.#sinceHalved >= HALF_LIFE) this.#halve();
    if (++this.#sinceRefreshed >= REFRESH || this.samples < REFRESH) this.#refresh();
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
