import type { CachePolicy, Config } from '../config/config.ts';
import type { ZoneIds } from '../metrics/zone-ids.ts';
import { LOCAL_ZONES } from '../resolve/local-answers.ts';
import type { Zone } from '../resolve/zone.ts';
import { RouteTable } from '../route/route-table.ts';
import type { Asker } from '../upstream/ask.ts';

/** What is answered here is never kept. */
const NOTHING_KEPT: CachePolicy = {
  positiveMinSeconds: 0,
  positiveMaxSeconds: 0,
  negativeMinSeconds: 0,
  negativeMaxSeconds: 0,
  staleSeconds: 0,
  staleTtlSeconds: 0,
  staleAfterMs: 0,
  prefetchHits: 0,
  keepLastGoodSeconds: 0,
};

/** Every zone at work, by its name: those of the configuration, and the local ones where it does not say otherwise. */
export function zoneTable(config: Config, forwarders: ReadonlyMap<string, Asker>, ids: ZoneIds): RouteTable<Zone> {
  const clusterZone = `${config.clusterDomain}.`;
  const local = [...LOCAL_ZONES.keys()].map((name) => ({ name, cache: NOTHING_KEPT }));
  const configured = config.zones.map(({ zone, cache }) => ({ name: zone, cache }));
  // A zone that is named twice is the later one's.
  const zones = [...local, ...configured].map(({ name, cache }): [string, Zone] => {
    const labels = name === '.' ? 0 : name.split('.').length - 1;
    const isCluster = name === clusterZone;
    return [name, { name, labels, id: ids.id(name), cache, forwarder: forwarders.get(name), isCluster }];
  });
  return RouteTable.of(new Map(zones));
}
