import { canonicalHost } from '../config/socket-address.ts';
import type { Pod } from './api-objects.ts';

/** What is kept of a pod: whose queries come from its addresses, and how its resolver searches. */
export interface NodePod {
  readonly namespace: string;
  /** Of both families, canonical; empty before it has one. */
  readonly addresses: readonly string[];
  /** `ClusterFirst`, `ClusterFirstWithHostNet`, `Default` or `None`. */
  readonly dnsPolicy: string;
  /** `dnsConfig.searches`, as they stand there. */
  readonly searches: readonly string[];
  /** Of the last option `ndots` of `dnsConfig`; '' for one without a value. */
  readonly ndots: string | undefined;
  /** Its addresses are the node's own. */
  readonly isHostNetwork: boolean;
  /** Its containers are over for good, or will be soon: its addresses may be another's any moment. */
  readonly isEnded: boolean;
}

/** Reads the fields that are kept. */
export function readPod({ metadata, spec = {}, status = {} }: Pod): NodePod {
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
