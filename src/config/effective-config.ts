import { type Complaints, originText } from './complaints.ts';
import type { Config, ServiceNames, SocketAddress, UpstreamAddress } from './config.ts';
import { DEFAULTS, type Surroundings } from './flags.ts';
import { httpAddresses } from './http-addresses.ts';
import { listenAddresses } from './listen-addresses.ts';
import { type NamedLayer, namedLayer } from './named-layer.ts';
import { probeAddresses } from './probe-addresses.ts';
import { Refusal } from './refusal.ts';
import { refuseWithoutApi, scalarSettings, WITHOUT_API } from './scalar-settings.ts';
import { Scalars, type Setting, saidIn } from './scalars.ts';
import { CLUSTER_DNS_SERVICES, serviceNamesFrom } from './service-names.ts';
import type { Said, Settings } from './settings.ts';
import { UpstreamLists } from './upstream-list.ts';
import { UpstreamSources } from './upstream-sources.ts';
import { KINDS } from './value-kinds.ts';
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
  const saidClusterDns = firstOf(named, (layer) => layer.clusterDns);
  const clusterDns =
    firstOf(named, (layer) => addressesOf(layer, lists)) ??
    sources.clusterDns({ services: clusterDnsService, kubernetes: kubernetes?.text ?? DEFAULTS.kubernetes }, !isWhole);
  const [resolvConf] = saidIn(layers, 'resolvConf');
  const searchConf = resolvConf?.text ?? DEFAULTS.resolvConf;
  const saidUpstreams = firstOf(named, (layer) => layer.upstreams && lists.read(layer.upstreams, 'udp+tcp', UPSTREAMS));
  const upstreams = saidUpstreams ?? sources.fromResolvConf(resolvConf ?? DEFAULT_RESOLV_CONF);
  const said = zoneValues(named, new ZoneReader({ surroundings, complaints, lists, notes }));
  const policy = scalars.read('policy', DEFAULTS.policy, POLICY)!;
  const settings = scalarSettings(scalars, surroundings);
  const http = httpAddresses(saidIn(layers, 'metrics'), saidIn(layers, 'admin'), complaints);
  const zones = zonesFrom(
    { clusterZone, clusterDns, upstreams, said, policy, logSample: settings.logSample },
    complaints,
  );
  refuseWithoutApi(layers, settings, complaints);
  const pods = saidClusterDns?.find(isEndpoints);
  if (pods !== undefined && settings.kubernetes === 'off')
    complaints.refuse(CLUSTER_DNS.code, CLUSTER_DNS.action, pods, WITHOUT_API);
  notes.push(...sources.notes);
  if (saidUpstreams !== undefined && resolvConf !== undefined && settings.search !== 'complete') {
    const used = named.flatMap((layer) => layer.upstreams ?? [])[0];
    notes.push(`${originText(resolvConf.origin)} is not read, since ${used && originText(used.origin)} is given`);
  }
  return {
    listen,
    zones,
    clusterDnsService,
    isClusterDnsDirect: pods !== undefined,
    clusterDomain: clusterZone.slice(0, -1),
    resolvConf: saidUpstreams === undefined ? searchConf : undefined,
    searchConf,
    ...http,
    probes: firstOf(layers, ({ probes }) => probes && probeAddresses(probes, http, complaints)) ?? [],
    ...settings,
  };
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

/** Undefined: nothing is said of addresses. */
function addressesOf({ clusterDns }: NamedLayer, lists: UpstreamLists): UpstreamAddress[] | undefined {
  if (clusterDns === undefined || (clusterDns.length > 0 && clusterDns.every(isEndpoints))) return undefined;
  const said = clusterDns.filter((one) => !isEndpoints(one));
  return lists.read(said, 'tcp', CLUSTER_DNS);
}

/** Not an address: the pods themselves. */
function isEndpoints({ text }: Said): boolean {
  return text === 'endpoints';
}

function clusterZoneFrom(value: string): string {
  const zone = parseZoneName(value);
  if (zone === '.') throw new Refusal('expected a domain name such as cluster.local');
  return zone;
}
