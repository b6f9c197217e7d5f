import type { AnswerCache } from '../../cache/answer-cache.ts';
import type { CacheQuestion } from '../../cache/cache-question.ts';
import { KIND_FAILURE, KIND_NEGATIVE } from '../../cache/entry-memory.ts';
import { EVERY_TYPE } from '../../cache/key.ts';
import { CLASS_IN, FLAG_RD, HEADER_LENGTH, RCODE_NXDOMAIN, TYPE_A, TYPE_AAAA, TYPE_SRV } from '../../wire/constants.ts';
import { hashName } from '../../wire/query.ts';
import type { Zone } from '../zone.ts';

/** Nothing is known of a cut. */
export const CUT_UNKNOWN = 0;
/** It does not exist, and so nothing below it: a live answer says so. */
export const CUT_ABSENT = 1;
/** It did not exist when it was last asked for, and probably still does not. */
export const CUT_WAS_ABSENT = 2;
/** It exists, or did when it was last asked for. */
export const CUT_EXISTS = 3;
/** It was just asked for, and no answer came. */
export const CUT_FAILED = 4;

const NO_BYTES = new Uint8Array(0);
/** For how long after its end an answer tells what to expect. */
const REMEMBERED_SECONDS = 3600;
/** What names are asked for: a good answer to any of them says that the name exists. */
const ASKED_TYPES = [TYPE_A, TYPE_AAAA, TYPE_SRV];

/** What the cache knows of the names above a name. It has no memory of its own, so what drops an answer drops what follows from it. */
export class Cuts {
  readonly #cache: AnswerCache;
  readonly #question: Suffix;
  /** The entry that the last `look` rests on, where it found one. Valid until the cache's next `store`. */
  entry = -1;

  /** `seed`: of the names in the cache's keys. */
  constructor(cache: AnswerCache, seed: number) {
    this.#cache = cache;
    this.#question = new Suffix(seed);
  }

  /** One of CUT_* of the name that begins at `at` of `bytes` and ends at `nameEnd`, uncompressed. */
  look(bytes: Uint8Array, at: number, nameEnd: number, nowMs: number): number {
    const cache = this.#cache;
    const question = this.#question;
    question.set(bytes, at, nameEnd);
    question.type = TYPE_A;
    this.entry = cache.findFresh(question, nowMs);
    if (this.entry !== -1) {
      if (cache.memory.kind(this.entry) === KIND_FAILURE) return CUT_FAILED;
      return this.#isAbsent(this.entry) ? CUT_ABSENT : CUT_EXISTS;
    }
    const ofA = cache.findExpired(question, nowMs, REMEMBERED_SECONDS);
    question.type = EVERY_TYPE;
    const ofName = cache.findExpired(question, nowMs, REMEMBERED_SECONDS);
    this.entry = this.#later(ofA, ofName);
    if (this.entry === -1) return CUT_UNKNOWN;
    return this.#isAbsent(this.entry) ? CUT_WAS_ABSENT : CUT_EXISTS;
  }

  /**
   * Whether a live answer, or one that is kept as the last good one, says that the very name exists: it is never hidden by what is said of another. `isBridging`: nor is one whose time
   * is over, as long as it may be given.
   */
  hasRecords(bytes: Uint8Array, at: number, nameEnd: number, zone: Zone, nowMs: number, isBridging: boolean): boolean {
    const { keepLastGoodSeconds, staleSeconds } = zone.cache;
    const bridgeSeconds = isBridging || keepLastGoodSeconds > 0 ? staleSeconds : 0;
    const goodSeconds = Math.max(keepLastGoodSeconds, bridgeSeconds);
    const question = this.#question;
    question.set(bytes, at, nameEnd);
    for (const type of ASKED_TYPES) {
      if (this.#cache.lastGood(question, type, nowMs, goodSeconds) !== -1) return true;
    }
    return false;
  }

  #isAbsent(at: number): boolean {
    const { memory } = this.#cache;
    // With a CNAME in the answer it is the chain's end that does not exist (RFC 6604, section 3).
    return memory.kind(at) === KIND_NEGATIVE && memory.rcode(at) === RCODE_NXDOMAIN && memory.answers(at) === 0;
  }

  #later(a: number, b: number): number {
    if (a === -1 || b === -1) return a === -1 ? b : a;
    const { memory } = this.#cache;
    return memory.freshUntilMs(b) > memory.freshUntilMs(a) ? b : a;
  }
}

/** The question about the end of a name, in the midst of the bytes where that lies. */
class Suffix implements CacheQuestion {
  bytes: Uint8Array = NO_BYTES;
  start = 0;
  nameEnd = 0;
  questionEnd = 0;
  nameHash = 0;
  type = TYPE_A;
  readonly class = CLASS_IN;
  readonly dnssecOk = false;
  readonly flags = FLAG_RD;
  readonly #seed: number;

  constructor(seed: number) {
    this.#seed = seed | 0;
  }

  set(bytes: Uint8Array, at: number, nameEnd: number): void {
    this.bytes = bytes;
    this.start = at - HEADER_LENGTH;
    this.nameEnd = nameEnd;
    this.questionEnd = nameEnd + 4;
    this.nameHash = hashName(bytes, at, nameEnd, this.#seed);
  }
}
