import type { Complaints } from './complaints.ts';
import type { Said, Settings, ZoneSettings } from './settings.ts';
import { parseZoneName } from './zone-name.ts';

/** A layer with its zones by name, each once. Upstreams of the root and of the cluster zone stand in `upstreams` and `clusterDns` alone. */
export interface NamedLayer {
  readonly upstreams: readonly Said[] | undefined;
  readonly clusterDns: readonly Said[] | undefined;
  readonly zones: ReadonlyMap<string, ZoneSettings>;
}

/** What cannot be, such as a zone that is named twice, goes to `complaints`. */
export function namedLayer(layer: Settings, clusterZone: string | undefined, complaints: Complaints): NamedLayer {
  const zones = new Map<string, ZoneSettings>();
  let { upstreams, clusterDns } = layer;
  for (const settings of layer.zones ?? []) {
    const { zone: said, ...rest } = settings;
    const refuse = (reason: string): void => complaints.refuse('ERR_ROUTE', (value) => `route ${value}`, said, reason);
    const zone = complaints.readSaid('ERR_ROUTE', (value) => `route ${value}`, said, parseZoneName);
    if (zone === undefined) continue;
    if (zones.has(zone)) {
      refuse(twice(zone, said));
      continue;
    }
    if (rest.upstreams === undefined || (zone !== '.' && zone !== clusterZone)) {
      zones.set(zone, settings);
      continue;
    }
    const reason = reasonAgainst(zone, said, zone === '.' ? upstreams : clusterDns);
    if (reason !== undefined) refuse(reason);
    if (zone === '.') upstreams ??= rest.upstreams;
    else clusterDns ??= rest.upstreams;
    const { upstreams: _, ...others } = settings;
    zones.set(zone, others);
  }
  return { upstreams, clusterDns, zones };
}

function twice(zone: string, { origin }: Said): string {
  return origin.place === undefined
    ? `${zone} has a route already; give all its upstreams in one, ZONE=UPSTREAM,UPSTREAM`
    : `${zone} is there already; a zone may be named once`;
}

/** Whom the root and the cluster zone ask has a place of its own. */
function reasonAgainst(zone: string, { origin }: Said, other: readonly Said[] | undefined): string | undefined {
  if (origin.place === undefined) {
    return zone === '.'
      ? 'the root is all that has no route; give --upstream'
      : 'that is the cluster domain; give --cluster-dns';
  }
  if (other === undefined) return undefined;
  return `${zone === '.' ? 'upstreams' : 'clusterDns'} says already who is asked for this zone; leave out that or the upstreams here`;
}
