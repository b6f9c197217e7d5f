import type { Exchange } from './exchange.ts';

/** The longest DNS message there can be. */
const MESSAGE_MOST = 65_535;
const FIRST_ROOM = 512;
const NO_BYTES = new Uint8Array(0);

/** One question on its way through a stream of an HTTP/2 connection, and what has come of its answer. */
export class DohStream {
  readonly exchange: Exchange;
  /** Its place in the pending table of the connection, for as long as that holds the same exchange. */
  readonly slot: number;
  /** The head of an answer has come; of it: the length of the body (-1: not told), and seconds that it lay in caches. */
  hasHead = false;
  contentLength = -1;
  age = 0;
  /** An answer that comes in pieces, in [0, length). */
  body: Uint8Array = NO_BYTES;
  length = 0;

  constructor(exchange: Exchange, slot: number) {
    this.exchange = exchange;
    this.slot = slot;
  }

  /** Takes a piece; false where it is longer than any DNS message. */
  append(bytes: Uint8Array, start: number, end: number): boolean {
    const length = this.length + end - start;
    if (length > MESSAGE_MOST) return false;
    if (length > this.body.length) {
      const grown = new Uint8Array(Math.max(2 * this.body.length, length, FIRST_ROOM));
      grown.set(this.body.subarray(0, this.length));
      this.body = grown;
    }
    this.body.set(bytes.subarray(start, end), this.length);
    this.length = length;
    return true;
  }
}
