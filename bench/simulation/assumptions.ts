/**
 * What the simulation takes for given, each with where it is from. "Measured": by `npm run bench -- cluster` and `-- watchers`; docs/performance.md and docs/kubernetes.md have these
 * figures with the machine that gave them.
 */
export const FLEET = {
  nodes: 5000,
  pods: 150_000,
  zones: 3,
  services: 10_000,
  /** Look-ups of a pod; the workload of the bench. */
  lookUpsPerPodPerSecond: 2,
  /** Pods live a day; each makes its Service's EndpointSlice change when it comes, is ready, ends, and is gone. */
  podLifeSeconds: 86_400,
  changesPerPodLife: 4,
  /** One DNS pod for 16 nodes: the default of the cluster-proportional-autoscaler that sizes the add-on. */
  nodesPerDnsPod: 16,
  apiServers: 3,
} as const;

/** How long the cluster DNS takes: most answers come from memory; one in fifty is an outside PTR or an ExternalName. Within a data centre. */
export const ANSWER_SECONDS = { usual: 0.002, slow: 0.05, slowPart: 0.02 } as const;

/** An agent of either kind, as the cluster DNS and the API server see it. */
export interface AgentModel {
  readonly name: string;
  /** Measured. */
  readonly queriesPerThousandLookUps: number;
  /** Connections that are held whatever is asked; undefined: one for each query in flight, as CoreDNS's forward plugin does. */
  readonly connections: number | undefined;
  /** Unused connections are closed after so long (CoreDNS: its default). */
  readonly idleSeconds: number;
  /** The cache survives a replacement of the process. */
  readonly isCacheKept: boolean;
  /** A node is without answers for so long while its agent is replaced. Of NodeLocal DNSCache: the least that its users report (5 to 20 s); of ours: docs/reliability.md. */
  readonly gapSeconds: number;
  /** A query whose DNS pod has vanished waits so long until another is asked. CoreDNS: its read time-out; ours: one try, docs/upstreams.md. */
  readonly silentSeconds: number;
  readonly watch: WatchModel | undefined;
}

/** What it costs the API server that a node follows Services and EndpointSlices. */
export interface WatchModel {
  readonly streams: number;
  /** Measured with 200 watchers: octets of one change on the wire, of which an object in the list at start has as many, and what it costs the API server. */
  readonly changeBytes: number;
  readonly changeCpuUs: number;
}

/** kube-proxy follows the same objects whole: what the API server bears for each node in any case. Measured with EndpointSlices of 10 endpoints. */
export const KUBE_PROXY: WatchModel = { streams: 3, changeBytes: 1310, changeCpuUs: 34 };

/** Entries of a cache that is empty cost so many queries before it is warm: names that a node asks for, A and AAAA, and the names before them in the search path. */
export const COLD_QUERIES = 2000;
