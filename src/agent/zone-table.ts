import type { Alias, CachePolicy, Config, ZoneConfig } from '../config/config.ts';
import { atOnce, type Steps } from '../core/slices.ts';
import type { ZoneIds } from '../metrics/zone-ids.ts';
import { hostNames, hostPointers } from '../resolve/host-table.ts';
import { LOCAL_ZONES } from '../resolve/local-answers.ts';
import type { Zone } from '../resolve/zone.ts';
import { ZoneRules } from '../resolve/zone-rules.ts';
import { RouteTable } from '../route/route-table.ts';
import type { Asker } from '../upstream/ask.ts';
import { nameFromText } from '../wire/name.ts';

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

/** Every zone at work, by its name: those of the configuration, the local ones where it does not say otherwise, and each name that is refused. */
export function zoneTable(
  config: Pick<Config, 'zones' | 'clusterDomain'>,
  forwarders: ReadonlyMap<string, Asker>,
  ids: ZoneIds,
): RouteTable<Zone> {
  return atOnce(zoneTableInSteps(config, forwarders, ids));
}

/** The same, a step for each zone and each name of hosts entries. */
export function* zoneTableInSteps(
  config: Pick<Config, 'zones' | 'clusterDomain'>,
  forwarders: ReadonlyMap<string, Asker>,
  ids: ZoneIds,
): Steps<RouteTable<Zone>> {
  const clusterZone = `${config.clusterDomain}.`;
  const hosts = config.zones.flatMap((zone) => zone.hosts);
  // A reverse name may lie in any zone, whichever it is that has the entry.
  const pointers = hosts.length === 0 ? undefined : yield* hostPointers(hosts);
  const local = [...LOCAL_ZONES.keys()].map((zone) => ({ ...PLAIN, zone, cache: NOTHING_KEPT }));
  const zones = new Map<string, Zone>();
  // A zone that is named twice is the later one's.
  for (const configured of [...local, ...config.zones]) {
    const { zone: name, cache, hasAaaa } = configured;
    zones.set(name, {
      name,
      labels: name === '.' ? 0 : name.split('.').length - 1,
      id: ids.id(name),
      cache,
      forwarder: forwarders.get(name),
      isCluster: name === clusterZone,
      isRefused: false,
      rules: yield* rulesOf(configured, pointers),
      hasAaaa,
      aliases: undefined,
      target: undefined,
    });
    yield;
  }
  for (const { zone: name, aliases } of config.zones) {
    const zone = zones.get(name)!;
    if (aliases.length > 0) zones.set(name, { ...zone, aliases: yield* aliasesOf(aliases, zone, zones) });
  }
  return yield* RouteTable.inSteps(entriesOf(config, zones));
}

const PLAIN: Pick<ZoneConfig, 'hasAaaa' | 'hosts'> = { hasAaaa: true, hosts: [] };

function* rulesOf(
  { zone, hasAaaa, hosts }: Pick<ZoneConfig, 'zone' | 'hasAaaa' | 'hosts'>,
  pointers: RouteTable<Uint8Array> | undefined,
): Steps<ZoneRules | undefined> {
  if (hasAaaa && pointers === undefined) return undefined;
  return new ZoneRules({ zone, hasAaaa, hosts: hosts.length === 0 ? undefined : yield* hostNames(hosts), pointers });
}

/** A step for each. The lifetimes of the target's answers are its own zone's; those of this one may shorten them. */
function* aliasesOf(aliases: readonly Alias[], zone: Zone, zones: ReadonlyMap<string, Zone>): Steps<RouteTable<Zone>> {
  const { name, cache, hasAaaa } = zone;
  const rules = hasAaaa ? undefined : new ZoneRules({ zone: name, hasAaaa, hosts: undefined, pointers: undefined });
  const plain: Zone = {
    ...zone,
    cache: { ...cache, positiveMinSeconds: 0, negativeMinSeconds: 0 },
    isCluster: false,
    rules,
    aliases: undefined,
  };
  const entries: [string, Zone][] = [];
  for (const { from, to } of aliases) {
    const forwarder = closest(to, zones).forwarder ?? zone.forwarder;
    entries.push([from, { ...plain, forwarder, target: nameFromText(to) }]);
    yield;
  }
  return yield* RouteTable.inSteps(entries);
}

/** The root zone is always there. */
function closest(name: string, zones: ReadonlyMap<string, Zone>): Zone {
  for (let zone = name; ; zone = zone.slice(zone.indexOf('.') + 1) || '.') {
    const found = zones.get(zone);
    if (found !== undefined) return found;
  }
}

/**
 * Zones, and each refused name as a zone of its own, so that it costs the others nothing, with the metrics of the zone that refuses it. A name that another zone of
 * the configuration has is that one's, as are all below it.
 */
function* entriesOf(
  config: Pick<Config, 'zones'>,
  zones: ReadonlyMap<string, Zone>,
): Generator<[name: string, zone: Zone], void> {
  yield* zones;
  for (const { zone, refuse } of config.zones) {
    if (refuse.length === 0) continue;
    const known = zones.get(zone)!;
    const refused = { ...known, forwarder: undefined, rules: undefined, aliases: undefined, isRefused: true };
    // Local zones are none of the configuration's.
    for (const name of refuse) if (name === zone || zones.get(name)?.forwarder === undefined) yield [name, refused];
  }
}
