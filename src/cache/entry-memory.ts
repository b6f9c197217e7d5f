/**
 * Cached answers as bytes. An entry is one record of this layout, little endian as the machine has it, at an offset that is a multiple of 16:
 *
 *    0  f64  freshUntilMs   monotonic
 *    8  f64  refreshAtMs    from then on a popular entry is refreshed; Infinity: never; of a kept one: when it is kept no longer
 *   16  f64  recheckAtMs    a stale entry whose refresh failed is served without a new attempt until then; below 0: LEASED, or OUTDATED less that time
 *   24  u32  key            of the index, so that a slot can be traced back to it
 *   28  u32  ttlSeconds     the lowest TTL as it stands in the records now
 *   32  u16  units          length of the whole in 16 bytes; 0: the slot is free
 *   34  u16  kind           KIND_*
 *   36  u16  state          STATE_* bits; number of the image that has it, see image-writer.ts; DO and CD of the question in the two topmost
 *   38  u16  flags          AA, TC, AD of the header
 *   40  u16  rcode          12 bits
 *   42  u16  zone           number of the zone that it was asked under
 *   44  u16  hits           in its life, not beyond 65,535
 *   46  u16  questionLength
 *   48  u16  bodyLength
 *   50  u16  answers, 52 authorities, 54 additionals
 *   56  u16  ttlCount, 58 groupCount, 60 optionsLength
 *   62  u16  generation    of the drops before it, see drops.ts
 *   64       question (name, type, class) | body (records) | options (EDE, whole) | pad to 2 | TTL offsets (u16) | groups (u16 x 3)
 *
 * The fixed part is one cache line. Offsets of TTLs and groups count from the start of the body. A group is a run of records that rotate: where the first one begins,
 * length of each, count. Length 0: of different lengths; they are the last ones of the body, and each reply that rotates them sets their TTL offsets anew, which stand just before
 * the groups.
 */
export class EntryMemory {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly u16: Uint16Array;
  readonly u32: Uint32Array;
  readonly f64: Float64Array;

  constructor(byteLength: number) {
    const buffer = new ArrayBuffer(Math.ceil(byteLength / 16) * 16);
    this.bytes = new Uint8Array(buffer);
    this.u16 = new Uint16Array(buffer);
    this.u32 = new Uint32Array(buffer);
    this.f64 = new Float64Array(buffer);
  }

  freshUntilMs(at: number): number {
    return this.f64[at >> 3]!;
  }

  setFreshUntilMs(at: number, timeMs: number): void {
    this.f64[at >> 3] = timeMs;
  }

  refreshAtMs(at: number): number {
    return this.f64[(at >> 3) + 1]!;
  }

  setRefreshAtMs(at: number, timeMs: number): void {
    this.f64[(at >> 3) + 1] = timeMs;
  }

  recheckAtMs(at: number): number {
    const timeMs = this.f64[(at >> 3) + 2]!;
    return timeMs > OUTDATED ? timeMs : OUTDATED - timeMs;
  }

  /** Ends a lease. What is out of date stays so. */
  setRecheckAtMs(at: number, timeMs: number): void {
    this.f64[(at >> 3) + 2] = this.isOutdated(at) ? OUTDATED - timeMs : timeMs;
  }

  /** It is known that what it says has changed. */
  isOutdated(at: number): boolean {
    return this.f64[(at >> 3) + 2]! <= OUTDATED;
  }

  setOutdated(at: number): void {
    this.f64[(at >> 3) + 2] = OUTDATED;
  }

  /** It may be said on after its time until `refreshAtMs`, for who would know of a change says that there was none. */
  isLeased(at: number): boolean {
    return this.f64[(at >> 3) + 2] === LEASED;
  }

  setLeased(at: number, untilMs: number): void {
    this.f64[(at >> 3) + 1] = untilMs;
    this.f64[(at >> 3) + 2] = LEASED;
  }

  key(at: number): number {
    return this.u32[(at >> 2) + 6]! | 0;
  }

  ttlSeconds(at: number): number {
    return this.u32[(at >> 2) + 7]!;
  }

  setTtlSeconds(at: number, seconds: number): void {
    this.u32[(at >> 2) + 7] = seconds;
  }

  /** Bytes of the whole entry; 0: nothing lives here. */
  length(at: number): number {
    return this.u16[(at >> 1) + 16]! << 4;
  }

  /** Marks the slot as free. */
  release(at: number): void {
    this.u16[(at >> 1) + 16] = 0;
  }

