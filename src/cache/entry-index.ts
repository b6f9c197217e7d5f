/** Places of a new index; it doubles when three of four are taken. */
const FEWEST_PLACES = 4096;
/** Places that one search for an unused entry looks at: 10 us. Where all of them are in use, the next goes all the same. */
const SEARCHED_PLACES = 1024;
/** Places in a cache line. */
const LINE = 8;

/**
 * Where entries lie: a 32-bit key to an offset in the slab, 8 bytes a place in one array, so that a look-up touches one cache line where a `Map` behind
 * an LRU list touches six. Keys are hashes already: a key's place is its low bits, or the next that is free.
 *
 *   place i:  [2i] key   [2i + 1] ((offset / 16) + 1) * 2, plus 1 when found since the hand passed; 0: free
 *
 * Who goes is the clock's choice: a hand goes round and takes the first entry that was not found since it passed. A new one counts as not found, so names
 * that are asked once go first, and more of the others stay than an LRU list would keep (docs/architecture.md has figures). The hand comes to all
 * lines, but in an order that is spread over the array: behind one that sweeps it from end to end the array empties, and before it it overflows.
 */
export class EntryIndex {
  /** Entries. */
  size = 0;
  /** More entries than this it does not take; see `bytesOf`. */
  readonly capacity: number;
  #places = new Int32Array(2 * FEWEST_PLACES);
  #mask = FEWEST_PLACES - 1;
  /** How many places the hand has come to. */
  #hand = 0;

  /** `places`: the most it grows to, a power of two and at least 4,096. */
  constructor(places: number) {
    this.capacity = places - places / 4;
  }

  /** Bytes of an index of so many places, while it grows to them: the array before is there too. */
  static bytesOf(places: number): number {
    return 12 * places;
  }

  /** How many places hold at least so many entries. */
  static placesFor(entries: number): number {
    let places = FEWEST_PLACES;
    while (places - places / 4 < entries) places *= 2;
    return places;
  }

  /** Grows at once to hold so many entries, as far as it may: while it is nearly empty that costs nothing, and later 5 ms and more. */
  reserve(entries: number): void {
    const wanted = Math.min(entries, this.capacity);
    while (4 * wanted > 3 * (this.#mask + 1)) this.#grow();
  }

  /** Offset under a key, or -1. The entry counts as used. */
  find(key: number): number {
    const places = this.#places;
    const mask = this.#mask;
    for (let i = key & mask; ; i = (i + 1) & mask) {
      const place = places[2 * i + 1]!;
      if (place === 0) return -1;
      if (places[2 * i] !== key) continue;
      if ((place & 1) === 0) places[2 * i + 1] = place | 1;
      return offsetOf(place);
    }
  }

  /** Notes an entry, as not used so far, and returns the offset that stood under the key before, or -1. `evict` first where the index is full. */
  set(key: number, offset: number): number {
    if (4 * (this.size + 1) > 3 * (this.#mask + 1)) this.#grow();
    const i = this.#placeOf(key);
    const before = this.#places[2 * i + 1]!;
    this.#places[2 * i] = key;
    this.#places[2 * i + 1] = placeOf(offset);
    if (before !== 0) return offsetOf(before);
    this.size++;
    return -1;
  }

  /** Notes that the entry under a key has moved: no more and no less used than it was. */
  move(key: number, offset: number): void {
    const at = 2 * this.#placeOf(key) + 1;
    this.#places[at] = placeOf(offset) | (this.#places[at]! & 1);
  }

  /** Forgets an entry, and returns its offset, or -1 where there was none. */
  delete(key: number): number {
    return this.#remove(this.#placeOf(key));
  }

  /** Forgets an entry that was not used lately, and returns its offset, or -1 where there is none. */
  evict(): number {
    if (this.size === 0) return -1;
    const places = this.#places;
    for (let searched = 0; ; searched++) {
      const i = this.#nextPlace();
      const place = places[2 * i + 1]!;
      if (place === 0) continue;
      if ((place & 1) === 0 || searched >= SEARCHED_PLACES) return this.#remove(i);
      places[2 * i + 1] = place & ~1;
    }
  }

  #nextPlace(): number {
    const lines = (this.#mask + 1) / LINE;
    const line = Math.imul(Math.floor(this.#hand / LINE), stride(lines)) & (lines - 1);
    const place = line * LINE + (this.#hand % LINE);
    this.#hand = (this.#hand + 1) & this.#mask;
    return place;
  }

  /** The place of a key, or the free one that it would take. */
  #placeOf(key: number): number {
    const places = this.#places;
    const mask = this.#mask;
    let i = key & mask;
    while (places[2 * i + 1] !== 0 && places[2 * i] !== key) i = (i + 1) & mask;
    return i;
  }

  /** What follows moves up as far as its key allows, so that no search ends at the gap. */
  #remove(place: number): number {
    const places = this.#places;
    const mask = this.#mask;
    const removed = places[2 * place + 1]!;
    if (removed === 0) return -1;
    this.size--;
    let gap = place;
    for (let i = (gap + 1) & mask; places[2 * i + 1] !== 0; i = (i + 1) & mask) {
      const wanted = places[2 * i]! & mask;
      if (((i - wanted) & mask) < ((i - gap) & mask)) continue;
      places[2 * gap] = places[2 * i]!;
      places[2 * gap + 1] = places[2 * i + 1]!;
      gap = i;
    }
    places[2 * gap + 1] = 0;
    return offsetOf(removed);
  }

  #grow(): void {
    const before = this.#places;
    this.#places = new Int32Array(2 * before.length);
    this.#mask = before.length - 1;
    this.#hand = 0;
    for (let at = 0; at < before.length; at += 2) {
      if (before[at + 1] === 0) continue;
      const i = this.#placeOf(before[at]!);
      this.#places[2 * i] = before[at]!;
      this.#places[2 * i + 1] = before[at + 1]!;
    }
  }
}

/** From one line to the next: the golden section spreads them best, and what is odd comes to all of them. */
function stride(lines: number): number {
  return Math.floor(lines * 0.618) | 1;
}

function placeOf(offset: number): number {
  return ((offset >> 4) + 1) << 1;
}

function offsetOf(place: number): number {
  return ((place >> 1) - 1) << 4;
}
