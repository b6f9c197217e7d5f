import { createHash } from 'node:crypto';
import type { UpstreamAddress } from '../config/config.ts';
import { upstreamKey } from '../config/upstream-address.ts';
import { CLUSTER_DNS_DIRECT } from '../core/limits.ts';
import type { ClusterDnsEndpoint } from '../kubernetes/cluster-dns-endpoints.ts';
import { type NodePlace, nearest } from '../kubernetes/topology.ts';
import { familyOf } from '../node-network/wanted-from-config.ts';
import type { RankedAddresses } from '../upstream/upstreams.ts';

/** How many of the pods that are asked directly the cluster means for this node, how many others, and how many are left to other nodes. */
export interface DirectRanks {
  readonly ranks: RankedAddresses;
  readonly near: number;
  readonly far: number;
  readonly left: number;
}

/**
 * The DNS pods in place of the Service's addresses `service`, which come last: those that the cluster means for this node, then others. Of many, each node takes some: which ones,
 * and in which order, its name decides, so that all nodes together ask all pods alike. Undefined where pods cannot be asked as the Service is.
 */
export function directRanks(
  service: readonly UpstreamAddress[],
  pods: readonly ClusterDnsEndpoint[],
  place: NodePlace,
): DirectRanks | undefined {
  const [first] = service;
  if (first === undefined || !service.every(isPlain)) return undefined;
  const own = ofOneFamily(pods, familyOf(first.host));
  if (own.length === 0) return undefined;
  const { near, far } = chosen(own, place);
  const address = (pod: ClusterDnsEndpoint): UpstreamAddress => ({
    ...first,
    host: pod.host,
    port: first.transport === 'tcp' ? pod.tcpPort : pod.udpPort,
  });
  const ranks = [near.map(address), far.map(address)];
  const direct = new Set(ranks.flat().map(upstreamKey));
  // Some say the address of a pod where the Service's belongs.
  ranks.push(service.filter((each) => !direct.has(upstreamKey(each))));
  const left = own.length - near.length - far.length;
  return { ranks: ranks.filter((list) => list.length > 0), near: near.length, far: far.length, left };
}

/** Which ports of the pods are for TLS or HTTPS their EndpointSlices do not tell. */
function isPlain({ transport }: UpstreamAddress): boolean {
  return transport !== 'tls' && transport !== 'https';
}

/** A pod that has addresses of two families is one server: that of the Service's address is taken. */
function ofOneFamily(pods: readonly ClusterDnsEndpoint[], family: 4 | 6): readonly ClusterDnsEndpoint[] {
  const same = pods.filter((pod) => pod.family === family);
  return same.length > 0 ? same : pods;
}

function chosen(pods: readonly ClusterDnsEndpoint[], place: NodePlace) {
  const most = CLUSTER_DNS_DIRECT.value;
  const ordered = inOrderOf(place.nodeName ?? '', pods);
  const meant = new Set(nearest(ordered, place));
  const near = ordered.filter((pod) => meant.has(pod)).slice(0, most);
  const far = ordered.filter((pod) => !meant.has(pod)).slice(0, most - near.length);
  return { near, far };
}

/** Rendezvous hashing: where a pod comes or goes, the order of the others stays. */
function inOrderOf(nodeName: string, pods: readonly ClusterDnsEndpoint[]): ClusterDnsEndpoint[] {
  const weigh = ({ host }: ClusterDnsEndpoint) => createHash('sha256').update(`${nodeName} ${host}`).digest('hex');
  const weighed = pods.map((pod) => ({ pod, weight: weigh(pod) }));
  return weighed.toSorted((a, b) => (a.weight < b.weight ? -1 : 1)).map(({ pod }) => pod);
}
