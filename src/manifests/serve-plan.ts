import { type Document, parseDocument } from 'yaml';
import { formatByteSize } from '../config/byte-size.ts';
import type { Config, SocketAddress } from '../config/config.ts';
import { DEFAULTS, type Flags, type Surroundings } from '../config/flags.ts';
import { configFromFlags } from '../config/from-flags.ts';
import { serviceVariable } from '../config/service-names.ts';
import { formatSocketAddress } from '../config/socket-address.ts';
import { yamlReader } from '../config/yaml-settings.ts';
import { type FamilyChoice, MANIFEST_DEFAULTS, type ManifestFlags, type ServiceProxy } from './manifest-flags.ts';

/** The agent's settings, divided: what takes a restart is in arguments, so that a change goes from node to node; the rest is in a file that is watched. */
export interface ServePlan {
  /** Arguments of `serve`. */
  readonly args: readonly string[];
  /** The file for `--config`. */
  readonly file: string;
  /** What both come to, with examples in place of what only a pod knows. */
  readonly config: Config;
  /** True where the cluster DNS was named, and no Service of ours is needed to find it. */
  readonly hasClusterDns: boolean;
}

interface ServeSurroundings {
  readonly proxy: ServiceProxy;
  readonly families: FamilyChoice;
  readonly serviceIps: readonly string[];
}

/** What takes a restart (`agent/fixed-settings.ts`), by its key in the file: it goes from the file to the arguments. */
const FIXED_KEYS: readonly string[] = [
  'listen',
  'metrics',
  'admin',
  'probes',
  'cacheSize',
  'nodeNetwork',
  'interface',
  'state',
  'nodeName',
  'kubernetes',
  'search',
  'lease',
  'nodeNames',
  'logFormat',
];

/** Longer than Cilium takes to learn that a pod goes, and to lead its packets elsewhere. */
const CILIUM_LAMEDUCK = '20s';

/** Where a pod's own addresses stand in for what is not known before it runs (RFC 5737, RFC 3849). */
const POD_IPS: Readonly<Record<FamilyChoice, readonly string[]>> = {
  ipv4: ['192.0.2.1'],
  ipv6: ['2001:db8::1'],
  dual: ['192.0.2.1', '2001:db8::1'],
};

/** Reads the flags and the file as `serve` would. Throws `ConfigErrors` with all that is wrong. */
export function servePlan(flags: ManifestFlags, parts: ServeSurroundings, surroundings: Surroundings): ServePlan {
  const text = flags.config === undefined ? '' : readIfThere(flags.config, surroundings);
  const document = parseDocument(text);
  const isSaid = (key: string): boolean => document.contents !== null && document.has(key);
  const defaults = defaultFlags(flags, parts, isSaid);
  const { config } = configFromFlags(
    { ...defaults, config: flags.config },
    podSurroundings(flags, String(flags.clusterDnsService ?? document.get('clusterDnsService')), surroundings),
    flags.config === undefined ? [] : [yamlReader(flags.config)],
  );
  return {
    args: parts.proxy === 'cilium' ? ciliumArguments(config) : hostArguments(config),
    file: fileText(document, defaults),
    config,
    hasClusterDns: namesClusterDns(flags, document),
  };
}

/** Whether it is said where the cluster DNS is. That its pods are to be asked does not say it: their Service is still to be found. */
function namesClusterDns(flags: ManifestFlags, document: Document): boolean {
  const { clusterDns, clusterDnsService } =
    document.contents === null ? {} : (document.toJS() as Record<string, unknown>);
  if ((flags.clusterDnsService ?? clusterDnsService) !== undefined) return true;
  return [flags.clusterDns ?? clusterDns].flat().some((said) => said !== undefined && said !== 'endpoints');
}