  kind(at: number): number {
    return this.u16[(at >> 1) + 17]!;
  }

  has(at: number, stateBit: number): boolean {
    return (this.u16[(at >> 1) + 18]! & stateBit) !== 0;
  }

  mark(at: number, stateBit: number): void {
    this.u16[(at >> 1) + 18]! |= stateBit;
  }

  unmark(at: number, stateBit: number): void {
    this.u16[(at >> 1) + 18]! &= ~stateBit;
  }

  /** DO and CD of the question, as in `key.ts`. */
  dnssecBits(at: number): number {
    return this.u16[(at >> 1) + 18]! >> DNSSEC_SHIFT;
  }

  /** Number of the image that this entry was last written to; 0: none. */
  imageNumber(at: number): number {
    return (this.u16[(at >> 1) + 18]! & IMAGE_BITS) >> IMAGE_SHIFT;
  }

  /** `number`: up to MOST_IMAGES. */
  setImageNumber(at: number, number: number): void {
    const index = (at >> 1) + 18;
    this.u16[index] = (this.u16[index]! & ~IMAGE_BITS) | (number << IMAGE_SHIFT);
  }

  flags(at: number): number {
    return this.u16[(at >> 1) + 19]!;
  }

  rcode(at: number): number {
    return this.u16[(at >> 1) + 20]!;
  }

  zone(at: number): number {
    return this.u16[(at >> 1) + 21]!;
  }

  hits(at: number): number {
    return this.u16[(at >> 1) + 22]!;
  }

  setHits(at: number, hits: number): void {
    this.u16[(at >> 1) + 22] = hits;
  }

  /** Counts one hit; returns how many there have been with it. */
  countHit(at: number): number {
    const index = (at >> 1) + 22;
    const hits = this.u16[index]!;
    if (hits === 0xffff) return hits;
    this.u16[index] = hits + 1;
    return hits + 1;
  }

  questionLength(at: number): number {
    return this.u16[(at >> 1) + 23]!;
  }

  bodyLength(at: number): number {
    return this.u16[(at >> 1) + 24]!;
  }

  answers(at: number): number {
    return this.u16[(at >> 1) + 25]!;
  }

  authorities(at: number): number {
    return this.u16[(at >> 1) + 26]!;
  }

  additionals(at: number): number {
    return this.u16[(at >> 1) + 27]!;
  }

  ttlCount(at: number): number {
    return this.u16[(at >> 1) + 28]!;
  }

  groupCount(at: number): number {
    return this.u16[(at >> 1) + 29]!;
  }

  optionsLength(at: number): number {
    return this.u16[(at >> 1) + 30]!;
  }

  generation(at: number): number {
    return this.u16[(at >> 1) + 31]!;
  }

  setGeneration(at: number, generation: number): void {
    this.u16[(at >> 1) + 31] = generation;
  }

  bodyStart(at: number): number {
    return at + ENTRY_HEADER + this.questionLength(at);
  }

  optionsStart(at: number): number {
    return this.bodyStart(at) + this.bodyLength(at);
  }

  /** Index into `u16` of the first TTL offset. */
  ttlIndex(at: number): number {
    return (this.optionsStart(at) + this.optionsLength(at) + 1) >> 1;
  }

  /** Index into `u16` of the first group (offset, record length or 0, count). */
  groupIndex(at: number): number {
    return this.ttlIndex(at) + this.ttlCount(at);
  }
}

export const ENTRY_HEADER = 64;

/** In place of `recheckAtMs`: none. */
const LEASED = -1;
const OUTDATED = -2;

/** An answer with records of what was asked. */
export const KIND_POSITIVE = 0;
/** NXDOMAIN or NODATA, proved by a SOA record (RFC 2308). */
export const KIND_NEGATIVE = 1;
/** The upstreams failed (RFC 9520), or said something that only those who wait for it may hear. */
export const KIND_FAILURE = 2;

/** A refresh is on its way. */
export const STATE_REFRESHING = 1;
/** The last good answer, given although the upstream has none any more: it bridges nothing beyond `refreshAtMs`, and is not refreshed ahead of its end. */
export const STATE_KEPT = 2;
/** It came out of an image and was not asked for by this process: a newer image may replace it. */
export const STATE_LOADED = 4;

const IMAGE_SHIFT = 3;
/** Images are numbered from 1 to this, and round again. */
export const MOST_IMAGES = 0x7ff;
const IMAGE_BITS = MOST_IMAGES << IMAGE_SHIFT;

export const DNSSEC_SHIFT = 14;
