import { EntryMemory } from './entry-memory.ts';

/** 64 KiB: the largest answer fits whole, and a cache of one MiB still has a page for the usual sizes. */
export const PAGE_BYTES = 65_536;

const NONE = -1;
/** How many sizes larger a place may be: three steps are under half of what is stored. */
const LARGER_CLASSES = 3;

/**
 * Places for entries in one block of memory. Pages of 64 KiB are cut into slots of one size; a page whose last slot was freed can be cut
 * anew, for any size. Taking and freeing a place costs the same however full the slab is.
 */
export class Slab {
  readonly memory: EntryMemory;
  readonly #slotBytes: readonly number[];
  /** Size class of each page; NONE: not cut. */
  readonly #pageClass: Int8Array;
  readonly #live: Uint16Array;
  /** Slots of the page that were never used start here. */
  readonly #untouched: Uint32Array;
  /** First freed slot of the page, as an offset; 0: none. The next stands in the slot itself. */
  readonly #freed: Uint32Array;
  /** Pages of one class that have room, as a list; free pages are a list too. */
  readonly #nextPage: Int32Array;
  readonly #previousPage: Int32Array;
  readonly #roomy: Int32Array;
  #freePage: number;
  #usedBytes = 0;
  /** The page that `emptyPage` is at work on. */
  #emptying = NONE;

  /** `byteLength` is rounded down to whole pages, at least two. */
  constructor(byteLength: number) {
    const pages = Math.max(2, Math.floor(byteLength / PAGE_BYTES));
    this.memory = new EntryMemory(pages * PAGE_BYTES);
    this.#slotBytes = slotSizes();
    this.#pageClass = new Int8Array(pages).fill(NONE);
    this.#live = new Uint16Array(pages);
    this.#untouched = new Uint32Array(pages);
    this.#freed = new Uint32Array(pages);
    this.#previousPage = new Int32Array(pages).fill(NONE);
    this.#nextPage = Int32Array.from({ length: pages }, (_, page) => (page + 1 < pages ? page + 1 : NONE));
    this.#roomy = new Int32Array(this.#slotBytes.length).fill(NONE);
    this.#freePage = 0;
  }

  get byteLength(): number {
    return this.memory.bytes.length;
  }

  get pages(): number {
    return this.#pageClass.length;
  }

