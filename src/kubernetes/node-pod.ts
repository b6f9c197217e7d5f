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
  /** The option of `dnsConfig`, as it stands there; undefined: none. */
  readonly ndots: string | undefined;
  /** Its addresses are the node's own. */
  readonly isHostNetwork: boolean;
  /** Its containers are over for good: its addresses may be another's already. */
  readonly isEnded: boolean;
  /** By the API server's clock; 0: not said. */
  readonly createdAtMs: number;
}

/** Reads the fields that are kept. */
export function readPod({ metadata, spec = {}, status = {} }: Pod): NodePod {
  const { podIP, podIPs, phase } = status;
  const hosts = podIPs?.map(({ ip }) => ip) ?? (podIP === undefined ? [] : [podIP]);
  const createdAtMs = Date.parse(metadata.creationTimestamp ?? '');
  return {
    namespace: metadata.namespace ?? '',
    addresses: hosts.map((host) => canonicalHost(host ?? '')).filter((host) => host !== undefined),
    dnsPolicy: spec.dnsPolicy ?? 'ClusterFirst',
    searches: spec.dnsConfig?.searches ?? [],
    // Of options that are given twice, resolvers take the last.
    ndots: spec.dnsConfig?.options?.findLast(({ name }) => name === 'ndots')?.value ?? undefined,
    isHostNetwork: spec.hostNetwork === true,
    isEnded: phase === 'Succeeded' || phase === 'Failed',
    createdAtMs: Number.isNaN(createdAtMs) ? 0 : createdAtMs,
  };
}
