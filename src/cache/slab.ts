import { EntryMemory } from './entry-memory.ts';

/** 64 KiB: the largest answer fits whole, and a cache of one MiB still has a page for the usual sizes. */
export const PAGE_BYTES = 65_536;

const NONE = -1;

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
  #hand = 0;

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

  /** Bytes of all slots in use, their waste counted in. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** Offset of a place for `length` bytes, or -1 where there is none: the caller evicts and asks again. `length` is at most a page. */
  allocate(length: number): number {
    const sizeClass = this.#classOf(length);
    let page = this.#roomy[sizeClass]!;
    if (page === NONE) {
      page = this.#cutPage(sizeClass);
      if (page === NONE) return -1;
    }
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

  free(at: number): void {
    const page = Math.floor(at / PAGE_BYTES);
    const sizeClass = this.#pageClass[page]!;
    const slotBytes = this.#slotBytes[sizeClass]!;
    const hadRoom = this.#hasRoom(page, slotBytes);
    this.memory.release(at);
    this.memory.u32[at >> 2] = this.#freed[page]!;
    this.#freed[page] = at + 1;
    this.#live[page]!--;
    this.#usedBytes -= slotBytes;
    if (!hadRoom) this.#link(page, sizeClass);
    if (this.#live[page] === 0) this.#giveBack(page, sizeClass);
  }

  /**
   * Calls `evict` for every entry of some page that is cut for another size, so that the page can be cut anew. The pages take turns.
   * `evict` must free what it is given.
   */
  emptyPage(length: number, evict: (at: number) => void): void {
    const sizeClass = this.#classOf(length);
    const pages = this.#pageClass.length;
    for (let tried = 0; tried < pages; tried++) {
      const page = this.#hand;
      this.#hand = (page + 1) % pages;
      const other = this.#pageClass[page]!;
      if (other === NONE || other === sizeClass) continue;
      const slotBytes = this.#slotBytes[other]!;
      const end = this.#untouched[page]!;
      for (let at = page * PAGE_BYTES; at < end && this.#pageClass[page] === other; at += slotBytes) {
        if (this.memory.length(at) !== 0) evict(at);
      }
      return;
    }
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

  #cutPage(sizeClass: number): number {
    const page = this.#freePage;
    if (page === NONE) return NONE;
    this.#freePage = this.#nextPage[page]!;
    this.#pageClass[page] = sizeClass;
    this.#untouched[page] = page * PAGE_BYTES;
    this.#freed[page] = 0;
    this.#link(page, sizeClass);
    return page;
  }

  #giveBack(page: number, sizeClass: number): void {
    this.#unlink(page, sizeClass);
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

/** 96 B to a page in steps of about an eighth, each a multiple of 16: at most an eighth of a slot is waste. */
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