  /** Bytes of all slots in use, their waste counted in. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  /**
   * Offset of a place for `length` bytes, or -1 where there is none: the caller evicts and asks again. `length` is at most a page. A place that is somewhat
   * too large serves where those of the right size are taken.
   */
  allocate(length: number): number {
    const right = this.#classOf(length);
    if (this.#roomy[right] === NONE) this.#cutPage(right);
    const last = Math.min(right + LARGER_CLASSES, this.#slotBytes.length - 1);
    for (let sizeClass = right; sizeClass <= last; sizeClass++) {
      const page = this.#roomy[sizeClass]!;
      if (page !== NONE) return this.#take(page, sizeClass);
    }
    return -1;
  }

  free(at: number): void {
    const page = Math.floor(at / PAGE_BYTES);
    const sizeClass = this.#pageClass[page]!;
    const slotBytes = this.#slotBytes[sizeClass]!;
    const wasListed = page !== this.#emptying && this.#hasRoom(page, slotBytes);
    this.memory.release(at);
    this.memory.u32[at >> 2] = this.#freed[page]!;
    this.#freed[page] = at + 1;
    this.#live[page]!--;
    this.#usedBytes -= slotBytes;
    if (this.#live[page] === 0) {
      if (wasListed) this.#unlink(page, sizeClass);
      this.#giveBack(page);
    } else if (!wasListed && page !== this.#emptying) {
      this.#link(page, sizeClass);
    }
  }

  /**
   * Empties the page, of those that are cut for another size than `length` needs, that holds least, so that it can be cut anew. Its entries are copied to
   * other places, of which `onMove` is told, while there are any; the rest is handed to `evict`. Both must free the old place.
   */
  emptyPage(length: number, onMove: (from: number, to: number) => void, evict: (at: number) => void): void {
    const page = this.#leastUsed(this.#classOf(length));
    if (page === NONE) return;
    const sizeClass = this.#pageClass[page]!;
    const slotBytes = this.#slotBytes[sizeClass]!;
    const end = this.#untouched[page]!;
    // Not listed among those with room, so that no entry is moved to where it goes from.
    if (this.#hasRoom(page, slotBytes)) this.#unlink(page, sizeClass);
    this.#emptying = page;
    for (let at = page * PAGE_BYTES; at < end; at += slotBytes) {
      const bytes = this.memory.length(at);
      if (bytes === 0) continue;
      const to = this.allocate(bytes);
      if (to === -1) {
        evict(at);
      } else {
        this.memory.bytes.copyWithin(to, at, at + bytes);
        onMove(at, to);
      }
    }
    this.#emptying = NONE;
  }

  /** Hands out the places in use of a page, and returns how many they were; `visit` may free the one that it gets. */
  forEachOfPage(page: number, visit: (at: number) => void): number {
    const sizeClass = this.#pageClass[page]!;
    if (sizeClass === NONE) return 0;
    const slotBytes = this.#slotBytes[sizeClass]!;
    const end = this.#untouched[page]!;
    let visited = 0;
    for (let at = page * PAGE_BYTES; at < end; at += slotBytes) {
      if (this.memory.length(at) === 0) continue;
      visited++;
      visit(at);
    }
    return visited;
  }

  #leastUsed(exceptClass: number): number {
    let least = NONE;
    let leastBytes = Number.POSITIVE_INFINITY;
    for (let page = 0; page < this.#pageClass.length; page++) {
      const sizeClass = this.#pageClass[page]!;
      if (sizeClass === NONE || sizeClass === exceptClass) continue;
      const bytes = this.#live[page]! * this.#slotBytes[sizeClass]!;
      if (bytes >= leastBytes) continue;
      least = page;
      leastBytes = bytes;
    }
    return least;
  }

  #classOf(length: number): number {
    let low = 0;
    let high = this.#slotBytes.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#slotBytes[middle]! >= length) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #hasRoom(page: number, slotBytes: number): boolean {
    return this.#freed[page] !== 0 || this.#untouched[page]! + slotBytes <= (page + 1) * PAGE_BYTES;
  }

  #take(page: number, sizeClass: number): number {
    const slotBytes = this.#slotBytes[sizeClass]!;
    let at = this.#freed[page]! - 1;
    if (at >= 0) {
      this.#freed[page] = this.memory.u32[at >> 2]!;
    } else {
      at = this.#untouched[page]!;
      this.#untouched[page] = at + slotBytes;
    }
    this.#live[page]!++;
    this.#usedBytes += slotBytes;
    if (!this.#hasRoom(page, slotBytes)) this.#unlink(page, sizeClass);
    return at;
  }

  #cutPage(sizeClass: number): void {
    const page = this.#freePage;
    if (page === NONE) return;
    this.#freePage = this.#nextPage[page]!;
    this.#pageClass[page] = sizeClass;
    this.#untouched[page] = page * PAGE_BYTES;
    this.#freed[page] = 0;
    this.#link(page, sizeClass);
  }

  #giveBack(page: number): void {
    this.#pageClass[page] = NONE;
    this.#nextPage[page] = this.#freePage;
    this.#freePage = page;
  }

  #link(page: number, sizeClass: number): void {
    const first = this.#roomy[sizeClass]!;
    this.#nextPage[page] = first;
    this.#previousPage[page] = NONE;
    if (first !== NONE) this.#previousPage[first] = page;
    this.#roomy[sizeClass] = page;
  }

  #unlink(page: number, sizeClass: number): void {
    const next = this.#nextPage[page]!;
    const previous = this.#previousPage[page]!;
    if (next !== NONE) this.#previousPage[next] = previous;
    if (previous !== NONE) this.#nextPage[previous] = next;
    else this.#roomy[sizeClass] = next;
  }
}

/** 96 B to a page in steps of about an eighth, widened to what divides a page: up to 4 KiB at most a fifth of what is stored is waste. */
function slotSizes(): number[] {
  const sizes: number[] = [];
  for (let size = 96; size < PAGE_BYTES; size = Math.ceil((size * 9) / 8 / 16) * 16) {
    // Sizes between two divisors of the page would cut it into as many slots as the larger one.
    const slots = Math.floor(PAGE_BYTES / size);
    const widest = Math.floor(PAGE_BYTES / slots / 16) * 16;
    if (widest !== sizes.at(-1)) sizes.push(widest);
    size = widest;
  }
  return sizes;
}
