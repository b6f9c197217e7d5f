import { DROPPED_ZONES } from '../core/limits.ts';
import { isWithin } from '../wire/name.ts';
import { ENTRY_HEADER, type EntryMemory } from './entry-memory.ts';
import type { Slab } from './slab.ts';

/** Entries that one stretch of the walk looks at, and at most a page more: 0.1 ms, and 0.3 ms where all of them go. */
const ENTRIES_A_STRETCH = 1400;
/** Between two stretches: the walk of 32 MiB takes a quarter of a second, and a twentieth of the thread however often zones are dropped. */
const PAUSE_MS = 2;

/** Says of the uncompressed name in [start, nameEnd) whether it is meant. Called for every look-up for a while: no allocation. */
export type NameTest = (bytes: Uint8Array, start: number, nameEnd: number) => boolean;

/** Entries older than `generation` whose names are meant are gone for whoever looks. */
interface Drop {
  /** What is dropped is at or below it; undefined: whatever `isMeant` says. */
  readonly zone: Uint8Array | undefined;
  isMeant: NameTest;
  generation: number;
  /** Pages that have not been looked at since. */
  pagesLeft: number;
}

/** All that was dropped since `Drops.watch`: what is put in later, but is older, asks it. */
export interface DropWatch {
  isDropped(bytes: Uint8Array, start: number, nameEnd: number): boolean;
  close(): void;
}

export interface DropsParts {
  slab: Slab;
  /** Takes the entry out of the index and frees its place. */
  onDrop: (at: number) => void;
  /** Calls back once after so long; keeps no process alive. */
  arm?: (callback: () => void, delayMs: number) => void;
}

/**
 * Drops whole zones without holding up the loop: from the call on, look-ups take what is older than it for gone (`covers`), and a walk through the slab, a
 * stretch at a time, gives the places free. When the walk is over nothing is compared any more.
 *
 * An entry is older when its generation is: 16 bits, counted up with each drop. The walk brings what it keeps up to date, so that none is ever further behind
 * than a walk is long.
 */
export class Drops {
  /** Zones whose walk is not over. Read on the hot path: 0 nearly always. */
  pending = 0;
  /** What is stored now is of this generation. */
  generation = 0;
  /** Entries dropped since the start. */
  dropped = 0;
  readonly #parts: DropsParts;
  readonly #drops: Drop[] = [];
  readonly #watches = new Set<NameTest[]>();
  readonly #arm: (callback: () => void, delayMs: number) => void;
  #page = 0;
  #isArmed = false;
  readonly #look = (at: number): void => {
    if (this.covers(at)) this.#drop(at);
    else this.#memory.setGeneration(at, this.generation);
  };
  readonly #goOn = (): void => {
    this.#isArmed = false;
    this.#walk(ENTRIES_A_STRETCH);
  };

  constructor(parts: DropsParts) {
    this.#parts = parts;
    this.#arm = parts.arm ?? armUnreferenced;
  }

  get #memory(): EntryMemory {
    return this.#parts.slab.memory;
  }

  /**
   * Begins to drop all that is at and below a zone, which is copied, and what `isMeantToo` means; how many are free again when it returns. A small cache is walked whole in
   * the call.
   */
  add(zone: Uint8Array, isMeantToo?: NameTest): number {
    const name = zone.slice();
    const drop = this.#find(zone) ?? { zone: name, isMeant: nothing, generation: 0, pagesLeft: 0 };
    drop.isMeant = (bytes, start, nameEnd) =>
      isWithin(bytes, start, nameEnd, name) || isMeantToo?.(bytes, start, nameEnd) === true;
    return this.#begin(drop);
  }

  /** The same for the names that a test means. There is one such drop at a time: while `isTesting`, what the last test meant must be meant by this one too. */
  addTest(isMeant: NameTest): number {
    const drop = this.#findTest() ?? { zone: undefined, isMeant, generation: 0, pagesLeft: 0 };
    drop.isMeant = isMeant;
    return this.#begin(drop);
  }

  /** Whether the walk of a test is not over. */
  get isTesting(): boolean {
    return this.#findTest() !== undefined;
  }

  #begin(drop: Drop): number {
    const before = this.dropped;
    const { isMeant } = drop;
    for (const tests of this.#watches) {
      if (tests.length < DROPPED_ZONES.value) tests.push(isMeant);
      else tests[0] = everything;
    }
    if (this.#drops.length === DROPPED_ZONES.value && !this.#drops.includes(drop)) {
      DROPPED_ZONES.hits++;
      this.#walk(Number.POSITIVE_INFINITY);
    }
    // What the walk keeps is of the generation before: the new drop looks at it once more.
    this.generation = (this.generation + 1) & 0xffff;
    drop.generation = this.generation;
    drop.pagesLeft = this.#parts.slab.pages;
    if (!this.#drops.includes(drop)) this.pending = this.#drops.push(drop);
    this.#walk(ENTRIES_A_STRETCH);
    return this.dropped - before;
  }

  /** Whether the entry is to be taken for gone. */
  covers(at: number): boolean {
    const memory = this.#memory;
    const generation = memory.generation(at);
    const nameStart = at + ENTRY_HEADER;
    const nameEnd = nameStart + memory.questionLength(at) - 4;
    for (const drop of this.#drops) {
      if (isOlder(generation, drop.generation) && drop.isMeant(memory.bytes, nameStart, nameEnd)) return true;
    }
    return false;
  }

  /** Notes what is dropped from now on. Past the limit of zones dropped at one time all is taken for dropped. */
  watch(): DropWatch {
    const tests: NameTest[] = [];
    this.#watches.add(tests);
    return {
      isDropped: (bytes, start, nameEnd) => tests.some((isMeant) => isMeant(bytes, start, nameEnd)),
      close: () => this.#watches.delete(tests),
    };
  }

  /** Looks at an entry that has come to another page, which the walk may have passed. */
  moved(at: number): void {
    if (this.pending > 0 && this.covers(at)) this.#drop(at);
  }

  #find(zone: Uint8Array): Drop | undefined {
    const { length } = zone;
    return this.#drops.find((drop) => drop.zone?.length === length && isWithin(drop.zone, 0, length, zone));
  }

  #findTest(): Drop | undefined {
    return this.#drops.find((drop) => drop.zone === undefined);
  }

  #drop(at: number): void {
    this.#parts.onDrop(at);
    this.dropped++;
  }

  #walk(entries: number): void {
    const { slab } = this.#parts;
    for (let looked = 0; looked < entries && this.pending > 0; ) {
      looked += slab.forEachOfPage(this.#page, this.#look);
      this.#page = (this.#page + 1) % slab.pages;
      this.#passPage();
    }
    if (this.pending === 0 || this.#isArmed) return;
    this.#isArmed = true;
    this.#arm(this.#goOn, PAUSE_MS);
  }

  #passPage(): void {
    for (const drop of this.#drops) drop.pagesLeft--;
    for (let i = this.#drops.length - 1; i >= 0; i--) if (this.#drops[i]!.pagesLeft === 0) this.#drops.splice(i, 1);
    this.pending = this.#drops.length;
  }
}

const nothing: NameTest = () => false;
const everything: NameTest = () => true;

/** Whether a generation comes before another; they go round. */
function isOlder(generation: number, other: number): boolean {
  const behind = (other - generation) & 0xffff;
  return behind > 0 && behind < 0x8000;
}

function armUnreferenced(callback: () => void, delayMs: number): void {
  setTimeout(callback, delayMs).unref();
}
