import type { AnswerCache } from '../cache/answer-cache.ts';
import { KIND_POSITIVE } from '../cache/entry-memory.ts';
import { cannotExist } from '../search/cluster-names.ts';
import { HEADER_LENGTH, RCODE_NXDOMAIN } from '../wire/constants.ts';
import type { QueryView } from '../wire/query.ts';
import type { Freshness } from './freshness/freshness.ts';
import type { Zone } from './zone.ts';

export interface StaleRuleParts {
  cache: AnswerCache;
  /** Undefined: nothing is known of the cluster. */
  freshness?: Freshness | undefined;
}

/** Which expired entry may stand in for a fresh answer (RFC 8767). */
export class StaleRule {
  readonly #parts: StaleRuleParts;

  constructor(parts: StaleRuleParts) {
    this.#parts = parts;
  }

  /**
   * Whether the one at `at` may. A negative one may not, but where the name's shape proves that it cannot exist while the whole cluster DNS is down: a SERVFAIL there ends
   * musl's search, and outside names that are cached would fail with it.
   */
  mayServe(at: number, query: QueryView, zone: Zone, nowMs: number): boolean {
    const { memory } = this.#parts.cache;
    if (memory.kind(at) === KIND_POSITIVE) return !memory.isOutdated(at) || this.#mayServeOutdated(at, zone, nowMs);
    return (
      zone.isCluster &&
      memory.rcode(at) === RCODE_NXDOMAIN &&
      zone.forwarder!.isAllDown &&
      cannotExist(query.bytes, query.start + HEADER_LENGTH, query.nameEnd, zone.labels)
    );
  }

  /**
   * What is known to be out of date is no answer for who merely waits, nor where an upstream says that it fails, nor when its Service is gone. Where all are silent it is better than none:
   * few changes change an answer.
   */
  #mayServeOutdated(at: number, zone: Zone, nowMs: number): boolean {
    const { cache, freshness } = this.#parts;
    // Only silence is noted so; see `AnswerCache.postpone`.
    const areSilent = cache.memory.recheckAtMs(at) > nowMs || zone.forwarder!.isAllDown;
    return areSilent && freshness?.isOfGone(at) !== true;
  }
}
