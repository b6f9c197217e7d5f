import { KNOWN_SERVICES } from '../core/limits.ts';
import { equalFolded } from '../wire/name.ts';
import { hashAt, lengthAt, serviceLabels } from './service-labels.ts';

const EMPTY = 0;
/** Something stood here: what was put behind it is still to be found. */
const GONE = -1;
const FIRST_SLOTS = 1024;
const FIRST_BYTES = 16_384;

/**
 * The Services of the cluster by namespace and name, as a question can be compared with them: wire labels in one block, found by an open table of offsets. 10,000 Services of
 * 30 characters are 0.5 MB, and look-ups make nothing.
 *
 *     slots   │  0  │ 41+1 │ gone │  0  │ …          bytes   4 a p i 2 4 s h o p │ 3 w e b 4 s h o p │ …
 */
export class KnownServices {
  /** The watch of Services is followed: what `has` says holds, also where it says no. */
  isCurrent = false;
  /** It was followed once, and had room for all: what `has` says no to has gone, or has come since a break of the watch began. */
  isWhole = false;
  #slots = new Int32Array(FIRST_SLOTS);
  /** Slots that are not empty. */
  #used = 0;
  #bytes = new Uint8Array(FIRST_BYTES);
  #end = 0;
  #deadBytes = 0;
  #size = 0;
  /** Services for which there was no room. */
  #missing = 0;
  #isFollowed = false;
  #wasFollowed = false;

  get size(): number {
    return this.#size;
  }

  /** Whether there is a Service of these names: `serviceAt` is the offset of its wire label, which that of the namespace follows. Any case; no allocation. */
  has(bytes: Uint8Array, serviceAt: number): boolean {
    return this.#find(bytes, serviceAt) >= 0;
  }

  /** The same of two texts. */
  hasNamed(namespace: string, name: string): boolean {
    const labels = serviceLabels(namespace, name);
    return labels !== undefined && this.has(labels, 0);
  }

  /** Adds a Service; one that is known stays. */
  put(namespace: string, name: string): void {
    const labels = serviceLabels(namespace, name);
    if (labels === undefined || this.#find(labels, 0) >= 0) return;
    if (this.#size >= KNOWN_SERVICES.value) {
      KNOWN_SERVICES.hits++;
      this.#missing++;
      this.#judge();
      return;
    }
    this.#makeRoom(labels.length);
    this.#bytes.set(labels, this.#end);
    this.#place(this.#end);
    this.#end += labels.length;
    this.#size++;
  }

  delete(namespace: string, name: string): void {
    const labels = serviceLabels(namespace, name);
    if (labels === undefined) return;
    const slot = this.#find(labels, 0);
    if (slot < 0) {
      if (this.#missing > 0) this.#missing--;
      this.#judge();
      return;
    }
    this.#slots[slot] = GONE;
    this.#deadBytes += labels.length;
    this.#size--;
  }

  /** Whether changes arrive, and all that there are have been put. */
  setFollowed(isFollowed: boolean): void {
    this.#isFollowed = isFollowed;
    if (isFollowed) this.#wasFollowed = true;
    this.#judge();
  }

  #judge(): void {
    this.isCurrent = this.#isFollowed && this.#missing === 0;
    this.isWhole = this.#wasFollowed && this.#missing === 0;
  }

  /** The slot, or -1. */
  #find(bytes: Uint8Array, at: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    const length = lengthAt(bytes, at);
    for (let slot = hashAt(bytes, at) & mask; ; slot = (slot + 1) & mask) {
      const place = slots[slot]!;
      if (place === EMPTY) return -1;
      // The length bytes are part of the comparison: of what is longer, the second one differs.
      if (place > 0 && equalFolded(this.#bytes, place - 1, bytes, at, length)) return slot;
    }
  }

  #place(at: number): void {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let slot = hashAt(this.#bytes, at) & mask;
    while (slots[slot] !== EMPTY) slot = (slot + 1) & mask;
    slots[slot] = at + 1;
    this.#used++;
  }

  /** At the most half of the slots are in use, those that stand for something gone included. */
  #makeRoom(bytes: number): void {
    if (this.#end + bytes <= this.#bytes.length && (this.#used + 1) * 2 <= this.#slots.length) return;
    const liveBytes = this.#end - this.#deadBytes + bytes;
    const [oldSlots, oldBytes] = [this.#slots, this.#bytes];
    this.#slots = new Int32Array(grown(FIRST_SLOTS, (this.#size + 1) * 3));
    this.#bytes = new Uint8Array(grown(FIRST_BYTES, liveBytes + liveBytes / 4));
    this.#used = 0;
    this.#end = 0;
    this.#deadBytes = 0;
    for (const place of oldSlots) {
      if (place <= 0) continue;
      const length = lengthAt(oldBytes, place - 1);
      this.#bytes.set(oldBytes.subarray(place - 1, place - 1 + length), this.#end);
      this.#place(this.#end);
      this.#end += length;
    }
  }
}

/** The least power of two that is no less than both. */
function grown(least: number, wanted: number): number {
  let size = least;
  while (size < wanted) size *= 2;
  return size;
}
