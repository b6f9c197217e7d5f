import type { AnswerCache } from '../../cache/answer-cache.ts';
import type { EntryDigest } from '../../cache/entry-digest.ts';
import { liveUntil } from '../../cache/entry-life.ts';
import { KIND_FAILURE, STATE_KEPT } from '../../cache/entry-memory.ts';
import type { QueryView } from '../../wire/query.ts';
import { SETTLING_MS } from './re-asking.ts';

/** What a client is told, and until when the answer is a hit like any other. */
const RENEWED_SECONDS = 5;
const RENEWED_MS = RENEWED_SECONDS * 1000;
/**
 * From its confirmation an answer lives for ten minutes at most. It may be asked for ahead after this: there is one more renewal to come, during which the first client to ask has it
 * asked, and none waits.
 */
const LEASE_MS = 600_000 - 2 * RENEWED_MS;
/** An answer that might be leased is asked for once more at the first hit after so long, not only near its end: so a name costs two questions at its first use, and none in the minutes after. */
const ASKED_AGAIN_MS = 1000;
/** From the last change, and the beginning of the watch, until an answer may be confirmed: the cluster DNS had 5 s to hear of it when the question left, which may have been on its way as long. */
const CONFIRMED_AFTER_MS = 2 * SETTLING_MS;
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

  /** What was said before, and has not been called out of date, to a question whose new answer is about to be kept; NOTHING where nothing was. */
  before(question: QueryView, nowMs: number): number {
    if (this.#followedMs > nowMs) return NOTHING;
    const { memory } = this.#cache;
    const at = this.#cache.findExpired(question, nowMs, Number.POSITIVE_INFINITY);
    return at === -1 || memory.isOutdated(at) ? NOTHING : this.#digest.of(memory, at);
  }

  /** Confirms the new entry at `at` of a Service that changed `ageMs` ago, where it says the same as what was said before; else sees to it that it is asked for again. */
  confirm(at: number, before: number, ageMs: number, nowMs: number): void {
    const { memory } = this.#cache;
    if (this.#followedMs > nowMs || memory.kind(at) === KIND_FAILURE || memory.has(at, STATE_KEPT)) return;
    const settledMs = Math.max(this.#followedMs, nowMs - ageMs) + CONFIRMED_AFTER_MS;
    const isSame = before !== NOTHING && this.#digest.of(memory, at) === before;
    if (isSame && nowMs >= settledMs) {
      memory.setLeased(at, nowMs + LEASE_MS);
      this.granted++;
    } else if (isSame || before === NOTHING) {
      const againMs = Math.max(nowMs + ASKED_AGAIN_MS, settledMs);
      if (againMs >= memory.refreshAtMs(at)) return;
      memory.setRefreshAtMs(at, againMs);
      // The next one is enough.
      memory.setHits(at, 1);
    }
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
