import type { ClusterDnsEndpoint } from './cluster-dns-endpoints.ts';

/** Where a node is. */
export interface NodePlace {
  readonly nodeName: string | undefined;
  /** Its label `topology.kubernetes.io/zone`; undefined where that is not known. */
  readonly zone: string | undefined;
}

/** The label by which a node tells its zone. */
export const ZONE_LABEL = 'topology.kubernetes.io/zone';

/**
 * Those that this node is to ask first, as kube-proxy reads the hints of EndpointSlices: hints for nodes before those for zones, and either only where every endpoint has
 * them and one is meant for us. Where the cluster gives none, all.
 */
export function nearest<T extends Pick<ClusterDnsEndpoint, 'forZones' | 'forNodes'>>(
  endpoints: readonly T[],
  { nodeName, zone }: NodePlace,
): readonly T[] {
  return (
    meantFor(nodeName, endpoints, ({ forNodes }) => forNodes) ??
    meantFor(zone, endpoints, ({ forZones }) => forZones) ??
    endpoints
  );
}

/** Whether the zone of this node matters: some endpoint is meant for one. */
export function hasZoneHints(endpoints: readonly Pick<ClusterDnsEndpoint, 'forZones'>[]): boolean {
  return endpoints.some(({ forZones }) => forZones.length > 0);
}

function meantFor<T>(
  place: string | undefined,
  endpoints: readonly T[],
  hints: (endpoint: T) => readonly string[],
): readonly T[] | undefined {
  // A hint that is missing tells of a cluster that is changing from one rule to another.
  if (place === undefined || !endpoints.every((endpoint) => hints(endpoint).length > 0)) return undefined;
  const meant = endpoints.filter((endpoint) => hints(endpoint).includes(place));
  return meant.length > 0 ? meant : undefined;
}
