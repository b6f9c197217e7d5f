import type { AnswerCache } from '../cache/answer-cache.ts';
import type { NameTest } from '../cache/drops.ts';
import type { RouteTable } from '../route/route-table.ts';
import { isWithin } from '../wire/name.ts';
import type { Flights } from './flights.ts';
import type { Zone } from './zone.ts';

/** What made answers out of date: a dynamic update, a NOTIFY, another configuration, or one of these in a process that shares the cache by hand-over. The label `reason`. */
export const FLUSH_REASONS = ['update', 'notify', 'reload', 'hand-over'] as const;

export type FlushReason = (typeof FLUSH_REASONS)[number];

/** Forgets all that is known of a zone, what is just being asked included. */
export class ZoneFlush {
  readonly #cache: AnswerCache;
  readonly #flights: Flights;
  /** Of zones with aliases; undefined: there are none. */
  #aliases: RouteTable<Zone> | undefined = undefined;
  /** Read by the metrics. */
  readonly counts: Record<FlushReason, number> = { update: 0, notify: 0, reload: 0, 'hand-over': 0 };

  constructor(cache: AnswerCache, flights: Flights) {
    this.#cache = cache;
    this.#flights = flights;
  }

  /** The zones as they are now, and whether any has aliases. */
  replaceRoutes(routes: RouteTable<Zone>, hasAliases: boolean): void {
    this.#aliases = hasAliases ? routes : undefined;
  }

  /** From now on no answer older than this call is given for `zone`, an uncompressed name, what lies below it, and aliases that lead there. */
  flush(zone: Uint8Array, reason: FlushReason): void {
    this.counts[reason]++;
    const leadsThere = this.#leadsTo(zone.slice());
    this.#cache.dropBelow(zone, leadsThere);
    this.#flights.spoilBelow(zone);
    if (leadsThere !== undefined) this.#flights.spoilWhere(leadsThere);
  }

  /** An alias's answers are kept under its own name. */
  #leadsTo(zone: Uint8Array): NameTest | undefined {
    const routes = this.#aliases;
    if (routes === undefined) return undefined;
    return (bytes, start, nameEnd) => {
      const target = routes.lookup(bytes, start, nameEnd)?.aliases?.find(bytes, start, nameEnd)?.target;
      return target !== undefined && isWithin(target, 0, target.length, zone);
    };
  }

  /** The same of all names that another configuration answers otherwise; see `AnswerCache.dropWhere`. */
  flushWhere(isMeant: NameTest): void {
    this.counts.reload++;
    this.#cache.dropWhere(isMeant);
    this.#flights.spoilWhere(isMeant);
  }
}
