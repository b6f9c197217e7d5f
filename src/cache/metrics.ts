import type { Register } from '../metrics/register.ts';
import type { ZoneIds } from '../metrics/zone-ids.ts';
import type { AnswerCache } from './answer-cache.ts';
import {
  type CacheTraffic,
  HIT_DENIAL,
  HIT_SUCCESS,
  KEPT_LAST_GOOD,
  MISS,
  PREFETCH,
  SERVED_STALE,
} from './cache-traffic.ts';

const LABELS = ['server', 'zones', 'view'] as const;
const LABELS_WITH_TYPE = ['server', 'type', 'zones', 'view'] as const;

export interface CacheMetricsParts {
  cache: AnswerCache;
  traffic: CacheTraffic;
  zones: ZoneIds;
  /** One cache serves all listeners; CoreDNS's label for it is the first of them. */
  server: string;
}

/** CoreDNS's names for what the cache did, and ours for its bytes. */
export function registerCacheMetrics(register: Register, { cache, traffic, zones, server }: CacheMetricsParts): void {
  const events = (name: string, help: string, ...counted: number[]): void => {
    register.counter(name, help, LABELS, (emit) => {
      for (let zone = 0; zone < zones.size; zone++) {
        const count = counted.reduce((sum, event) => sum + traffic.read(zone, event), 0);
        if (count > 0) emit({ server, zones: zones.name(zone), view: '' }, count);
      }
    });
  };
  register.counter('coredns_cache_hits_total', 'Queries answered by a live entry.', LABELS_WITH_TYPE, (emit) => {
    for (let zone = 0; zone < zones.size; zone++) {
      const labels = { server, zones: zones.name(zone), view: '' };
      const success = traffic.read(zone, HIT_SUCCESS);
      const denial = traffic.read(zone, HIT_DENIAL);
      if (success > 0) emit({ ...labels, type: 'success' }, success);
      if (denial > 0) emit({ ...labels, type: 'denial' }, denial);
    }
  });
  events('coredns_cache_requests_total', 'Queries that looked for an entry.', HIT_SUCCESS, HIT_DENIAL, MISS);
  events('coredns_cache_misses_total', 'Queries that no live entry answered.', MISS);
  events('coredns_cache_prefetch_total', 'Entries asked for again before their end.', PREFETCH);
  events('coredns_cache_served_stale_total', 'Queries answered by an entry after its end.', SERVED_STALE);
  const kept = 'Answers "no" of upstreams in place of which the last good answer was given.';
  register.counter('signpost_cache_kept_last_good_total', kept, ['zone'], (emit) => {
    for (let zone = 0; zone < zones.size; zone++) {
      const count = traffic.read(zone, KEPT_LAST_GOOD);
      if (count > 0) emit({ zone: zones.name(zone) }, count);
    }
  });
  registerSizes(register, cache, server);
}

function registerSizes(register: Register, cache: AnswerCache, server: string): void {
  register.gauge('coredns_cache_entries', 'Entries of both kinds, in one cache.', LABELS_WITH_TYPE, (emit) => {
    emit({ server, type: 'success', zones: '.', view: '' }, cache.size - cache.denials);
    emit({ server, type: 'denial', zones: '.', view: '' }, cache.denials);
  });
  register.counter('coredns_cache_evictions_total', 'Entries given up for room.', LABELS_WITH_TYPE, (emit) => {
    emit({ server, type: 'success', zones: '.', view: '' }, cache.evictions);
  });
  register.counter('coredns_cache_drops_total', 'Answers for which no room was found.', LABELS, (emit) => {
    emit({ server, zones: '.', view: '' }, cache.rejected);
  });
  register.counter('signpost_cache_invalidated_total', 'Entries dropped with their zone.', [], (emit) => {
    emit({}, cache.dropped);
  });
  register.gauge('signpost_cache_bytes', 'Bytes in use: places of entries, and the index.', ['part'], (emit) => {
    emit({ part: 'entries' }, cache.usedBytes - cache.indexBytes);
    emit({ part: 'index' }, cache.indexBytes);
  });
  register.gauge('signpost_cache_budget_bytes', 'Bytes that entries and index may come to use.', [], (emit) => {
    emit({}, cache.budgetBytes);
  });
}
