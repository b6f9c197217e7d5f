import assert from 'node:assert/strict';
import { PAGE_BYTES, Slab } from '../../../src/cache/slab.ts';
import { Random } from '../../fuzz/random.ts';

/** What an entry is filled from; longer than an entry, so that each may start anywhere in its first half. */
const PATTERN = new Uint8Array(2 * PAGE_BYTES);
const patternBytes = new Random(7);
for (let at = 0; at < PATTERN.length; at++) PATTERN[at] = patternBytes.below(256);

const KEY_AT = 24;
const UNITS_AT = 32;
/** As in `answer-cache.ts`. */
const EVICTIONS_BEFORE_PAGE = 32;

interface Placed {
  readonly id: number;
  readonly length: number;
  /** Of its octets in PATTERN. */
  readonly from: number;
  at: number;
  /** Of the slot that it lies in: what `usedBytes` grew by. */
  slotBytes: number;
  /** In the list of those that are live. */
  index: number;
}

/** The slab beside a plain map that knows every octet of every live entry. It is used as the cache uses it: the oldest go first, then a page is emptied. */
export class SlabModel {
  readonly slab: Slab;
  readonly random: Random;
  moved = 0;
  evicted = 0;
  rejected = 0;
  /** Octets of live entries as they were asked for. */
  liveBytes = 0;
  readonly #byId = new Map<number, Placed>();
  readonly #live: Placed[] = [];
  /** From the oldest on, dead ones among them; the first that may live is at `#oldest`. */
  #order: Placed[] = [];
  #oldest = 0;
  /** What `slab.usedBytes` was after the last call. */
  #usedBytes = 0;
  readonly #taken: Uint8Array;
  #ids = 0;

  constructor(pages: number, seed: number) {
    this.slab = new Slab(pages * PAGE_BYTES);
    this.random = new Random(seed);
    this.#taken = new Uint8Array(this.slab.byteLength / 16);
  }

  get size(): number {
    return this.#live.length;
  }

  store(length: number): void {
    const { slab } = this;
    let at = slab.allocate(length);
    for (let i = 0; at === -1 && i < EVICTIONS_BEFORE_PAGE && this.size > 0; i++) {
      this.#evictOldest();
      at = slab.allocate(length);
    }
    if (at === -1) {
      slab.emptyPage(
        length,
        (from, to) => this.#move(from, to),
        (from) => this.#evict(from),
      );
      at = slab.allocate(length);
    }
    if (at === -1) {
      this.rejected++;
      return;
    }
    const from = this.random.below(PAGE_BYTES);
    const placed = { id: this.#ids++, length, from, at, slotBytes: slab.usedBytes - this.#usedBytes, index: this.size };
    this.#usedBytes = slab.usedBytes;
    this.#write(placed);
    this.#byId.set(placed.id, placed);
    this.#live.push(placed);
    this.#order.push(placed);
    this.liveBytes += length;
  }

  /** Compares every octet of one entry. */
  lookUp(): void {
    if (this.size > 0) this.#assertIntact(this.#live[this.random.below(this.size)]!);
  }

  delete(): void {
    if (this.size === 0) return;
    this.#free(this.#live[this.random.below(this.size)]!);
  }

  deleteAll(): void {
    for (const placed of [...this.#live]) this.#free(placed);
  }

  /** Whole, one after the other: budget, places, contents. */
  assertSound(): void {
    const { slab } = this;
    this.#taken.fill(0);
    let slotBytes = 0;
    for (const placed of this.#live) {
      assert.ok(placed.slotBytes >= placed.length, 'a slot is as large as what it holds');
      const first = placed.at / 16;
      const end = first + placed.slotBytes / 16;
      assert.equal(this.#taken.subarray(first, end).includes(1), false, 'no two overlap');
      this.#taken.fill(1, first, end);
      const page = Math.floor(placed.at / PAGE_BYTES);
      assert.equal(Math.floor((placed.at + placed.slotBytes - 1) / PAGE_BYTES), page, 'a slot lies in one page');
      slotBytes += placed.slotBytes;
      this.#assertIntact(placed);
    }
    assert.equal(slab.usedBytes, slotBytes, 'what is used is the sum of the slots');
    assert.ok(slab.usedBytes <= slab.byteLength, 'never above the budget');
  }

  #write(placed: Placed): void {
    const { bytes, u16, u32 } = this.slab.memory;
    const { at, from, length } = placed;
    bytes.set(PATTERN.subarray(from, from + length), at);
    u32[(at + KEY_AT) >> 2] = placed.id;
    u16[(at + UNITS_AT) >> 1] = Math.ceil(length / 16);
  }

  #assertIntact({ id, at, from, length }: Placed): void {
    const { bytes, u32 } = this.slab.memory;
    assert.equal(u32[(at + KEY_AT) >> 2], id, 'the key is as it was written');
    assert.equal(this.slab.memory.length(at), Math.ceil(length / 16) * 16, 'so is the length');
    for (const [start, end] of [
      [0, KEY_AT],
      [KEY_AT + 4, UNITS_AT],
      [UNITS_AT + 2, length],
    ] as const) {
      const isSame = Buffer.compare(bytes.subarray(at + start, at + end), PATTERN.subarray(from + start, from + end));
      assert.equal(isSame, 0, `octets ${start} to ${end} of ${length} are as they were written`);
    }
  }

  #evictOldest(): void {
    let placed = this.#order[this.#oldest++]!;
    while (!this.#byId.has(placed.id)) placed = this.#order[this.#oldest++]!;
    if (this.#oldest > 65_536) {
      this.#order = this.#order.slice(this.#oldest);
      this.#oldest = 0;
    }
    this.#free(placed);
    this.evicted++;
  }

  /** The entry that lies there; the slab has only the key to find it by. */
  #at(at: number): Placed {
    const placed = this.#byId.get(this.slab.memory.key(at));
    assert.ok(placed !== undefined && placed.at === at, 'only live entries are moved and evicted, each once');
    return placed;
  }

  #evict(at: number): void {
    this.#free(this.#at(at));
    this.evicted++;
  }

  #move(from: number, to: number): void {
    const placed = this.#at(from);
    const slotBytes = this.slab.usedBytes - this.#usedBytes;
    this.slab.free(from);
    assert.equal(this.slab.usedBytes, this.#usedBytes + slotBytes - placed.slotBytes);
    this.#usedBytes = this.slab.usedBytes;
    placed.at = to;
    placed.slotBytes = slotBytes;
    this.moved++;
  }

  #free(placed: Placed): void {
    this.slab.free(placed.at);
    assert.equal(this.slab.usedBytes, this.#usedBytes - placed.slotBytes, 'a slot is given back whole');
    this.#usedBytes = this.slab.usedBytes;
    this.#byId.delete(placed.id);
    const last = this.#live.pop()!;
    if (last !== placed) {
      last.index = placed.index;
      this.#live[last.index] = last;
    }
    this.liveBytes -= placed.length;
  }
}
