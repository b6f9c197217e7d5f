import type { Reason } from '../admin/ready-page.ts';
import type { Status, UpstreamStatus, ZoneStatus } from '../admin/status.ts';
import { HIT_DENIAL, HIT_SUCCESS, MISS, SERVED_STALE } from '../cache/cache-traffic.ts';
import type { Config, SocketAddress, UpstreamAddress, ZoneConfig } from '../config/config.ts';
import { formatSocketAddress } from '../config/socket-address.ts';
import { formatUpstreamAddress } from '../config/upstream-address.ts';
import { LIMITS } from '../core/limits.ts';
import { packageVersion } from '../core/version.ts';
import type { TrafficTable } from '../metrics/traffic-table.ts';
import type { Upstream } from '../upstream/upstream.ts';
import type { DataPlane } from './data-plane.ts';

export interface StatusSources {
  config: Config;
  dataPlane: DataPlane;
  listen: readonly SocketAddress[];
  reasons: readonly Reason[];
  traffics: TrafficTable;
}

/** The agent at this moment, gathered from its rooms. */
export function statusReport({ config, dataPlane, listen, reasons, traffics }: StatusSources): Status {
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
  };
}

function zoneStatus({ zone, policy, upstreams }: ZoneConfig, dataPlane: DataPlane, traffics: TrafficTable): ZoneStatus {
  const known = [...dataPlane.upstreams.list()];
  return {
    zone,
    policy,
    requests: traffics.requests(traffics.zones.id(zone)),
    upstreams: upstreams.map((address) => upstreamStatus(address, known)),
  };
}

function upstreamStatus(address: UpstreamAddress, known: readonly Upstream[]): UpstreamStatus {
  const text = formatUpstreamAddress(address);
  const upstream = known.find((each) => each.isAt(address));
  const isTried = upstream !== undefined && upstream.roundTrips.samples > 0;
  const working = isTried ? 'up' : 'untried';
  return {
    address: text,
    state: upstream?.isDown ? 'down' : working,
    roundTripMs: isTried ? upstream.roundTrips.smoothedMs : null,
    inFlight: upstream?.inFlight ?? 0,
    connections: upstream?.connections ?? 0,
    failures: upstream?.health.totalFailures ?? 0,
  };
}

function sumOf(dataPlane: DataPlane, { zones }: TrafficTable, event: number): number {
  let sum = 0;
  for (let zone = 0; zone < zones.size; zone++) sum += dataPlane.cacheTraffic.read(zone, event);
  return sum;
}
