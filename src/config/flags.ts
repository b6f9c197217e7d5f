import type { Config, NodeNetworkMode, PolicyName, SearchMode } from './config.ts';

/** The options of `signpost serve` as they were typed; undefined where one was not given. */
export interface Flags {
  readonly listen?: readonly string[] | undefined;
  readonly clusterDns?: readonly string[] | undefined;
  readonly clusterDnsService?: string | undefined;
  readonly clusterDomain?: string | undefined;
  readonly upstream?: readonly string[] | undefined;
  readonly resolvConf?: string | undefined;
  readonly route?: readonly string[] | undefined;
  readonly policy?: string | undefined;
  readonly config?: string | undefined;
  readonly corefile?: string | undefined;
  readonly kubeDnsConfig?: string | undefined;
  readonly cacheSize?: string | undefined;
  readonly metrics?: string | undefined;
  readonly admin?: string | undefined;
  readonly probes?: readonly string[] | undefined;
  readonly nodeNetwork?: string | undefined;
  readonly interface?: string | undefined;
  readonly state?: string | undefined;
  readonly nodeName?: string | undefined;
  readonly kubernetes?: string | undefined;
  readonly search?: string | undefined;
  readonly lease?: boolean | undefined;
  readonly nodeNames?: boolean | undefined;
  readonly lameduck?: string | undefined;
  readonly logLevel?: string | undefined;
  readonly logFormat?: string | undefined;
  readonly logSample?: string | undefined;
}

/** What configuration depends on besides flags. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** True where a person reads the log as it is written. */
  readonly isTerminal: boolean;
  /** The text of a file; throws what the system says. */
  readFile(path: string): string;
  /** The names in a folder; throws what the system says. */
  listFolder?(path: string): readonly string[];
}

/** What holds where a flag is not given. Help texts show these. */
export const DEFAULTS = {
  listen: '169.254.20.10:53',
  clusterDomain: 'cluster.local',
  resolvConf: '/etc/resolv.conf',
  policy: 'random',
  cacheSize: '32MiB',
  metrics: '0.0.0.0:9253',
  admin: '127.0.0.1:9254',
  nodeNetwork: 'off',
  interface: 'signpost0',
  noTrack: 'on',
  kubernetes: 'auto',
  search: 'local',
  lease: 'off',
  nodeNames: 'off',
  lameduck: '5s',
  logLevel: 'info',
  logSample: '0',
} as const;

export const POLICIES: readonly PolicyName[] = ['random', 'round-robin', 'sequential', 'fastest'];
export const NODE_NETWORK_MODES: readonly NodeNetworkMode[] = ['off', 'auto', 'nftables', 'iptables', 'interface'];
export const SEARCH_MODES: readonly SearchMode[] = ['off', 'local', 'complete'];
export const LOG_LEVELS: readonly Config['logLevel'][] = ['debug', 'info', 'warn', 'error'];
export const LOG_FORMATS: readonly Config['logFormat'][] = ['text', 'json'];
