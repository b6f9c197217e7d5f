/** What flags and files come to: one frozen, validated value. Types only; `from-flags.ts` makes it, every room may read it. */

export interface SocketAddress {
  /** An IPv4 or IPv6 literal, in its shortest form. */
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
}

/**
 * `udp+tcp`: UDP, and TCP where the answer was truncated. `udp`: the same, for a truncated answer is of no use; the name says what is tried first. `tls`: DNS
 * over TLS (RFC 7858). `https`: DNS over HTTPS (RFC 8484).
 */
export type TransportName = 'udp' | 'tcp' | 'udp+tcp' | 'tls' | 'https';

/** A server, and all that says how it is asked: two that differ in anything are two upstreams, with connections of their own. */
export interface UpstreamAddress extends SocketAddress {
  readonly transport: TransportName;
  /** tls, https: the name that its certificate must have. Without it the certificate must have the address. */
  readonly serverName?: string;
  /** https: where questions are posted to, such as `/dns-query`. */
  readonly path?: string;
  /** tls, https: PEM text of the authorities that are trusted in place of those that Node brings. */
  readonly ca?: string;
  /** The local address that questions leave from. */
  readonly source?: string;
  /** DNS cookies are exchanged with it (RFC 7873). */
  readonly hasCookies?: boolean;
  /** Letters of names are sent in random case, and must come back so (0x20). */
  readonly hasMixedCase?: boolean;
}

export type PolicyName = 'random' | 'round-robin' | 'sequential' | 'fastest';

/** How long answers of a zone live; see design of the cache in docs/architecture.md. All bounds are inclusive. */
export interface CachePolicy {
  readonly positiveMinSeconds: number;
  readonly positiveMaxSeconds: number;
  readonly negativeMinSeconds: number;
  readonly negativeMaxSeconds: number;
  /** How long after its end an answer may still bridge a silent upstream; 0: never. */
  readonly staleSeconds: number;
  /** The TTL that a client sees on a stale record (RFC 8767, section 4). */
  readonly staleTtlSeconds: number;
  /** How long a client waits for a fresh answer before it is given the stale one. */
  readonly staleAfterMs: number;
  /** Hits that make an entry worth refreshing before it ends; 0: never. */
  readonly prefetchHits: number;
  /** How long the last good answer goes on when all at once there is none (NXDOMAIN, or no records); 0: not at all. */
  readonly keepLastGoodSeconds: number;
}

/** A line of a hosts file (hosts(5)). */
export interface HostEntry {
  /** An IPv4 or IPv6 literal, in its shortest form. */
  readonly address: string;
  /** Lower case, with the trailing dot. The first one is what the address's PTR gives. */
  readonly names: readonly string[];
}

/** A name that stands for another. Both in lower case, with the trailing dot. */
export interface Alias {
  readonly from: string;
  readonly to: string;
}

/** One zone and how its names are answered. */
export interface ZoneConfig {
  /** Lower case, with the trailing dot: `cluster.local.`, `.` */
  readonly zone: string;
  readonly upstreams: readonly UpstreamAddress[];
  readonly policy: PolicyName;
  /** One try; all tries together. */
  readonly tryMs: number;
  readonly totalMs: number;
  readonly cache: CachePolicy;
  /** False: AAAA is answered with NODATA, whatever the upstreams would say. */
  readonly hasAaaa: boolean;
  /** Answered here, before any upstream is asked. */
  readonly hosts: readonly HostEntry[];
  /** Names in the zone that lead to others, in it or not: they are answered with a CNAME and what the other gives. No other is an alias itself. */
  readonly aliases: readonly Alias[];
  /** Names in the zone, lower case with the trailing dot: every question at and below them is REFUSED. */
  readonly refuse: readonly string[];
  /** One query in so many is logged; 0: none. */
  readonly logSample: number;
}

/**
 * `auto`: what fits the host. `nftables`, `iptables`: link, addresses, rules and the dead-man's switch. `interface`: link and addresses alone. `off`: nothing of the
 * node is touched.
 */
export type NodeNetworkMode = 'off' | 'auto' | 'nftables' | 'iptables' | 'interface';

export interface NodeNetworkConfig {
  readonly mode: NodeNetworkMode;
  /** The link that the listen addresses are put on. */
  readonly interface: string;
  /** True: queries leave no entry in the connection table. */
  readonly hasNoTrack: boolean;
}

/** Services of one namespace, of which the first that is there counts. */
export interface ServiceNames {
  readonly namespace: string;
  readonly names: readonly string[];
}

/** What is done about names that a pod's search path makes (docs/search-paths.md). */
export type SearchMode = 'off' | 'local' | 'complete';

export interface Config {
  readonly listen: readonly SocketAddress[];
  /** Longest suffix wins; the root zone is always among them. */
  readonly zones: readonly ZoneConfig[];
  /** Without the trailing dot: `cluster.local`. */
  readonly clusterDomain: string;
  readonly cacheBytes: number;
  /** `/metrics` alone, for the network; undefined: off. */
  readonly metrics: SocketAddress | undefined;
  /** Everything, for the node itself; undefined: off. */
  readonly admin: SocketAddress | undefined;
  /** `/health` and `/ready` alone, for kubelet, on further addresses. */
  readonly probes: readonly SocketAddress[];
  readonly nodeNetwork: NodeNetworkConfig;
  /** The folder of the hand-over socket and the cache's snapshot; undefined: neither. */
  readonly state: string | undefined;
  /** The Kubernetes node that this is; undefined where nobody said. */
  readonly nodeName: string | undefined;
  /** The Services behind which the cluster DNS is: where its address comes from where nobody gives it, and whose pods answer while the agent does not. */
  readonly clusterDnsService: ServiceNames;
  /** `off`, `auto` (in-cluster credentials where there are any), or the path of a kubeconfig. */
  readonly kubernetes: string;
  readonly search: SearchMode;
  /** Answers of the cluster zone live on while the Kubernetes API says that nothing changed. */
  readonly hasLease: boolean;
  /** Names of the cluster's nodes are answered with their addresses. */
  readonly hasNodeNames: boolean;
  /** The pods behind `clusterDnsService` are asked, not its address. The zones have that address, for as long as no pod is known. */
  readonly isClusterDnsDirect: boolean;
  readonly lameduckMs: number;
  /** The file whose name servers answer the root zone; undefined where `--upstream` names them. */
  readonly resolvConf: string | undefined;
  /** The file whose search suffixes kubelet gives to pods behind the cluster's own; read where searches are completed. */
  readonly searchConf: string;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
  readonly logFormat: 'text' | 'json';
  /** One query in so many is logged; 0: none. */
  readonly logSample: number;
}
