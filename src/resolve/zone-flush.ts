import type { AnswerCache } from '../cache/answer-cache.ts';
import type { NameTest } from '../cache/drops.ts';
import type { Flights } from './flights.ts';

/** What made answers out of date: a dynamic update, a NOTIFY, another configuration, or a person. The label `reason`. */
export const FLUSH_REASONS = ['update', 'notify', 'reload', 'request'] as const;

export type FlushReason = (typeof FLUSH_REASONS)[number];

/** Forgets all that is known of a zone, what is just being asked included. */
export class ZoneFlush {
  readonly #cache: AnswerCache;
  readonly #flights: Flights;
  /** Read by the metrics. */
  readonly counts: Record<FlushReason, number> = { update: 0, notify: 0, reload: 0, request: 0 };

  constructor(cache: AnswerCache, flights: Flights) {
    this.#cache = cache;
    this.#flights = flights;
  }

  /** From now on no answer older than this call is given for `zone`, an uncompressed name, and what lies below it. */
  flush(zone: Uint8Array, reason: FlushReason): void {
    this.counts[reason]++;
    this.#cache.dropBelow(zone);
    this.#flights.spoilBelow(zone);
  }

  /** The same of all names that another configuration answers otherwise; see `AnswerCache.dropWhere`. */
  flushWhere(isMeant: NameTest): void {
    this.counts.reload++;
    this.#cache.dropWhere(isMeant);
    this.#flights.spoilWhere(isMeant);
  }
}
