import { type Complaints, originText } from './complaints.ts';
import type { Config, NodeNetworkMode, ServiceNames, SocketAddress } from './config.ts';
import { DEFAULTS, type Surroundings } from './flags.ts';
import { httpAddresses } from './http-addresses.ts';
import { listenAddresses } from './listen-addresses.ts';
import { type NamedLayer, namedLayer } from './named-layer.ts';
import { probeAddresses } from './probe-addresses.ts';
import { Refusal } from './refusal.ts';
import { CLUSTER_DNS_SERVICES, serviceNamesFrom } from './service-names.ts';
import type { Said, Settings } from './settings.ts';
import { UpstreamLists } from './upstream-list.ts';
import { UpstreamSources } from './upstream-sources.ts';
import { KINDS, type ValueKind } from './value-kinds.ts';
import { parseZoneName } from './zone-name.ts';
import { ZoneReader, type ZoneValues } from './zone-values.ts';
import { zonesFrom } from './zones.ts';

export interface EffectiveParts {
  /** The first that says a thing decides it. What the others say of it must make sense all the same. */
  readonly layers: readonly Settings[];
  /** False where a layer does not hold all that its file says. */
  readonly isWhole: boolean;
  readonly surroundings: Surroundings;
  readonly complaints: Complaints;
  readonly notes: string[];
}

/** Merges all that was said, fills in what was not, and checks it. Worth nothing once there are complaints. */
export function effectiveConfig({ layers, isWhole, surroundings, complaints, notes }: EffectiveParts): Config {
  const scalars = new Scalars(layers, complaints);
  const listen = listenFrom(layers, complaints);
  const clusterZone = scalars.read('clusterDomain', DEFAULTS.clusterDomain, CLUSTER_DOMAIN) ?? '';
  const lists = new UpstreamLists(complaints, listen);
  const clusterDnsService = clusterDnsServiceFrom(scalars);
  const [kubernetes] = saidIn(layers, 'kubernetes');
  const sources = new UpstreamSources(surroundings, complaints, lists);
  const named = layers.map((layer) => namedLayer(layer, clusterZone, complaints));
  const clusterDns =
    firstOf(named, (layer) => layer.clusterDns && lists.read(layer.clusterDns, 'tcp', CLUSTER_DNS)) ??
    sources.clusterDns({ services: clusterDnsService, kubernetes: kubernetes?.text ?? DEFAULTS.kubernetes }, !isWhole);
  const [resolvConf] = saidIn(layers, 'resolvConf');
  const saidUpstreams = firstOf(named, (layer) => layer.upstreams && lists.read(layer.upstreams, 'udp+tcp', UPSTREAMS));
  const upstreams = saidUpstreams ?? sources.fromResolvConf(resolvConf ?? DEFAULT_RESOLV_CONF);
  const said = zoneValues(named, new ZoneReader({ surroundings, complaints, lists, notes }));
  const policy = scalars.read('policy', DEFAULTS.policy, POLICY)!;
  const settings = settingsFrom(scalars, surroundings);
  const http = httpAddresses(saidIn(layers, 'metrics'), saidIn(layers, 'admin'), complaints);
  const zones = zonesFrom(
    { clusterZone, clusterDns, upstreams, said, policy, logSample: settings.logSample },
    complaints,
  );
  notes.push(...sources.notes);
  if (saidUpstreams !== undefined && resolvConf !== undefined) {
    const used = named.flatMap((layer) => layer.upstreams ?? [])[0];
    notes.push(`${originText(resolvConf.origin)} is not read, since ${used && originText(used.origin)} is given`);
  }
  return {
    listen,
    zones,
    clusterDnsService,
    clusterDomain: clusterZone.slice(0, -1),
    resolvConf: saidUpstreams === undefined ? (resolvConf?.text ?? DEFAULTS.resolvConf) : undefined,
    ...http,
    probes: firstOf(layers, ({ probes }) => probes && probeAddresses(probes, http, complaints)) ?? [],
    ...settings,
  };
}

/** How a setting is read, and what messages call it where it is not a key of a file. */
interface Setting<T> {
  readonly kind: Pick<ValueKind<T>, 'read'>;
  readonly code: string;
  /** `log at debug` */
  action(value: string): string;
}

