import { CLASS_IN, FLAG_RD, HEADER_LENGTH, MAX_NAME_LENGTH } from '../wire/constants.ts';
import { copyBytes } from '../wire/copy.ts';
import { QueryView } from '../wire/query.ts';

/** A question in the agent's own cause: class IN, RD, no OPT. One instance is used again for every question; what `write` returns holds until the next. */
export class OwnQuestion {
  /** The one that was written last. */
  readonly query: QueryView;
  readonly #bytes = new Uint8Array(HEADER_LENGTH + MAX_NAME_LENGTH + 4);

  /** `seed`: of the names in the cache's keys. */
  constructor(seed: number) {
    this.query = new QueryView(seed);
  }

  /** Asks about the labels in [start, end) of `bytes`, then those in [tail, nameEnd), root included; at most 255 octets together. */
  write(bytes: Uint8Array, start: number, end: number, tail: number, nameEnd: number, type: number): QueryView {
    const own = this.#bytes;
    // A reply that was made of it has left its counts here.
    own.fill(0, 0, HEADER_LENGTH);
    own[2] = FLAG_RD >> 8;
    own[5] = 1;
    const tailAt = copyBytes(bytes, start, end, own, HEADER_LENGTH);
    const at = copyBytes(bytes, tail, nameEnd, own, tailAt);
    own[at] = type >> 8;
    own[at + 1] = type;
    own[at + 2] = CLASS_IN >> 8;
    own[at + 3] = CLASS_IN;
    this.query.read(own, 0, at + 4);
    return this.query;
  }
}
