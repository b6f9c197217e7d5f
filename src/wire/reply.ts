import { copyBytes } from './copy.ts';

const NOTHING = new Uint8Array(0);
/** OPT with a kept option (256 B), a stale code and an origin: under 400 B. */
const TAIL_BYTES = 512;

/**
 * A reply as three pieces that lie elsewhere, so that a hit copies nothing: the client's own header and question, patched in place; the
 * records, in the cache's slab; and an OPT record where the client sent one. Valid until the next call of whoever filled it.
 *
 *   head (query's bytes)        body (slab)              tail
 *   | header | question |       | answer, authority, … | | OPT |
 */
export class Reply {
  head: Uint8Array = NOTHING;
  headStart = 0;
  headEnd = 0;
  body: Uint8Array = NOTHING;
  bodyStart = 0;
  bodyEnd = 0;
  tail: Uint8Array = NOTHING;
  tailStart = 0;
  tailEnd = 0;
  /** Room for a tail that is not one of the constant ones. */
  readonly scratch = new Uint8Array(TAIL_BYTES);

  /** Bytes of the whole message. */
  get length(): number {
    return this.headEnd - this.headStart + (this.bodyEnd - this.bodyStart) + (this.tailEnd - this.tailStart);
  }

  /** Writes the message to `target` at `offset`, where there must be room for `length` bytes; returns the offset after it. */
  copyTo(target: Uint8Array, offset: number): number {
    const afterHead = copyBytes(this.head, this.headStart, this.headEnd, target, offset);
    const afterBody = copyBytes(this.body, this.bodyStart, this.bodyEnd, target, afterHead);
    return copyBytes(this.tail, this.tailStart, this.tailEnd, target, afterBody);
  }
}
