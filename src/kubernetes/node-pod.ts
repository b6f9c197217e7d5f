import { canonicalHost } from '../config/socket-address.ts';
import type { PodClient } from '../search/pod-clients.ts';
import type { Pod } from './api-objects.ts';

/** What is kept of a pod: whose queries come from its addresses, and how its resolver searches. */
export function readPod({ metadata, spec = {}, status = {} }: Pod): PodClient {
  const { podIP, podIPs, phase } = status;
  const hosts = podIPs?.map(({ ip }) => ip) ?? (podIP === undefined ? [] : [podIP]);
  // Of options that are given twice, resolvers take the last.
  const ndots = spec.dnsConfig?.options?.findLast(({ name }) => name === 'ndots');
  return {
    namespace: metadata.namespace ?? '',
    addresses: hosts.map((host) => canonicalHost(host ?? '')).filter((host) => host !== undefined),
    dnsPolicy: spec.dnsPolicy ?? 'ClusterFirst',
    searches: spec.dnsConfig?.searches ?? [],
    ndots: ndots === undefined ? undefined : (ndots.value ?? ''),
    isHostNetwork: spec.hostNetwork === true,
    isEnded: phase === 'Succeeded' || phase === 'Failed' || metadata.deletionTimestamp != null,
  };
}
