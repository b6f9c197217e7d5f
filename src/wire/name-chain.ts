import { HEADER_LENGTH, MAX_NAME_LENGTH } from './constants.ts';
import { equalFolded, expandName } from './name.ts';

const POINTER = 0xc0;
const NO_BYTES = new Uint8Array(0);

/** The names that a reply may speak of: the question's, and those that its CNAME records lead to from there. One instance is used again for every reply. */
export class NameChain {
  /** Names in it. */
  length = 0;
  readonly #most: number;
  /** Uncompressed names, each in a place of its own. */
  readonly #names: Uint8Array;
  readonly #lengths: Uint8Array;
  /** Where a pointer to the name would lead: the question, or the RDATA that brought it. */
  readonly #origins: Uint16Array;
  readonly #owner = new Uint8Array(MAX_NAME_LENGTH);
  #message: Uint8Array = NO_BYTES;
  #start = 0;
  #end = 0;

  /** `most`: names that it holds. */
  constructor(most: number) {
    this.#most = most;
    this.#names = new Uint8Array(most * MAX_NAME_LENGTH);
    this.#lengths = new Uint8Array(most);
    this.#origins = new Uint16Array(most);
  }

  /** Begins anew with the question of the message in [start, end). */
  begin(message: Uint8Array, start: number, end: number): void {
    this.#message = message;
    this.#start = start;
    this.#end = end;
    this.length = 0;
    this.add(start + HEADER_LENGTH);
  }

  /** Adds the name at `offset`; false where it is malformed, or there is no room. */
  add(offset: number): boolean {
    if (this.length === this.#most) return false;
    const at = this.length * MAX_NAME_LENGTH;
    const length = expandName(this.#message, this.#start, offset, this.#end, this.#names, at);
    if (length < 0) return false;
    this.#lengths[this.length] = length;
    this.#origins[this.length] = offset - this.#start;
    this.length++;
    return true;
  }

  /** Whether the name at `offset` is one of them. */
  has(offset: number): boolean {
    const message = this.#message;
    const first = message[offset]!;
    if (first >= POINTER) {
      const pointed = ((first & 0x3f) << 8) | message[offset + 1]!;
      for (let i = 0; i < this.length; i++) if (this.#origins[i] === pointed) return true;
    }
    const length = expandName(message, this.#start, offset, this.#end, this.#owner, 0);
    for (let i = 0; i < this.length; i++) {
      if (this.#lengths[i] === length && equalFolded(this.#owner, 0, this.#names, i * MAX_NAME_LENGTH, length))
        return true;
    }
    return false;
  }

  /** Whether the name at `offset` is one of them, or above one: that of a zone that they lie in. */
  isWithin(offset: number): boolean {
    const length = expandName(this.#message, this.#start, offset, this.#end, this.#owner, 0);
    if (length < 0) return false;
    for (let i = 0; i < this.length; i++) if (this.#isNameWithin(i, length)) return true;
    return false;
  }

  #isNameWithin(index: number, zoneLength: number): boolean {
    const names = this.#names;
    let at = index * MAX_NAME_LENGTH;
    const zoneAt = at + this.#lengths[index]! - zoneLength;
    while (at < zoneAt) at += 1 + names[at]!;
    return at === zoneAt && equalFolded(this.#owner, 0, names, at, zoneLength);
  }
}
