import type { CachePolicy, ZoneConfig } from './config.ts';

/** How a zone is answered where nothing else is said of it. */
export type ZoneDefaults = Omit<ZoneConfig, 'zone' | 'upstreams' | 'policy' | 'logSample'>;

/** The cluster DNS knows the names of Services' and pods' addresses; what it does not know it forwards. Upstreams that are said for them come first. */
export const REVERSE_ZONES: readonly string[] = ['in-addr.arpa.', 'ip6.arpa.'];

/** Short, since Services move: an answer of a cluster that changes may be wrong for so long. The stale rules bridge a cluster DNS restart. */
const CLUSTER_CACHE: CachePolicy = {
  positiveMinSeconds: 0,
  positiveMaxSeconds: 30,
  negativeMinSeconds: 0,
  negativeMaxSeconds: 5,
  staleSeconds: 3600,
  staleTtlSeconds: 5,
  staleAfterMs: 100,
  prefetchHits: 2,
  keepLastGoodSeconds: 0,
};

/** RFC 8767, section 5: 1.8 s is below the 2 s or more after which stub resolvers give up on a try. */
const OUTSIDE_CACHE: CachePolicy = {
  positiveMinSeconds: 0,
  positiveMaxSeconds: 3600,
  negativeMinSeconds: 0,
  negativeMaxSeconds: 30,
  staleSeconds: 3600,
  staleTtlSeconds: 30,
  staleAfterMs: 1800,
  prefetchHits: 2,
  keepLastGoodSeconds: 0,
};

/** The try of a stub resolver: later answers find nobody who waits. */
const TOTAL_MS = 5000;

const PLAIN = { totalMs: TOTAL_MS, hasAaaa: true, hosts: [], aliases: [], refuse: [] };

/** The cluster domain and the reverse zones, while the cluster DNS is asked for them. */
export const CLUSTER_DEFAULTS: ZoneDefaults = { ...PLAIN, tryMs: 1000, cache: CLUSTER_CACHE };

/** Every other zone. */
export const OUTSIDE_DEFAULTS: ZoneDefaults = { ...PLAIN, tryMs: 2000, cache: OUTSIDE_CACHE };
