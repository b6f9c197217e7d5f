import { ENTRY_LINKS, GROUP_LINKS } from '../core/limits.ts';
import type { Steps } from '../core/slices.ts';

const NONE = -1;
const FIRST_LINKS = 1024;
/** Links of a group that are compared before another is put in front: one that stands there twice costs a look-up when the group is taken. */
const COMPARED = 32;
const BUCKETS_A_STEP = 256;

/**
 * Which entries of the cache belong to which group, so that a group can be dropped without a walk of the cache. Groups are numbers of the caller's, entries their keys in the
 * index. An entry that is given up stays here until its group is taken or `sweep` comes: that costs 12 bytes, and the hot path nothing.
 *
 *     heads[group & mask] ─▶ group, key, next ─▶ group, key, next ─▶ -1
 */
export class EntryLinks {
  #heads = new Int32Array(FIRST_LINKS).fill(NONE);
  /** Links behind each head. */
  #counts = new Int32Array(FIRST_LINKS);
  #groups = new Int32Array(FIRST_LINKS);
  #keys = new Int32Array(FIRST_LINKS);
  #next = new Int32Array(FIRST_LINKS);
  /** Links from here on were never used. */
  #end = 0;
  #free = NONE;
  size = 0;

  /** Notes that an entry belongs to a group. False where there is no room. */
  add(group: number, key: number): boolean {
    let link = this.#heads[group & (this.#heads.length - 1)]!;
    for (let compared = 0; link !== NONE && compared < COMPARED; compared++) {
      if (this.#keys[link] === key && this.#groups[link] === group) return true;
      link = this.#next[link]!;
    }
    const place = this.#place();
    if (place === NONE) return false;
    this.#groups[place] = group;
    this.#keys[place] = key;
    this.#put(place);
    this.size++;
    return true;
  }

  /** Whether so many stand in a group's row that to take the group takes long. */
  isCrowded(group: number): boolean {
    return this.#counts[group & (this.#heads.length - 1)]! >= GROUP_LINKS.value;
  }

  /** Hands out the keys of a group, which has none then. `visit` may not call back. */
  take(group: number, visit: (key: number) => void): void {
    const bucket = group & (this.#heads.length - 1);
    let before = NONE;
    for (let link = this.#heads[bucket]!; link !== NONE; ) {
      const next = this.#next[link]!;
      if (this.#groups[link] === group) {
        const key = this.#keys[link]!;
        this.#remove(link, before, bucket);
        visit(key);
      } else {
        before = link;
      }
      link = next;
    }
  }

  /** Hands out the keys of all groups in a group's row, which is empty then. `visit` may not call back. */
  takeRow(group: number, visit: (key: number) => void): void {
    const bucket = group & (this.#heads.length - 1);
    for (let link = this.#heads[bucket]!; link !== NONE; link = this.#heads[bucket]!) {
      const key = this.#keys[link]!;
      this.#remove(link, NONE, bucket);
      visit(key);
    }
  }

  /** Forgets the entries that are not there any more, and what stands here twice, while the others are at work. */
  *sweep(isThere: (key: number) => boolean): Steps<void> {
    const seen = new Set<string>();
    for (let bucket = 0; bucket < this.#heads.length; bucket++) {
      seen.clear();
      let before = NONE;
      for (let link = this.#heads[bucket]!; link !== NONE; ) {
        const next = this.#next[link]!;
        const key = this.#keys[link]!;
        const known = `${this.#groups[link]} ${key}`;
        if (seen.has(known) || !isThere(key)) {
          this.#remove(link, before, bucket);
        } else {
          seen.add(known);
          before = link;
        }
        link = next;
      }
      if (bucket % BUCKETS_A_STEP === 0) yield;
    }
  }

  /** Hands out all keys, a step for some hundred. */
  *forEach(visit: (key: number) => void): Steps<void> {
    for (let bucket = 0; bucket < this.#heads.length; bucket++) {
      for (let link = this.#heads[bucket]!; link !== NONE; link = this.#next[link]!) visit(this.#keys[link]!);
      if (bucket % BUCKETS_A_STEP === 0) yield;
    }
  }

  #put(link: number): void {
    const bucket = this.#groups[link]! & (this.#heads.length - 1);
    this.#next[link] = this.#heads[bucket]!;
    this.#heads[bucket] = link;
    this.#counts[bucket]!++;
  }

  #remove(link: number, before: number, bucket: number): void {
    const next = this.#next[link]!;
    if (before === NONE) this.#heads[bucket] = next;
    else this.#next[before] = next;
    this.#counts[bucket]!--;
    this.#next[link] = this.#free;
    this.#free = link;
    this.size--;
  }

  #place(): number {
    const free = this.#free;
    if (free !== NONE) {
      this.#free = this.#next[free]!;
      return free;
    }
    if (this.#end === this.#keys.length && !this.#grow()) return NONE;
    return this.#end++;
  }

  /** All links are in use. */
  #grow(): boolean {
    const length = Math.min(2 * this.#keys.length, ENTRY_LINKS.value);
    if (length <= this.#end) {
      ENTRY_LINKS.hits++;
      return false;
    }
    this.#groups = longer(this.#groups, length);
    this.#keys = longer(this.#keys, length);
    this.#next = longer(this.#next, length);
    this.#heads = new Int32Array(2 * this.#heads.length).fill(NONE);
    this.#counts = new Int32Array(this.#heads.length);
    for (let link = 0; link < this.#end; link++) this.#put(link);
    return true;
  }
}

function longer(before: Int32Array, length: number): Int32Array<ArrayBuffer> {
  const after = new Int32Array(length);
  after.set(before);
  return after;
}
