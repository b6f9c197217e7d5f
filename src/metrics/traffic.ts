import { RCODE_LABELS, TYPE_LABELS, TYPE_SLOTS } from './labels.ts';

/** Where an answer came from: the label `plugin`. */
export const SOURCE_CACHE = 0;
export const SOURCE_FORWARD = 1;
export const SOURCE_LOCAL = 2;
export const SOURCE_LABELS: readonly string[] = ['cache', 'forward', 'signpost'];

/** CoreDNS's bounds of request and response sizes, in bytes. */
export const SIZE_BOUNDS: readonly number[] = [
  0, 100, 200, 300, 400, 511, 1023, 2047, 4095, 8291, 16_000, 32_000, 48_000, 64_000,
];

/** CoreDNS's bounds of durations: 0.25 ms, doubled 15 times. */
export const DURATION_BOUNDS_SECONDS: readonly number[] = Array.from({ length: 16 }, (_, i) => 0.00025 * 2 ** i);

const SIZE_BOUNDS_BYTES = Float64Array.from(SIZE_BOUNDS);
const DURATION_BOUNDS_MS = Float64Array.from(DURATION_BOUNDS_SECONDS, (seconds) => seconds * 1000);

const RCODES = RCODE_LABELS.length;

/**
 * Where the cells of a zone lie in its block. Doubles count exactly up to 2^53, where 32 bits would be full after hours.
 *
 *   | types | rcodes x sources | request sizes, sum | response sizes, sum | durations, sum | DO |
 */
export const TYPES_AT = 0;
export const RESPONSES_AT = TYPES_AT + TYPE_LABELS.length;
export const REQUEST_SIZES_AT = RESPONSES_AT + RCODES * SOURCE_LABELS.length;
export const RESPONSE_SIZES_AT = REQUEST_SIZES_AT + SIZE_BOUNDS.length + 2;
export const DURATIONS_AT = RESPONSE_SIZES_AT + SIZE_BOUNDS.length + 2;
export const DNSSEC_OK_AT = DURATIONS_AT + DURATION_BOUNDS_SECONDS.length + 2;
export const BLOCK_CELLS = DNSSEC_OK_AT + 1;

/** The counters of one listener: a block of cells for every zone that it was asked about. Called for every packet, read at scrape. */
export class Traffic {
  readonly #blocks: (Float64Array | undefined)[] = [];

  /** Counts a message that was read: its zone's id, its type, its bytes, whether it set DO. */
  request(zone: number, type: number, bytes: number, dnssecOk: boolean): void {
    const cells = this.#blocks[zone] ?? this.#open(zone);
    cells[TYPES_AT + (type < 256 ? TYPE_SLOTS[type]! : 0)]!++;
    count(cells, REQUEST_SIZES_AT, SIZE_BOUNDS_BYTES, bytes);
    if (dnssecOk) cells[DNSSEC_OK_AT]!++;
  }

  /** Counts an answer: its full rcode, its bytes, milliseconds since the message was read (0 for a hit), one of SOURCE_*. */
  response(zone: number, rcode: number, bytes: number, durationMs: number, source: number): void {
    const cells = this.#blocks[zone] ?? this.#open(zone);
    cells[RESPONSES_AT + source * RCODES + (rcode < RCODES ? rcode : RCODES - 1)]!++;
    count(cells, RESPONSE_SIZES_AT, SIZE_BOUNDS_BYTES, bytes);
    count(cells, DURATIONS_AT, DURATION_BOUNDS_MS, durationMs);
  }

  /** The cells of a zone, undefined where it was never asked about. For the scrape. */
  cells(zone: number): Float64Array | undefined {
    return this.#blocks[zone];
  }

  #open(zone: number): Float64Array {
    // Without holes, for an array with holes is looked up through its prototypes.
    while (this.#blocks.length < zone) this.#blocks.push(undefined);
    const cells = new Float64Array(BLOCK_CELLS);
    this.#blocks[zone] = cells;
    return cells;
  }
}

/** Adds to the bucket of the first bound that `value` does not exceed, and to the sum after the buckets. Small values, the most common, end first. */
function count(cells: Float64Array, at: number, bounds: Float64Array, value: number): void {
  let bucket = 0;
  while (bucket < bounds.length && value > bounds[bucket]!) bucket++;
  cells[at + bucket]!++;
  cells[at + bounds.length + 1]! += value;
}