const DEFAULT_RESOLV_CONF: Said = { text: DEFAULTS.resolvConf, origin: { name: '--resolv-conf' } };
const CLUSTER_DNS = { code: 'ERR_CLUSTER_DNS', action: (value: string) => `use ${value} as the cluster DNS` };
const UPSTREAMS = { code: 'ERR_UPSTREAM', action: (value: string) => `forward to ${value}` };
const CLUSTER_DOMAIN: Setting<string> = {
  kind: { read: clusterZoneFrom },
  code: 'ERR_CLUSTER_DOMAIN',
  action: (value) => `use ${value}`,
};
const CLUSTER_DNS_SERVICE: Setting<string> = {
  kind: KINDS.clusterDnsService,
  code: 'ERR_CLUSTER_DNS_SERVICE',
  action: (value) => `look for the cluster DNS at ${value}`,
};
const POLICY: Setting<Config['zones'][0]['policy']> = {
  kind: KINDS.policy,
  code: 'ERR_POLICY',
  action: (value) => `choose upstreams by ${value}`,
};
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

type OneSaid = { [K in keyof Settings]-?: Settings[K] extends Said | undefined ? K : never }[keyof Settings];

/** Settings that are one value. */
class Scalars {
  readonly #layers: readonly Settings[];
  readonly #complaints: Complaints;

  constructor(layers: readonly Settings[], complaints: Complaints) {
    this.#layers = layers;
    this.#complaints = complaints;
  }

  /** Undefined where the value that decides cannot be read. */
  read<T>(key: OneSaid, fallback: string | undefined, { kind, code, action }: Setting<T>): T | undefined {
    const said = saidIn(this.#layers, key);
    const values = said.map((value) => this.#complaints.readSaid(code, action, value, kind.read));
    if (said.length > 0) return values[0];
    return fallback === undefined ? undefined : kind.read(fallback);
  }
}

type PlainSettings = Pick<
  Config,
  | 'cacheBytes'
  | 'nodeNetwork'
  | 'state'
  | 'nodeName'
  | 'kubernetes'
  | 'lameduckMs'
  | 'logLevel'
  | 'logFormat'
  | 'logSample'
>;

function settingsFrom(scalars: Scalars, { env, isTerminal }: Surroundings): PlainSettings {
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
    lameduckMs: scalars.read('lameduck', DEFAULTS.lameduck, LAMEDUCK)!,
    logLevel: scalars.read('logLevel', DEFAULTS.logLevel, LOG_LEVEL)!,
    logFormat: scalars.read('logFormat', isTerminal ? 'text' : 'json', LOG_FORMAT)!,
    logSample: scalars.read('logSample', DEFAULTS.logSample, LOG_SAMPLE)!,
  };
}

function clusterDnsServiceFrom(scalars: Scalars): ServiceNames {
  const said = scalars.read('clusterDnsService', undefined, CLUSTER_DNS_SERVICE);
  return said === undefined ? CLUSTER_DNS_SERVICES : serviceNamesFrom(said);
}

function listenFrom(layers: readonly Settings[], complaints: Complaints): readonly SocketAddress[] {
  const byDefault = { listen: [{ text: DEFAULTS.listen, origin: { name: '--listen' } }] };
  return firstOf([...layers, byDefault], ({ listen }) => listen && listenAddresses(listen, complaints)) ?? [];
}

/** The zones that anything is said of; of each key the first layer that has it decides. */
function zoneValues(layers: readonly NamedLayer[], reader: ZoneReader): Map<string, ZoneValues> {
  const zones = new Map<string, ZoneValues>();
  for (const layer of layers) {
    for (const [name, settings] of layer.zones) {
      const values = reader.read(settings, name);
      const stronger = zones.get(name);
      zones.set(name, stronger === undefined ? values : laidOver(stronger, values));
    }
  }
  return zones;
}

function laidOver(strong: ZoneValues, weak: ZoneValues): ZoneValues {
  const said = Object.fromEntries(Object.entries(strong).filter(([, value]) => value !== undefined));
  return {
    ...weak,
    ...said,
    cache: { ...weak.cache, ...strong.cache },
    said: { ...weak.said, ...strong.said, cache: { ...weak.said.cache, ...strong.said.cache } },
  };
}

/** What the first layer gives; the others are read as well, for what is wrong with them. */
function firstOf<L, T>(layers: readonly L[], read: (layer: L) => T | undefined): T | undefined {
  return layers.map(read).find((value) => value !== undefined);
}

function saidIn(layers: readonly Settings[], key: OneSaid): Said[] {
  return layers.flatMap((layer) => layer[key] ?? []);
}

function clusterZoneFrom(value: string): string {
  const zone = parseZoneName(value);
  if (zone === '.') throw new Refusal('expected a domain name such as cluster.local');
  return zone;
}
