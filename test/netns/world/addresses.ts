/** Who has which address in the world. Both families always: what a family lacks is for a test to take away. */

/** What the agent listens on where no Service has it. */
export const LINK_LOCAL = { 4: '169.254.20.10', 6: 'fd00:20::10' } as const;
/** The Service that pods have in resolv.conf, and the one that leads to the same pods when the agent has taken the first one's address. */
export const KUBE_DNS = { 4: '10.96.0.10', 6: 'fd00:96::a' } as const;
export const KUBE_DNS_UPSTREAM = { 4: '10.96.0.11', 6: 'fd00:96::b' } as const;
/** The cluster DNS's pods, on another node. */
export const DNS_PODS = { 4: ['10.244.1.53', '10.244.1.54'], 6: ['fd00:244:1::53', 'fd00:244:1::54'] } as const;
/** The two pods on the node, by their place in `World.pods`. */
export const PODS = { 4: ['10.244.0.11', '10.244.0.12'], 6: ['fd00:244::11', 'fd00:244::12'] } as const;
/** The node on the pods' bridge, and on the link to the other node. */
export const BRIDGE = { 4: '10.244.0.1', 6: 'fd00:244::1' } as const;
export const NODE = { 4: '10.244.1.1', 6: 'fd00:244:1::1' } as const;
export const POD_NETWORK = { 4: '10.244.0.0/16', 6: 'fd00:244::/32' } as const;
export const SERVICE_NETWORK = { 4: '10.96.0.0/12', 6: 'fd00:96::/112' } as const;

/** What CoreDNS answers for the names that the world has; the agent caches it. */
export const NAMES = {
  /** In the cluster zone: a Service with one address of each family. */
  service: 'web.default.svc.cluster.local',
  /** Any name below it exists, so that no cache has it. */
  wild: 'wild.example.test',
} as const;
