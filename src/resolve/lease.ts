import type { AnswerCache } from '../cache/answer-cache.ts';
import type { EntryDigest } from '../cache/entry-digest.ts';
import { liveUntil } from '../cache/entry-life.ts';
import { KIND_FAILURE, STATE_KEPT } from '../cache/entry-memory.ts';
import type { QueryView } from '../wire/query.ts';

/** What a client is told, and until when the answer is a hit like any other. */
const RENEWED_SECONDS = 5;
const RENEWED_MS = RENEWED_SECONDS * 1000;
/**
 * From its confirmation an answer lives for ten minutes at most. It may be asked for ahead after this: there is one more renewal to come, during which the first client to ask has it
 * asked, and none waits.
 */
const LEASE_MS = 600_000 - 2 * RENEWED_MS;
/** Nothing is to compare with. */
export const NOTHING = -1;

export interface LeaseParts {
  cache: AnswerCache;
  digest: EntryDigest;
}

/**
 * Answers of Services that live past their TTL, five seconds at a time, while the watch of the cluster would say if they changed (`--lease`). An answer is confirmed when it was
 * given twice, the second time a good while after the Service's last change: a replica of the cluster DNS may be behind. A change drops the entry, and a gap of the watch ends
 * all leases from before it. Only for names of Services and below whose answer has no CNAME, and not for clients that check signatures (DO or CD), since these have ends of their own.
 */
export class Lease {
  readonly #cache: AnswerCache;
  readonly #digest: EntryDigest;
  /** The watch has been followed without a gap since then; Infinity: it is not. */
  #followedMs = Number.POSITIVE_INFINITY;
  /** Read by the metrics: answers confirmed, and their lives made longer. */
  granted = 0;
  renewed = 0;

  constructor({ cache, digest }: LeaseParts) {
    this.#cache = cache;
    this.#digest = digest;
  }

  setFollowed(isFollowed: boolean, nowMs: number): void {
    this.#followedMs = isFollowed ? nowMs : Number.POSITIVE_INFINITY;
  }

  /** What was said before to a question whose new answer is about to be kept; NOTHING where nothing was, or may be leased. */
  before(question: QueryView, nowMs: number): number {
    if (this.#followedMs > nowMs || question.dnssecOk) return NOTHING;
    const at = this.#cache.findExpired(question, nowMs, Number.POSITIVE_INFINITY);
    if (at === -1 || this.#cache.memory.dnssecBits(at) !== 0) return NOTHING;
    return this.#digest.of(this.#cache.memory, at);
  }

  /** Confirms the entry at `at`, of which `before` was said before. `isSettled`: neither it nor the watch has changed for a while. */
  confirm(at: number, before: number, isSettled: boolean, nowMs: number): void {
    const { memory } = this.#cache;
    if (before === NOTHING || !isSettled || memory.kind(at) === KIND_FAILURE || memory.has(at, STATE_KEPT)) return;
    if (this.#digest.of(memory, at) !== before) return;
    memory.setLeased(at, nowMs + LEASE_MS);
    this.granted++;
  }

  /** How long the watch has been followed, in ms; below 0: it is not. */
  followedFor(nowMs: number): number {
    return nowMs - this.#followedMs;
  }

  /** Lets the entry that answers the question of which `AnswerCache.findFresh` just found none live on, and returns its offset; -1: there is none. */
  renew(nowMs: number): number {
    if (this.#followedMs > nowMs) return -1;
    const at = this.#cache.leasedOfLast(nowMs, RENEWED_MS);
    if (at === -1) return -1;
    const { memory } = this.#cache;
    if (memory.refreshAtMs(at) - LEASE_MS <= this.#followedMs) return -1;
    liveUntil(memory, at, nowMs + RENEWED_MS, RENEWED_SECONDS);
    this.renewed++;
    return at;
  }
}