/** The flags of `serve` that are in force: what was given, else what suits the cluster, unless the file says it. */
function defaultFlags(
  flags: ManifestFlags,
  { proxy, families, serviceIps }: ServeSurroundings,
  isSaid: (key: string) => boolean,
): Flags {
  const unlessSaid = (key: string, value: string): string | undefined => (isSaid(key) ? undefined : value);
  const own = { ipv4: [MANIFEST_DEFAULTS.listen4], ipv6: [MANIFEST_DEFAULTS.listen6] };
  const listen =
    flags.listen ?? (isSaid('listen') ? undefined : { ...own, dual: [...own.ipv4, ...own.ipv6] }[families]);
  const isCilium = proxy === 'cilium';
  return {
    listen: isCilium ? POD_IPS[families] : listen === undefined ? undefined : [...listen, ...serviceIps],
    metrics: families === 'ipv4' ? undefined : unlessSaid('metrics', DEFAULTS.metrics.replace('0.0.0.0', '[::]')),
    clusterDns: flags.clusterDns,
    clusterDnsService: flags.clusterDnsService,
    clusterDomain: flags.clusterDomain ?? unlessSaid('clusterDomain', DEFAULTS.clusterDomain),
    upstream: flags.upstream ?? (flags.talos ? [MANIFEST_DEFAULTS.talosResolver] : undefined),
    resolvConf: flags.resolvConf,
    cacheSize: flags.cacheSize ?? unlessSaid('cacheSize', DEFAULTS.cacheSize),
    nodeNetwork: isCilium ? 'off' : (flags.nodeNetwork ?? unlessSaid('nodeNetwork', MANIFEST_DEFAULTS.nodeNetwork)),
    state: flags.state ?? unlessSaid('state', MANIFEST_DEFAULTS.state),
    kubernetes: flags.kubernetes,
    search: flags.search,
    lease: flags.lease,
    nodeNames: flags.nodeNames,
    lameduck: isCilium ? unlessSaid('lameduck', CILIUM_LAMEDUCK) : undefined,
    logFormat: unlessSaid('logFormat', 'json'),
  };
}

function hostArguments(config: Config): string[] {
  const { nodeNetwork } = config;
  return [
    ...config.listen.map((address) => `--listen=${dnsAddress(address)}`),
    ...sharedArguments(config),
    ...config.probes.map((address) => `--probes=${formatSocketAddress(address)}`),
    `--node-network=${nodeNetwork.mode}`,
    ...(nodeNetwork.interface === DEFAULTS.interface ? [] : [`--interface=${nodeNetwork.interface}`]),
  ];
}

/** On a network of its own the pod listens where Cilium sends packets, and kubelet probes there too. */
function ciliumArguments(config: Config): string[] {
  return ['--listen=$(POD_IPS)', `--probes=$(POD_IP)`, ...sharedArguments(config)];
}

function sharedArguments(config: Config): string[] {
  const { metrics, admin, cacheBytes, state, kubernetes, search, hasLease, hasNodeNames, logFormat } = config;
  const http = (flag: string, address: SocketAddress | undefined, usual: string): string[] => {
    const text = address === undefined ? 'off' : formatSocketAddress(address);
    return text === usual ? [] : [`--${flag}=${text}`];
  };
  return [
    ...http('metrics', metrics, DEFAULTS.metrics),
    ...http('admin', admin, DEFAULTS.admin),
    `--cache-size=${formatByteSize(cacheBytes)}`,
    ...(state === undefined ? [] : [`--state=${state}`]),
    ...(kubernetes === DEFAULTS.kubernetes ? [] : [`--kubernetes=${kubernetes}`]),
    ...(search === DEFAULTS.search ? [] : [`--search=${search}`]),
    ...(hasLease ? ['--lease'] : []),
    ...(hasNodeNames ? ['--node-names'] : []),
    `--log-format=${logFormat}`,
  ];
}

/** The person's file with its comments, without what stands in arguments and with what flags say. */
function fileText(document: Document, flags: Flags): string {
  if (document.contents === null) document.contents = document.createNode({}) as Document['contents'];
  for (const key of FIXED_KEYS) if (document.has(key)) document.delete(key);
  const said: [string, unknown][] = [
    ['clusterDomain', flags.clusterDomain],
    ['clusterDns', flags.clusterDns],
    ['clusterDnsService', flags.clusterDnsService],
    ['upstreams', flags.upstream],
    ['resolvConf', flags.resolvConf],
    ['lameduck', flags.lameduck],
  ];
  for (const [key, value] of said) if (value !== undefined) document.set(key, document.createNode(value));
  return document.toString({ lineWidth: 0 });
}

/** What the pod will find. Files of the nodes are not here; an empty one stands for each that is not. */
function podSurroundings(
  { resolvConf }: ManifestFlags,
  clusterDnsService: string,
  surroundings: Surroundings,
): Surroundings {
  const resolvers = new Set([resolvConf, DEFAULTS.resolvConf]);
  return {
    env: {
      KUBE_DNS_UPSTREAM_SERVICE_HOST: '192.0.2.10',
      [`${serviceVariable(clusterDnsService.split('/').at(-1)!)}_HOST`]: '192.0.2.10',
      NODE_NAME: 'node',
    },
    isTerminal: false,
    readFile: (path) => (resolvers.has(path) ? 'nameserver 192.0.2.53\n' : surroundings.readFile(path)),
  };
}

function readIfThere(path: string, { readFile }: Surroundings): string {
  try {
    return readFile(path);
  } catch {
    // The reader of the file says why, together with all else that is wrong.
    return '';
  }
}

function dnsAddress(address: SocketAddress): string {
  return address.port === 53 ? address.host : formatSocketAddress(address);
}
