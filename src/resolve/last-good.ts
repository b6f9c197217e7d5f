import type { AnswerCache } from '../cache/answer-cache.ts';
import type { AnswerDraft } from '../cache/answer-draft.ts';
import { type CacheTraffic, KEPT_LAST_GOOD } from '../cache/cache-traffic.ts';
import { KIND_NEGATIVE, STATE_KEPT } from '../cache/entry-memory.ts';
import type { CachePolicy } from '../config/config.ts';
import {
  FLAG_TC,
  RCODE_NOERROR,
  RCODE_NXDOMAIN,
  TYPE_A,
  TYPE_AAAA,
  TYPE_CNAME,
  TYPE_HTTPS,
  TYPE_MX,
  TYPE_NS,
  TYPE_PTR,
  TYPE_SRV,
  TYPE_TXT,
} from '../wire/constants.ts';
import type { QueryView } from '../wire/query.ts';
import { LAST_GOOD } from './extended-errors.ts';
import type { Freshness } from './freshness/freshness.ts';
import type { Zone } from './zone.ts';

/** What names are asked for: a good answer to any of them says that the name exists. */
const ASKED_TYPES = [TYPE_A, TYPE_AAAA, TYPE_SRV, TYPE_TXT, TYPE_CNAME, TYPE_MX, TYPE_PTR, TYPE_HTTPS, TYPE_NS];

export interface LastGoodParts {
  cache: AnswerCache;
  cacheTraffic: CacheTraffic;
  /** Undefined: nothing is known of the cluster. */
  freshness?: Freshness | undefined;
}

/**
 * Bridges a sudden "no": where a name had an answer and an upstream all at once says NXDOMAIN, or has no records, what it had goes on for a while (a cluster
 * DNS that starts before it knows its Services, a zone that was loaded empty). From the first "no" for at most so long as the zone says; a good answer ends it at
 * once. While it lasts the upstream is asked again whenever the short life of what is kept is over. Of a Service that is known to be gone, the "no" is no surprise.
 */
export class LastGood {
  readonly #parts: LastGoodParts;

  constructor(parts: LastGoodParts) {
    this.#parts = parts;
  }

  /** Where `draft` says "no" to a question that had a good answer, it becomes that answer. */
  mend(question: QueryView, draft: AnswerDraft, zone: Zone, nowMs: number): void {
    if (draft.kind !== KIND_NEGATIVE || (draft.flags & FLAG_TC) !== 0) return;
    const policy = zone.cache;
    const at = this.#find(question, question.type, policy, nowMs);
    if (at !== -1) {
      this.#keep(at, draft, policy, nowMs);
      draft.zone = zone.id;
      this.#parts.cacheTraffic.count(zone.id, KEPT_LAST_GOOD);
    } else if (draft.rcode === RCODE_NXDOMAIN && this.#exists(question, policy, nowMs)) {
      soften(draft, policy);
    }
  }

  #keep(at: number, draft: AnswerDraft, policy: CachePolicy, nowMs: number): void {
    const { memory } = this.#parts.cache;
    const untilMs = memory.has(at, STATE_KEPT) ? memory.refreshAtMs(at) : nowMs + policy.keepLastGoodSeconds * 1000;
    draft.takeEntry(memory, at);
    draft.seconds = Math.min(shortSeconds(policy), Math.ceil((untilMs - nowMs) / 1000));
    draft.capSeconds = draft.seconds;
    draft.isPrefetched = false;
    draft.keptUntilMs = untilMs;
    draft.setOptions(LAST_GOOD, 0, LAST_GOOD.length);
  }

  #exists(question: QueryView, policy: CachePolicy, nowMs: number): boolean {
    for (const type of ASKED_TYPES) if (this.#find(question, type, policy, nowMs) !== -1) return true;
    return false;
  }

  /** Offset of the last good answer of that type, or -1. */
  #find(question: QueryView, type: number, policy: CachePolicy, nowMs: number): number {
    const { cache, freshness } = this.#parts;
    const at = cache.lastGood(question, type, nowMs, goodSeconds(policy));
    return at !== -1 && freshness?.isOfGone(at) === true ? -1 : at;
  }
}

/**
 * NXDOMAIN for one type while another has records would be no consistent zone: some resolvers then take the whole name for absent. And kept for the name it would
 * come to stand before what is kept. So it is NODATA, of this type, and soon asked again.
 */
function soften(draft: AnswerDraft, policy: CachePolicy): void {
  draft.rcode = RCODE_NOERROR;
  draft.isForName = false;
  if (draft.seconds === 0) return;
  draft.seconds = Math.min(draft.seconds, shortSeconds(policy));
  draft.capSeconds = draft.seconds;
}

function shortSeconds(policy: CachePolicy): number {
  return Math.max(1, policy.staleTtlSeconds);
}

/** How long after its end an answer still counts as the last good one: as long as it would bridge a silent upstream. */
function goodSeconds(policy: CachePolicy): number {
  return Math.max(policy.staleSeconds, policy.keepLastGoodSeconds);
}
