import { nameFromText } from '../wire/name.ts';

/**
 * Beyond these, resolvers differ in what they read: glibc before 2.26 takes six suffixes, musl passes over a line that is longer. Kubelet cuts further on: at 32
 * suffixes and 2,048 characters, and what is too long for a name.
 */
const COMMON_SUFFIXES = 6;
const COMMON_CHARACTERS = 255;
/** Kubelet's default for pods with the cluster's DNS, and the resolvers' own. */
const CLUSTER_NDOTS = 5;
const RESOLVER_NDOTS = 1;
/** All resolvers cut it there. */
const MOST_NDOTS = 15;

/** What of a pod says how its resolver searches. */
export interface PodDns {
  readonly namespace: string;
  /** `ClusterFirst`, `ClusterFirstWithHostNet`, `Default` or `None`. */
  readonly dnsPolicy: string;
  /** Of its dnsConfig. */
  readonly searches: readonly string[];
  /** Of the last option `ndots` of its dnsConfig; '' for one without a value. */
  readonly ndots: string | undefined;
}

/** What is the same for all pods of the node. */
export interface NodeDns {
  /** Without the trailing dot: `cluster.local`. */
  readonly clusterDomain: string;
  /** The search suffixes of the resolv.conf that kubelet reads; undefined: not known. */
  readonly searches: readonly string[] | undefined;
}

/** How the resolver of a pod makes names of what its programs ask for. Pods that do the same share one. */
export class PodSearch {
  /** The suffixes in their order, each an uncompressed name. */
  readonly suffixes: readonly Uint8Array[];
  /** Names with fewer dots are searched before they are asked as they are. */
  readonly ndots: number;
  /** The first suffix is `namespace.svc.Z`, so that the label before it is a Service's. */
  readonly isOfServices: boolean;
  /** No two that live at one time have the same. */
  readonly id: number;

  constructor(suffixes: readonly Uint8Array[], ndots: number, isOfServices: boolean, id: number) {
    this.suffixes = suffixes;
    this.ndots = ndots;
    this.isOfServices = isOfServices;
    this.id = id;
  }
}

/** What a `PodSearch` is made of, as text: equal where its pods search in the same way. */
export interface SearchPath {
  readonly suffixes: readonly string[];
  readonly ndots: number;
  readonly isOfServices: boolean;
}

/**
 * The search path that kubelet writes for the pod, or undefined where it has none, or none that all resolvers read alike. `Default`: its search path is
 * that of the node, and so are its name servers; it is left alone.
 */
export function searchPathOf(pod: PodDns, node: NodeDns): SearchPath | undefined {
  const isClusterFirst = pod.dnsPolicy === 'ClusterFirst' || pod.dnsPolicy === 'ClusterFirstWithHostNet';
  if (!isClusterFirst && pod.dnsPolicy !== 'None') return undefined;
  const ndots = ndotsOf(pod.ndots, isClusterFirst ? CLUSTER_NDOTS : RESOLVER_NDOTS);
  if (isClusterFirst && node.searches === undefined) return undefined;
  const base = isClusterFirst ? [...clusterSuffixes(pod.namespace, node.clusterDomain), ...node.searches!] : [];
  const suffixes = [...new Set([...base, ...pod.searches].map(withoutDot))];
  if (ndots === undefined || ndots === 0 || suffixes.length === 0 || !isReadAlike(suffixes)) return undefined;
  return { suffixes, ndots, isOfServices: isClusterFirst };
}

/** Undefined where a suffix is no name, or leads to the name as it was typed, which resolvers treat in different ways. */
export function wireSuffixes({ suffixes }: SearchPath): Uint8Array[] | undefined {
  const names = suffixes.map(nameFromText);
  const isWhole = (name: Uint8Array | undefined): name is Uint8Array => name !== undefined && name.length > 1;
  return names.every(isWhole) ? names : undefined;
}

function clusterSuffixes(namespace: string, clusterDomain: string): string[] {
  return [`${namespace}.svc.${clusterDomain}`, `svc.${clusterDomain}`, clusterDomain];
}

function withoutDot(suffix: string): string {
  return suffix.length > 1 && suffix.endsWith('.') ? suffix.slice(0, -1) : suffix;
}

function isReadAlike(suffixes: readonly string[]): boolean {
  return suffixes.length <= COMMON_SUFFIXES && suffixes.join(' ').length <= COMMON_CHARACTERS;
}

function ndotsOf(value: string | undefined, usual: number): number | undefined {
  if (value === undefined) return usual;
  return /^\d{1,5}$/.test(value) ? Math.min(Number(value), MOST_NDOTS) : undefined;
}
