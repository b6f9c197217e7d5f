import type { Flags } from '../config/flags.ts';

/** What `serve` is told, which has the same name and meaning here. */
type ServeFlags = Pick<
  Flags,
  | 'listen'
  | 'clusterDns'
  | 'clusterDnsService'
  | 'clusterDomain'
  | 'upstream'
  | 'resolvConf'
  | 'cacheSize'
  | 'nodeNetwork'
  | 'state'
  | 'kubernetes'
  | 'search'
  | 'lease'
  | 'nodeNames'
  | 'config'
>;

/** The options of `signpost manifests` as they were typed; undefined where one was not given. */
export interface ManifestFlags extends ServeFlags {
  readonly proxy?: string | undefined;
  readonly families?: string | undefined;
  readonly serviceIp?: readonly string[] | undefined;
  readonly clusterDnsSelector?: string | undefined;
  readonly namespace?: string | undefined;
  readonly image?: string | undefined;
  readonly nodes?: string | undefined;
  readonly canary?: string | undefined;
  readonly canaryImage?: string | undefined;
  readonly maxSurge?: string | undefined;
  readonly iptablesLegacy?: boolean | undefined;
  readonly talos?: boolean | undefined;
  readonly selinuxType?: string | undefined;
  readonly monitoring?: boolean | undefined;
  readonly teardown?: boolean | undefined;
}

/** Who leads packets for a Service's address to its pods. */
export type ServiceProxy = 'iptables' | 'nftables' | 'ipvs' | 'cilium';

export const PROXIES: readonly ServiceProxy[] = ['iptables', 'nftables', 'ipvs', 'cilium'];

export type FamilyChoice = 'ipv4' | 'ipv6' | 'dual';

export const FAMILY_CHOICES: readonly FamilyChoice[] = ['ipv4', 'ipv6', 'dual'];

/** What holds where a flag is not given. Help texts show these. */
export const MANIFEST_DEFAULTS = {
  proxy: 'iptables',
  families: 'ipv4',
  namespace: 'kube-system',
  clusterDnsSelector: 'k8s-app=kube-dns',
  maxSurge: '1',
  nodeNetwork: 'auto',
  state: '/run/signpost',
  /** One address each that no other host has, the same on every node. IPv6's link-local addresses need a zone, so a unique local one. */
  listen4: '169.254.20.10',
  listen6: 'fd00::10',
  /** Talos's resolver of the host, where pods reach it (`hostDNS.forwardKubeDNSToHost`). */
  talosResolver: '169.254.116.108',
} as const;
