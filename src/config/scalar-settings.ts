import type { Complaints } from './complaints.ts';
import type { Config, NodeNetworkMode, SearchMode } from './config.ts';
import { DEFAULTS, type Surroundings } from './flags.ts';
import { type OneSaid, type Scalars, type Setting, saidIn } from './scalars.ts';
import type { Settings } from './settings.ts';
import { KINDS } from './value-kinds.ts';

/** What stands for itself in a configuration: it depends on nothing else that is said. */
export type ScalarSettings = Pick<
  Config,
  | 'cacheBytes'
  | 'nodeNetwork'
  | 'state'
  | 'nodeName'
  | 'kubernetes'
  | 'search'
  | 'hasLease'
  | 'hasNodeNames'
  | 'lameduckMs'
  | 'logLevel'
  | 'logFormat'
  | 'logSample'
>;

/** Reads them, or what holds where nothing is said. */
export function scalarSettings(scalars: Scalars, { env, isTerminal }: Surroundings): ScalarSettings {
  return {
    cacheBytes: scalars.read('cacheSize', DEFAULTS.cacheSize, CACHE_SIZE)!,
    nodeNetwork: {
      mode: scalars.read('nodeNetwork', DEFAULTS.nodeNetwork, NODE_NETWORK)!,
      interface: scalars.read('interface', DEFAULTS.interface, INTERFACE)!,
      hasNoTrack: scalars.read('noTrack', DEFAULTS.noTrack, NO_TRACK)!,
    },
    state: scalars.read('state', undefined, STATE),
    nodeName: scalars.read('nodeName', env['NODE_NAME'] || undefined, NODE_NAME),
    kubernetes: scalars.read('kubernetes', DEFAULTS.kubernetes, KUBERNETES)!,
    search: scalars.read('search', DEFAULTS.search, SEARCH)!,
    hasLease: scalars.read('lease', DEFAULTS.lease, LEASE)!,
    hasNodeNames: scalars.read('nodeNames', DEFAULTS.nodeNames, NODE_NAMES)!,
    lameduckMs: scalars.read('lameduck', DEFAULTS.lameduck, LAMEDUCK)!,
    logLevel: scalars.read('logLevel', DEFAULTS.logLevel, LOG_LEVEL)!,
    logFormat: scalars.read('logFormat', isTerminal ? 'text' : 'json', LOG_FORMAT)!,
    logSample: scalars.read('logSample', DEFAULTS.logSample, LOG_SAMPLE)!,
  };
}

export const WITHOUT_API = 'the Kubernetes API is needed for that, and it is not to be asked (--kubernetes off)';

/** Complains of what only the Kubernetes API can tell where that is not to be asked. */
export function refuseWithoutApi(
  layers: readonly Settings[],
  { kubernetes, search, hasLease, hasNodeNames }: ScalarSettings,
  complaints: Complaints,
): void {
  if (kubernetes !== 'off') return;
  const refuse = (key: OneSaid, { code, action }: Setting<unknown>): void =>
    complaints.refuse(code, action, saidIn(layers, key)[0]!, WITHOUT_API);
  if (search === 'complete') refuse('search', SEARCH);
  if (hasLease) refuse('lease', LEASE);
  if (hasNodeNames) refuse('nodeNames', NODE_NAMES);
}

const CACHE_SIZE: Setting<number> = {
  kind: KINDS.cacheSize,
  code: 'ERR_CACHE_SIZE',
  action: (value) => `size the cache to ${value}`,
};
const LAMEDUCK: Setting<number> = {
  kind: KINDS.lameduck,
  code: 'ERR_LAMEDUCK',
  action: (value) => `go on for ${value} after SIGTERM`,
};
const NODE_NETWORK: Setting<NodeNetworkMode> = {
  kind: KINDS.nodeNetwork,
  code: 'ERR_NODE_NETWORK',
  action: (value) => `set up the node's network by ${value}`,
};
const INTERFACE: Setting<string> = {
  kind: KINDS.interface,
  code: 'ERR_INTERFACE',
  action: (value) => `name the link ${value}`,
};
const NO_TRACK: Setting<boolean> = {
  kind: KINDS.onOff,
  code: 'ERR_NO_TRACK',
  action: (value) => `set noTrack to ${value}`,
};
const STATE: Setting<string> = {
  kind: KINDS.state,
  code: 'ERR_STATE',
  action: (value) => `keep state in ${value}`,
};
const NODE_NAME: Setting<string> = {
  kind: KINDS.nodeName,
  code: 'ERR_NODE_NAME',
  action: (value) => `take ${value} for this node`,
};
const KUBERNETES: Setting<string> = {
  kind: KINDS.kubernetes,
  code: 'ERR_KUBERNETES',
  action: (value) => `use ${value} for the Kubernetes API`,
};
const SEARCH: Setting<SearchMode> = {
  kind: KINDS.search,
  code: 'ERR_SEARCH',
  action: (value) => `treat search paths as ${value}`,
};
const LEASE: Setting<boolean> = {
  kind: KINDS.onOff,
  code: 'ERR_LEASE',
  action: (value) => `set lease to ${value}`,
};
const NODE_NAMES: Setting<boolean> = {
  kind: KINDS.onOff,
  code: 'ERR_NODE_NAMES',
  action: (value) => `set nodeNames to ${value}`,
};
const LOG_LEVEL: Setting<Config['logLevel']> = {
  kind: KINDS.logLevel,
  code: 'ERR_LOG_LEVEL',
  action: (value) => `log at ${value}`,
};
const LOG_FORMAT: Setting<Config['logFormat']> = {
  kind: KINDS.logFormat,
  code: 'ERR_LOG_FORMAT',
  action: (value) => `log as ${value}`,
};
const LOG_SAMPLE: Setting<number> = {
  kind: KINDS.logSample,
  code: 'ERR_LOG_SAMPLE',
  action: (value) => `log one query in ${value}`,
};
