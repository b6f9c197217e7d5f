import type { Reason } from '../admin/ready-page.ts';
import type { HandOverStatus, Status, UpstreamState, UpstreamStatus, ZoneStatus } from '../admin/status.ts';
import { HIT_DENIAL, HIT_SUCCESS, MISS, SERVED_STALE } from '../cache/cache-traffic.ts';
import type { Config, SocketAddress, ZoneConfig } from '../config/config.ts';
import { formatSocketAddress } from '../config/socket-address.ts';
import { formatUpstreamAddress } from '../config/upstream-address.ts';
import { LIMITS } from '../core/limits.ts';
import { packageVersion } from '../core/version.ts';
import type { TrafficTable } from '../metrics/traffic-table.ts';
import type { NetworkReport } from '../node-network/network-report.ts';
import type { Selection } from '../upstream/selection.ts';
import {
  STANDING_DOUBTFUL,
  STANDING_DOWN,
  STANDING_GOOD,
  STANDING_LOOPED,
  STANDING_SLOW,
  type Standing,
} from '../upstream/standing.ts';
import type { Upstream } from '../upstream/upstream.ts';
import type { DataPlane } from './data-plane.ts';

export interface StatusSources {
  config: Config;
  dataPlane: DataPlane;
  listen: readonly SocketAddress[];
  reasons: readonly Reason[];
  traffics: TrafficTable;
  handOver: HandOverStatus | null;
  network: NetworkReport;
}

/** The agent at this moment, gathered from its rooms. */
export function statusReport({
  config,
  dataPlane,
  listen,
  reasons,
  traffics,
  handOver,
  network,
}: StatusSources): Status {
  const { cache } = dataPlane;
  return {
    version: packageVersion(),
    node: process.env['NODE_NAME'] ?? null,
    uptimeSeconds: process.uptime(),
    ready: reasons.every((reason) => reason.ok),
    reasons,
    listen: listen.map(formatSocketAddress),
    traffic: traffics.totals(),
    zones: config.zones.map((zone) => zoneStatus(zone, dataPlane, traffics)),
    cache: {
      bytes: cache.usedBytes,
      budgetBytes: cache.budgetBytes,
      entries: cache.size,
      hits: sumOf(dataPlane, traffics, HIT_SUCCESS) + sumOf(dataPlane, traffics, HIT_DENIAL),
      misses: sumOf(dataPlane, traffics, MISS),
      stale: sumOf(dataPlane, traffics, SERVED_STALE),
    },
    limits: LIMITS.map(({ name, value, hits }) => ({ name, value, hits })),
    residentBytes: process.memoryUsage.rss(),
    handOver,
    network: network.mode === 'off' ? null : network,
  };
}

function zoneStatus({ zone, policy }: ZoneConfig, { upstreams }: DataPlane, traffics: TrafficTable): ZoneStatus {
  const selection = upstreams.selection(zone);
  return {
    zone,
    policy,
    requests: traffics.requests(traffics.zones.id(zone)),
    upstreams: selection?.upstreams.map((upstream) => upstreamStatus(upstream, selection)) ?? [],
  };
}

const STATES: Readonly<Record<Standing, UpstreamState>> = {
  [STANDING_GOOD]: 'up',
  [STANDING_SLOW]: 'slow',
  [STANDING_DOUBTFUL]: 'doubtful',
  [STANDING_DOWN]: 'down',
  [STANDING_LOOPED]: 'looped',
};

function upstreamStatus(upstream: Upstream, selection: Selection): UpstreamStatus {
  const { address, health, roundTrips, transport } = upstream;
  const standing = selection.standing(upstream);
  const isTried = roundTrips.samples > 0;
  return {
    address: formatUpstreamAddress(address),
    transport,
    healthy: standing < STANDING_DOWN,
    rank: selection.rank(upstream),
    state: standing === STANDING_GOOD && !isTried ? 'untried' : STATES[standing],
    roundTripMs: isTried ? roundTrips.smoothedMs : null,
    p95Ms: isTried ? roundTrips.p95Ms : null,
    inFlight: upstream.inFlight,
    connections: upstream.connections,
    failures: health.totalFailures,
    lastError:
      health.lastError === undefined
        ? null
        : { reason: health.lastError, time: new Date(health.lastErrorAtMs).toISOString() },
  };
}

function sumOf(dataPlane: DataPlane, { zones }: TrafficTable, event: number): number {
  let sum = 0;
  for (let zone = 0; zone < zones.size; zone++) sum += dataPlane.cacheTraffic.read(zone, event);
  return sum;
}
