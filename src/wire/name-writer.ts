import { HEADER_LENGTH } from './constants.ts';
import { expandedLength } from './name.ts';

const POINTER = 0xc0;
const FURTHEST_POINTER = 0x3fff;
/** Names that others may point to. Those that point to later ones are written out. 1,024 x 6 B. */
const MOST_NAMES = 1024;

/**
 * Copies names of one message to another in which records before them are missing: pointers are corrected, and what they lead to is written out where it is not
 * there any more. One instance is used again for every message.
 */
export class NameWriter {
  /** Of each name that was written: where its own labels begin and end in the old message (at its pointer or root), and begin in the new one. */
  readonly #from = new Uint16Array(MOST_NAMES);
  readonly #fromEnd = new Uint16Array(MOST_NAMES);
  readonly #to = new Uint16Array(MOST_NAMES);
  #count = 0;

  /** The question ends at `questionEnd` of the old message, and its name stands at `nameAt` of the new one; all offsets count from their headers. */
  begin(questionEnd: number, nameAt: number): void {
    this.#count = 0;
    // Its root, before type and class.
    this.#remember(HEADER_LENGTH, questionEnd - 5, nameAt);
  }

  /**
   * Writes the name at `offset` of the message that begins at `start` to `target` at `at`; returns the offset after it, or -1 where it is malformed or does not
   * end before `limit`. Names come in the order in which they stand.
   */
  write(
    message: Uint8Array,
    start: number,
    offset: number,
    end: number,
    target: Uint8Array,
    at: number,
    limit: number,
  ): number {
    if (expandedLength(message, start, offset, end) < 0) return -1;
    const from = offset - start;
    const to = at;
    let isOwn = true;
    for (;;) {
      const octet = message[offset]!;
      if (isOwn && (octet === 0 || octet >= POINTER)) {
        this.#remember(from, offset - start, to);
        isOwn = false;
      }
      if (octet >= POINTER) {
        const pointed = ((octet & 0x3f) << 8) | message[offset + 1]!;
        const moved = this.#movedTo(message, start, pointed);
        if (moved === -1) {
          offset = start + pointed;
          continue;
        }
        if (at + 2 > limit) return -1;
        target[at] = POINTER | (moved >> 8);
        target[at + 1] = moved;
        return at + 2;
      }
      const next = offset + 1 + octet;
      if (at + 1 + octet > limit) return -1;
      while (offset < next) target[at++] = message[offset++]!;
      if (octet === 0) return at;
    }
  }

  /** Forgets names that were written at or after `at` of the new message: their record is given up. */
  forgetFrom(at: number): void {
    while (this.#count > 0 && this.#to[this.#count - 1]! >= at) this.#count--;
  }

  #remember(from: number, fromEnd: number, to: number): void {
    if (this.#count === MOST_NAMES || to > FURTHEST_POINTER) return;
    this.#from[this.#count] = from;
    this.#fromEnd[this.#count] = fromEnd;
    this.#to[this.#count] = to;
    this.#count++;
  }

  /** Where the label at `pointed` of the old message stands in the new one, or -1. */
  #movedTo(message: Uint8Array, start: number, pointed: number): number {
    let low = 0;
    for (let high = this.#count; high - low > 1; ) {
      const middle = (low + high) >> 1;
      if (this.#from[middle]! <= pointed) low = middle;
      else high = middle;
    }
    if (pointed < this.#from[low]! || pointed > this.#fromEnd[low]!) return -1;
    // A pointer into the middle of a label reads what comes after the name, too, which is not the same any more.
    let label = this.#from[low]!;
    while (label < pointed) label += 1 + message[start + label]!;
    if (label !== pointed) return -1;
    const moved = this.#to[low]! + pointed - this.#from[low]!;
    return moved <= FURTHEST_POINTER ? moved : -1;
  }
}
