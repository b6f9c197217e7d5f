import { MENTIONED_NAMES } from '../core/limits.ts';
import { MAX_NAME_LENGTH } from './constants.ts';
import { equalFolded, expandName } from './name.ts';

const POINTER = 0xc0;
/** Where a pointer may lead. */
const POINTABLE = 0x4000;
/** Names that are compared octet by octet for one reply: 0.3 ms. Servers that compress, as nearly all do, need none of it. */
const MOST_COMPARISONS = 4096;
const NO_BYTES = new Uint8Array(0);

/** The names that a reply's records send their readers on to. One instance is used again for every reply. */
export class Mentions {
  readonly #targets = new Uint32Array(MENTIONED_NAMES.value);
  /** 1 where a target begins, counted from the header: what points there costs the same however many targets there are. */
  readonly #pointable = new Uint8Array(POINTABLE);
  readonly #owner = new Uint8Array(MAX_NAME_LENGTH);
  readonly #target = new Uint8Array(MAX_NAME_LENGTH);
  #count = 0;
  /** The target that was found last: addresses mostly stand in the order of what mentions them. */
  #last = 0;
  #comparisons = 0;
  #message: Uint8Array = NO_BYTES;
  #start = 0;
  #end = 0;

  begin(message: Uint8Array, start: number, end: number): void {
    for (let i = 0; i < this.#count; i++) this.#setPointable(this.#targets[i]!, 0);
    this.#message = message;
    this.#start = start;
    this.#end = end;
    this.#count = 0;
    this.#last = 0;
    this.#comparisons = 0;
  }

  /** The name at `offset`, which is not looked at yet. */
  add(offset: number): void {
    if (this.#count === this.#targets.length) {
      MENTIONED_NAMES.hits++;
      return;
    }
    this.#targets[this.#count++] = offset;
    this.#setPointable(offset, 1);
  }

  /** Whether the name at `offset` is mentioned. */
  has(offset: number): boolean {
    const count = this.#count;
    const octet = this.#message[offset]!;
    if (octet >= POINTER && this.#pointable[((octet & 0x3f) << 8) | this.#message[offset + 1]!] === 1) return true;
    if (count === 0 || this.#comparisons >= MOST_COMPARISONS) return false;
    const length = expandName(this.#message, this.#start, offset, this.#end, this.#owner, 0);
    for (let i = 0; i < count && this.#comparisons < MOST_COMPARISONS; i++) {
      const index = (this.#last + i) % count;
      if (!this.#isTarget(index, length)) continue;
      this.#last = index;
      return true;
    }
    return false;
  }

  #setPointable(target: number, value: 0 | 1): void {
    const offset = target - this.#start;
    if (offset < POINTABLE) this.#pointable[offset] = value;
  }

  #isTarget(index: number, length: number): boolean {
    this.#comparisons++;
    const target = expandName(this.#message, this.#start, this.#targets[index]!, this.#end, this.#target, 0);
    return target === length && equalFolded(this.#owner, 0, this.#target, 0, length);
  }
}
