import type { CachePolicy, PolicyName, UpstreamAddress, ZoneConfig } from './config.ts';

/** One `--route`. */
export interface Route {
  readonly zone: string;
  readonly upstreams: readonly UpstreamAddress[];
}

export interface ZoneSources {
  /** With the trailing dot. */
  readonly clusterZone: string;
  readonly clusterDns: readonly UpstreamAddress[];
  readonly upstreams: readonly UpstreamAddress[];
  readonly routes: readonly Route[];
  readonly policy: PolicyName;
  readonly logSample: number;
}

/** The cluster DNS knows the names of Services' and pods' addresses; what it does not know it forwards. A route of the user's comes first. */
const REVERSE_ZONES: readonly string[] = ['in-addr.arpa.', 'ip6.arpa.'];

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

const CLUSTER_TRY_MS = 1000;
const OUTSIDE_TRY_MS = 2000;
/** The try of a stub resolver: later answers find nobody who waits. */
const TOTAL_MS = 5000;

/** Every zone and how it is answered: the cluster's own, the reverse zones, the user's routes, and the root for all the rest. */
export function zonesFrom({
  clusterZone,
  clusterDns,
  upstreams,
  routes,
  policy,
  logSample,
}: ZoneSources): ZoneConfig[] {
  const plain = { policy, totalMs: TOTAL_MS, hasAaaa: true, hosts: [], refuse: [], logSample };
  const cluster = { ...plain, tryMs: CLUSTER_TRY_MS, cache: CLUSTER_CACHE };
  const outside = { ...plain, tryMs: OUTSIDE_TRY_MS, cache: OUTSIDE_CACHE };
  const reverse = REVERSE_ZONES.filter((zone) => !routes.some((route) => route.zone === zone));
  return [
    ...[clusterZone, ...reverse].map((zone) => ({ zone, upstreams: clusterDns, ...cluster })),
    ...routes.map((route) => ({ ...route, ...outside })),
    { zone: '.', upstreams, ...outside },
  ];
}
