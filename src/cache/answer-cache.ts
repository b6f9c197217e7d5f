import { CACHED_ANSWER } from '../core/limits.ts';
import { HEADER_LENGTH, TYPE_A, TYPE_AAAA } from '../wire/constants.ts';
import { equalFolded } from '../wire/name.ts';
import type { AnswerDraft } from './answer-draft.ts';
import type { CacheQuestion } from './cache-question.ts';
import { Drops, type DropWatch, type NameTest } from './drops.ts';
import { EntryIndex } from './entry-index.ts';
import {
  ENTRY_HEADER,
  KIND_FAILURE,
  KIND_POSITIVE,
  STATE_KEPT,
  STATE_LOADED,
  STATE_REFRESHING,
} from './entry-memory.ts';
import { entryLength, writeEntry } from './entry-writer.ts';
import { dnssecBits, EVERY_TYPE, keyOf } from './key.ts';
import { Slab } from './slab.ts';

export interface AnswerCacheOptions {
  /** Bytes of everything: slab and index. At least one MiB. */
  bytes: number;
}

/** An entry of the usual kind (a name of 30 B, two or three records) and the waste of its slot. Smaller ones may fill the index first. */
const USUAL_ENTRY_BYTES = 192;
/** What `restore` says of an answer that there is no room for, and of one of which something fresher is known. */
export const NO_ROOM = -1;
export const KNOWN = -2;
/** Cold entries that are given up before a page is emptied for another size: what is cold is of mixed sizes, and one of them mostly fits. */
const EVICTIONS_BEFORE_PAGE = 32;

/**
 * All answers, of all zones, in one budget of bytes. The index maps a hash to an entry's offset in the slab; what is asked no more goes first.
 * No call throws, and a look-up allocates nothing. Offsets are valid until the next `store`.
 */
export class AnswerCache {
  readonly #slab: Slab;
  readonly #index: EntryIndex;
  readonly #drops: Drops;
  #lastTyped = -1;
  #lastName = -1;
  readonly #move = (from: number, to: number): void => {
    this.#index.move(this.memory.key(from), to);
    this.#slab.free(from);
    this.#drops.moved(to);
  };
  readonly #evict = (at: number): void => {
    this.#delete(this.memory.key(at));
    this.evictions++;
  };
  /** Bytes of the index as large as it may become. */
  readonly indexBytes: number;
  /** Entries given up for room, read by the metrics; so are `rejected`, answers that found none. */
  evictions = 0;
  rejected = 0;
  /** Entries that say "no" or "failed". */
  denials = 0;
  /** Answers kept since the start: where it has not moved, there is nothing new. */
  stored = 0;
  /** Called whenever entries are dropped by their names, before that; with the zone, an uncompressed name, where it is one. */
  onDrop: (zone?: Uint8Array) => void = () => {};
  /**
   * Told of every answer that is kept, and may shorten its life or drop it; `question` is what it was asked for. `isRestored`: another process asked, some time ago. Undefined: nobody
   * wants to know.
   */
  onKeep: ((at: number, question: CacheQuestion, isRestored: boolean) => void) | undefined = undefined;
  /** Images begun; see `image-writer.ts`. */
  images = 0;

  constructor({ bytes }: AnswerCacheOptions) {
    const places = EntryIndex.placesFor(bytes / USUAL_ENTRY_BYTES);
    this.indexBytes = EntryIndex.bytesOf(places);
    this.#index = new EntryIndex(places);
    this.#slab = new Slab(bytes - this.indexBytes);
    this.#drops = new Drops({ slab: this.#slab, onDrop: (at) => this.#delete(this.memory.key(at)) });
  }

  get memory() {
    return this.#slab.memory;
  }

  get size(): number {
    return this.#index.size;
  }

  /** Entries dropped with their zone since the start. */
  get dropped(): number {
    return this.#drops.dropped;
  }

  /** Bytes of the places in use, and of the index as large as it may become. */
  get usedBytes(): number {
    return this.#slab.usedBytes + this.indexBytes;
  }

  /** Bytes that it may come to use. */
  get budgetBytes(): number {
    return this.#slab.byteLength + this.indexBytes;
  }

  /**
   * Offset of the entry that answers `question` now, or -1. A name that does not exist answers every type, but never
   * instead of a live entry of the type that was asked.
   */
  findFresh(question: CacheQuestion, nowMs: number): number {
    this.#lastTyped = this.#find(question, question.type);
    this.#lastName = -1;
    if (this.#isLive(this.#lastTyped, nowMs)) return this.#lastTyped;
    this.#lastName = this.#find(question, EVERY_TYPE);
    return this.#isLive(this.#lastName, nowMs) ? this.#lastName : -1;
  }

  /**
   * Offset of the entry that may be given although its time is over, or -1: no failure, and ended less than `staleSeconds` ago. Of the question
   * that `findFresh` was last called with, right before: a miss looks up once.
   */
  expiredOfLast(nowMs: number, staleSeconds: number): number {
    if (this.#isBridge(this.#lastTyped, nowMs, staleSeconds)) return this.#lastTyped;
    return this.#isBridge(this.#lastName, nowMs, staleSeconds) ? this.#lastName : -1;
  }

  /** The same of any question; an entry that is still live is found too. */
  findExpired(question: CacheQuestion, nowMs: number, staleSeconds: number): number {
    this.#lastTyped = this.#find(question, question.type);
    this.#lastName = this.#find(question, EVERY_TYPE);
    return this.expiredOfLast(nowMs, staleSeconds);
  }

  /**
   * Offset of the last good answer to the question's name and that type, or -1: one with records, that ended less than `goodSeconds` ago, or that is kept
   * already and may be for longer.
   */
  lastGood(question: CacheQuestion, type: number, nowMs: number, goodSeconds: number): number {
    const at = this.#find(question, type);
    if (at === -1 || this.memory.kind(at) !== KIND_POSITIVE || this.memory.isOutdated(at)) return -1;
    return this.#isBridge(at, nowMs, goodSeconds) ? at : -1;
  }

  /** Keeps an answer for `question` and returns its offset, or -1 where there is no room. */
  store(question: CacheQuestion, answer: AnswerDraft, nowMs: number): number {
    const type = answer.isForName ? EVERY_TYPE : question.type;
    // Asked for type 0, an answer would stand where what is said of every type does.
    if (type === EVERY_TYPE && !answer.isForName) return -1;
    const length = entryLength(question, answer);
    if (length > CACHED_ANSWER.value) {
      CACHED_ANSWER.hits++;
      return -1;
    }
    if (this.#index.size === this.#index.capacity) this.#evictOne();
    const at = this.#allocate(length);
    if (at === -1) {
      this.rejected++;
      return -1;
    }
    const key = this.#key(question, type);
    writeEntry(this.memory, at, key, type, question, answer, nowMs);
    this.memory.setGeneration(at, this.#drops.generation);
    this.#giveBack(this.#index.set(key, at));
    this.stored++;
    if (answer.kind !== KIND_POSITIVE) this.denials++;
    // The name exists after all: what said otherwise is out of date.
    if (answer.kind !== KIND_FAILURE && !answer.isForName) this.#delete(this.#key(question, EVERY_TYPE));
    this.onKeep?.(at, question, false);
    return at;
  }

  /** Offset of the entry under a key, as `EntryMemory.key` has it, or -1. */
  entry(key: number): number {
    const at = this.#index.find(key);
    return at !== -1 && this.#drops.pending > 0 && this.#drops.covers(at) ? -1 : at;
  }

  /**
   * The entry at `at` is out of date: no look-up finds it live from now on. What has records stays, as a bridge for when no upstream answers at all (see `StaleRule`);
   * anything else is gone.
   */
  outdate(at: number, nowMs: number): void {
    const { memory } = this;
    if (memory.kind(at) !== KIND_POSITIVE || memory.has(at, STATE_KEPT)) {
      this.#delete(memory.key(at));
      return;
    }
    if (memory.freshUntilMs(at) > nowMs) memory.setFreshUntilMs(at, nowMs);
    memory.setRefreshAtMs(at, Number.POSITIVE_INFINITY);
    memory.unmark(at, STATE_REFRESHING);
    memory.setOutdated(at);
  }

  /** Forgets the entry at `at`. */
  forget(at: number): void {
    this.#delete(this.memory.key(at));
  }

  /**
   * Offset of the entry whose time is over but for its lease, which ends `graceMs` after it is to be refreshed, or -1. Of the question that `findFresh` was last called with, right
   * before.
   */
  leasedOfLast(nowMs: number, graceMs: number): number {
    if (this.#isOnLease(this.#lastTyped, nowMs, graceMs)) return this.#lastTyped;
    return this.#isOnLease(this.#lastName, nowMs, graceMs) ? this.#lastName : -1;
  }

  /** Makes ready for so many entries that are put in one after the other. */
  expect(entries: number): void {
    this.#index.reserve(entries);
  }

  /**
   * Puts in an answer that another process knew, and returns its offset; KNOWN where this one has asked since, NO_ROOM where it would have to take the
   * place of another. Its life is for the caller to set.
   */
  restore(question: CacheQuestion, answer: AnswerDraft, nowMs: number): number {
    const type = answer.isForName ? EVERY_TYPE : question.type;
    const key = this.#key(question, type);
    const there = this.#index.find(key);
    if (there !== -1 && !this.#givesWay(there)) return KNOWN;
    if (answer.isForName && (this.#hasOwn(question, TYPE_A) || this.#hasOwn(question, TYPE_AAAA))) return KNOWN;
    const length = entryLength(question, answer);
    if (length > CACHED_ANSWER.value || (there === -1 && this.#index.size === this.#index.capacity)) return NO_ROOM;
    const at = this.#slab.allocate(length);
    if (at === -1) return NO_ROOM;
    writeEntry(this.memory, at, key, type, question, answer, nowMs);
    this.memory.setGeneration(at, this.#drops.generation);
    this.memory.mark(at, STATE_LOADED);
    this.#giveBack(this.#index.set(key, at));
    if (answer.kind !== KIND_POSITIVE) this.denials++;
    if (!answer.isForName) this.#deleteLoadedDenial(question);
    return at;
  }

  /**
   * Notes that asking again failed, and is not due before `recheckAtMs`: what is there, live or expired, is not replaced by a failure.
   * False where nothing is there, or something that is known to be out of date while an upstream has said at least that it failed.
   */
  postpone(
    question: CacheQuestion,
    nowMs: number,
    recheckAtMs: number,
    staleSeconds: number,
    isSilent: boolean,
  ): boolean {
    const at = this.findExpired(question, nowMs, staleSeconds);
    if (at === -1 || (this.memory.isOutdated(at) && !isSilent)) return false;
    this.memory.setRecheckAtMs(at, recheckAtMs);
    if (!this.memory.has(at, STATE_KEPT)) {
      this.memory.setRefreshAtMs(at, Math.max(this.memory.refreshAtMs(at), recheckAtMs));
    }
    this.memory.unmark(at, STATE_REFRESHING);
    return true;
  }

  /**
   * Drops every entry whose name is `zone`, an uncompressed name, or below it, or is meant by `isMeantToo`: no look-up finds them from now on. Returns how many of their places are free
   * already; a large cache is walked in the turns that follow, so that the loop is not held up.
   */
  dropBelow(zone: Uint8Array, isMeantToo?: NameTest): number {
    this.onDrop(zone);
    return this.#drops.add(zone, isMeantToo);
  }

  /**
   * Drops, in the same way, every entry whose name is meant. While `isTesting`, the drop before is not over, and `isMeant` takes its place: it must mean
   * all that was meant then.
   */
  dropWhere(isMeant: NameTest): void {
    this.onDrop();
    this.#drops.addTest(isMeant);
  }

  /**
   * Drops what is meant in the same way, and tells nobody: for what each process that has a part of this cache finds out and drops by itself. `mark`: an uncompressed name that no other
   * drop has.
   */
  dropQuietly(mark: Uint8Array, isMeant: NameTest): void {
    this.#drops.add(mark, isMeant);
  }

  /** Counts zones dropped, and goes round at 65,536: as long as it stays, nothing was. */
  get generation(): number {
    return this.#drops.generation;
  }

  /** Notes what is dropped from now on, for one who puts in what is older. */
  watchDrops(): DropWatch {
    return this.#drops.watch();
  }

  /** Pages of the slab, which `forEachOfPage` hands out. */
  get pages(): number {
    return this.#slab.pages;
  }

  /** Hands out the entries of a page that are not dropped; `visit` may change what is said of their lives. */
  forEachOfPage(page: number, visit: (at: number) => void): void {
    this.#slab.forEachOfPage(page, (at) => {
      if (this.#drops.pending === 0 || !this.#drops.covers(at)) visit(at);
    });
  }

  get isTesting(): boolean {
    return this.#drops.isTesting;
  }

  #find(question: CacheQuestion, type: number): number {
    const at = this.#index.find(this.#key(question, type));
    if (at === -1 || !this.#isSame(at, question, type)) return -1;
    return this.#drops.pending > 0 && this.#drops.covers(at) ? -1 : at;
  }

  #key(question: CacheQuestion, type: number): number {
    return keyOf(question.nameHash, type, question.class, dnssecBits(question.dnssecOk, question.flags));
  }

  /** Compares whole: two questions may share a key, and then the one that is not stored is a miss. */
  #isSame(at: number, question: CacheQuestion, type: number): boolean {
    const memory = this.memory;
    const nameStart = question.start + HEADER_LENGTH;
    const nameLength = question.nameEnd - nameStart;
    if (memory.questionLength(at) !== nameLength + 4) return false;
    if (memory.dnssecBits(at) !== dnssecBits(question.dnssecOk, question.flags)) return false;
    const stored = at + ENTRY_HEADER;
    const { bytes } = memory;
    const codes = stored + nameLength;
    return (
      ((bytes[codes]! << 8) | bytes[codes + 1]!) === type &&
      ((bytes[codes + 2]! << 8) | bytes[codes + 3]!) === question.class &&
      equalFolded(bytes, stored, question.bytes, nameStart, nameLength)
    );
  }

  /** Whether an entry may be replaced by what another process knew. */
  #givesWay(at: number): boolean {
    const { memory } = this;
    if (memory.has(at, STATE_LOADED) || memory.kind(at) === KIND_FAILURE) return true;
    return this.#drops.pending > 0 && this.#drops.covers(at);
  }

  /** Whether this process was told that the name exists, or has no such records. */
  #hasOwn(question: CacheQuestion, type: number): boolean {
    const at = this.#find(question, type);
    return at !== -1 && !this.#givesWay(at);
  }

  #deleteLoadedDenial(question: CacheQuestion): void {
    const at = this.#find(question, EVERY_TYPE);
    if (at !== -1 && this.memory.has(at, STATE_LOADED)) this.#delete(this.memory.key(at));
  }

  #isOnLease(at: number, nowMs: number, graceMs: number): boolean {
    if (at === -1) return false;
    const { memory } = this;
    return memory.isLeased(at) && memory.freshUntilMs(at) <= nowMs && nowMs < memory.refreshAtMs(at) + graceMs;
  }

  #isLive(at: number, nowMs: number): boolean {
    return at !== -1 && this.memory.freshUntilMs(at) > nowMs;
  }

  #isBridge(at: number, nowMs: number, staleSeconds: number): boolean {
    if (at === -1) return false;
    const { memory } = this;
    if (memory.has(at, STATE_KEPT)) return nowMs < memory.refreshAtMs(at);
    return memory.kind(at) !== KIND_FAILURE && nowMs < memory.freshUntilMs(at) + staleSeconds * 1000;
  }

  #allocate(length: number): number {
    let at = this.#slab.allocate(length);
    for (let evicted = 0; at === -1 && evicted < EVICTIONS_BEFORE_PAGE && this.#index.size > 0; evicted++) {
      this.#evictOne();
      at = this.#slab.allocate(length);
    }
    if (at !== -1) return at;
    this.#slab.emptyPage(length, this.#move, this.#evict);
    return this.#slab.allocate(length);
  }

  #evictOne(): void {
    this.#giveBack(this.#index.evict());
    this.evictions++;
  }

  #delete(key: number): void {
    this.#giveBack(this.#index.delete(key));
  }

  /** Frees the place of an entry that the index no longer knows. */
  #giveBack(at: number): void {
    if (at === -1) return;
    if (this.memory.kind(at) !== KIND_POSITIVE) this.denials--;
    this.#slab.free(at);
  }
}
