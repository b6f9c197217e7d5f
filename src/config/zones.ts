import { checkAliases } from './aliases.ts';
import type { Complaints } from './complaints.ts';
import type { Alias, HostEntry, PolicyName, UpstreamAddress, ZoneConfig } from './config.ts';
import { formatDuration } from './duration.ts';
import { CLUSTER_DEFAULTS, OUTSIDE_DEFAULTS, REVERSE_ZONES } from './zone-defaults.ts';
import { enclosingNames, isWithin } from './zone-name.ts';
import type { ZoneValues } from './zone-values.ts';

export interface ZoneSources {
  /** With the trailing dot. */
  readonly clusterZone: string;
  readonly clusterDns: readonly UpstreamAddress[];
  readonly upstreams: readonly UpstreamAddress[];
  /** What is said of single zones. Upstreams of the root and of the cluster zone are the two above, wherever they were said. */
  readonly said: ReadonlyMap<string, ZoneValues>;
  readonly policy: PolicyName;
  readonly logSample: number;
}

/**
 * Every zone and how it is answered: the cluster's own, the reverse zones, those that something is said of, and the root for all the rest. A zone
 * without upstreams of its own is a part of the zone that encloses it, and all that is not said of it is as it is there.
 */
export function zonesFrom(sources: ZoneSources, complaints: Complaints): ZoneConfig[] {
  const { clusterZone, said } = sources;
  const others = [...said.keys()].filter((name) => name !== '.');
  const names = [...new Set([clusterZone, ...REVERSE_ZONES, ...others, '.'])];
  const zones = new Map<string, ZoneConfig>();
  /** The zone that each zone is a part of. */
  const wholes = new Map<string, ZoneConfig>();
  for (const name of names.toSorted((a, b) => labelCount(a) - labelCount(b))) {
    const values = said.get(name);
    const own = ownUpstreams(name, values, sources);
    const whole = own === undefined ? closest(name, zones)! : undefined;
    const base = whole ?? { ...defaultsOf(name, own!, sources), zone: name, upstreams: own! };
    if (whole !== undefined) wholes.set(name, whole);
    const zone = { ...overlay(base, values), zone: name, ...ownNames(values) };
    if (values !== undefined) check(zone, values, complaints);
    zones.set(name, zone);
  }
  checkAliases(said.values(), complaints);
  const made = inherit(zones, wholes);
  return names.map((name) => made.get(name)!);
}

/** What the zone itself says of single names. A hosts file may serve others, too, so an alias goes before its lines. */
function ownNames(values: ZoneValues | undefined): Pick<ZoneConfig, 'hosts' | 'aliases' | 'refuse'> {
  const aliases = (values?.aliases ?? []).map(({ from, to }) => ({ from, to }));
  const hosts = without(new Set(aliases.map(({ from }) => from)), values?.hosts ?? []);
  return { hosts, aliases, refuse: values?.refuse ?? [] };
}

function without(names: ReadonlySet<string>, entries: readonly HostEntry[]): readonly HostEntry[] {
  if (names.size === 0) return entries;
  return entries
    .map((entry) => ({ address: entry.address, names: entry.names.filter((name) => !names.has(name)) }))
    .filter((entry) => entry.names.length > 0);
}

/** Upstreams of the zone itself; undefined where it is a part of another. */
function ownUpstreams(
  name: string,
  values: ZoneValues | undefined,
  { clusterZone, clusterDns, upstreams }: ZoneSources,
): readonly UpstreamAddress[] | undefined {
  if (name === '.') return upstreams;
  if (name === clusterZone) return clusterDns;
  return values?.upstreams ?? (REVERSE_ZONES.includes(name) ? clusterDns : undefined);
}

function defaultsOf(
  name: string,
  own: readonly UpstreamAddress[],
  { clusterZone, clusterDns, policy, logSample }: ZoneSources,
): Omit<ZoneConfig, 'zone' | 'upstreams'> {
  const isCluster = name === clusterZone || (own === clusterDns && REVERSE_ZONES.includes(name));
  return { ...(isCluster ? CLUSTER_DEFAULTS : OUTSIDE_DEFAULTS), policy, logSample };
}

function overlay(base: ZoneConfig, values: ZoneValues | undefined): ZoneConfig {
  if (values === undefined) return base;
  return {
    ...base,
    upstreams: base.upstreams.map((address) => dressed(address, values)),
    policy: values.policy ?? base.policy,
    tryMs: values.tryMs ?? base.tryMs,
    totalMs: values.totalMs ?? base.totalMs,
    cache: { ...base.cache, ...values.cache },
    hasAaaa: values.hasAaaa ?? base.hasAaaa,
    logSample: values.logSample ?? base.logSample,
  };
}

/** An upstream as the zone asks it. What a transport has no use for makes no other upstream of it. */
function dressed(address: UpstreamAddress, values: ZoneValues): UpstreamAddress {
  const { ca, source, hasCookies, hasMixedCase } = values;
  const isEncrypted = address.transport === 'tls' || address.transport === 'https';
  return {
    ...address,
    ...(ca !== undefined && isEncrypted ? { ca } : {}),
    ...(source !== undefined && isSameFamily(source, address.host) ? { source } : {}),
    ...(hasCookies !== undefined && !isEncrypted ? { hasCookies } : {}),
    ...(hasMixedCase !== undefined && !isEncrypted ? { hasMixedCase } : {}),
  };
}

function isSameFamily(a: string, b: string): boolean {
  return a.includes(':') === b.includes(':');
}

/** What only shows when all that holds for a zone is known. */
function check(zone: ZoneConfig, { said, source, ca, upstreams, cache }: ZoneValues, complaints: Complaints): void {
  const seconds = (count: number): string => formatDuration(count * 1000);
  const refuse = (culprit: (typeof said)['source'], reason: string): void => {
    if (culprit === undefined) return;
    complaints.refuse('ERR_ZONE', (value) => `set ${culprit.origin.name} to ${value}`, culprit, reason);
  };
  const { positiveMinSeconds, positiveMaxSeconds, negativeMinSeconds, negativeMaxSeconds } = zone.cache;
  if (positiveMinSeconds > positiveMaxSeconds) {
    refuse(
      cache.positiveMinSeconds === undefined ? said.cache?.maxTtl : said.cache?.minTtl,
      `minTtl (${seconds(positiveMinSeconds)}) is above maxTtl (${seconds(positiveMaxSeconds)})`,
    );
  }
  if (negativeMinSeconds > negativeMaxSeconds) {
    refuse(
      cache.negativeMinSeconds === undefined ? said.cache?.negativeMaxTtl : said.cache?.negativeMinTtl,
      `negativeMinTtl (${seconds(negativeMinSeconds)}) is above negativeMaxTtl (${seconds(negativeMaxSeconds)})`,
    );
  }
  if (zone.tryMs > zone.totalMs) {
    refuse(
      said.tryTimeout ?? said.totalTimeout,
      `tryTimeout (${formatDuration(zone.tryMs)}) is above totalTimeout (${formatDuration(zone.totalMs)})`,
    );
  }
  // Upstreams that could not be read may have been the ones.
  if (zone.upstreams.length === 0 || (upstreams !== undefined && upstreams.length < (said.upstreams?.length ?? 0)))
    return;
  if (source !== undefined && !zone.upstreams.some(({ host }) => isSameFamily(source, host))) {
    refuse(said.source, `none of the zone's upstreams has an IPv${source.includes(':') ? 6 : 4} address`);
  }
  if (ca !== undefined && !zone.upstreams.some(({ transport }) => transport === 'tls' || transport === 'https')) {
    refuse(said.tls?.caFile, "none of the zone's upstreams is asked over tls:// or https://");
  }
}

/**
 * Gives each part of a zone what its whole says of names in it. For every name one look-up of its zone, not a comparison with every zone: there may
 * be ten thousand of either.
 */
function inherit(
  zones: ReadonlyMap<string, ZoneConfig>,
  wholes: ReadonlyMap<string, ZoneConfig>,
): ReadonlyMap<string, ZoneConfig> {
  if (wholes.size === 0) return zones;
  const hosts = new Map<string, HostEntry[]>();
  const aliases = new Map<string, Alias[]>();
  const refuse = new Map<string, string[]>();
  for (const zone of zones.values()) {
    for (const entry of zone.hosts) {
      const parts = new Set(entry.names.flatMap((name) => partsFor(name, zone.zone, zones, wholes)));
      for (const part of parts) {
        const names = entry.names.filter((name) => isWithin(name, part));
        append(hosts, part, { address: entry.address, names });
      }
    }
    for (const alias of zone.aliases) {
      for (const part of partsFor(alias.from, zone.zone, zones, wholes)) append(aliases, part, alias);
    }
    for (const name of zone.refuse) {
      for (const part of partsFor(name, zone.zone, zones, wholes)) append(refuse, part, name);
    }
  }
  const made = new Map<string, ZoneConfig>();
  for (const zone of zones.values()) made.set(zone.zone, withInherited(zone, { hosts, aliases, refuse }, wholes, made));
  return made;
}

/** The zones from the one that answers `name` up to `zone`, itself not among them; none where one of them is no part of `zone`. */
function partsFor(
  name: string,
  zone: string,
  zones: ReadonlyMap<string, ZoneConfig>,
  wholes: ReadonlyMap<string, ZoneConfig>,
): string[] {
  const parts: string[] = [];
  let at = zones.has(name) ? name : closest(name, zones)!.zone;
  while (at !== zone) {
    parts.push(at);
    const whole = wholes.get(at);
    if (whole === undefined) return [];
    at = whole.zone;
  }
  return parts;
}

/** By the zone that they come down to. */
interface Inherited {
  readonly hosts: ReadonlyMap<string, HostEntry[]>;
  readonly aliases: ReadonlyMap<string, Alias[]>;
  readonly refuse: ReadonlyMap<string, string[]>;
}

function withInherited(
  zone: ZoneConfig,
  { hosts, aliases, refuse }: Inherited,
  wholes: ReadonlyMap<string, ZoneConfig>,
  made: ReadonlyMap<string, ZoneConfig>,
): ZoneConfig {
  const whole = wholes.get(zone.zone);
  if (whole === undefined) return zone;
  const own = new Set([...zone.hosts.flatMap((entry) => entry.names), ...zone.aliases.map(({ from }) => from)]);
  const entries = without(own, hosts.get(zone.zone) ?? []);
  const others = (aliases.get(zone.zone) ?? []).filter(({ from }) => !own.has(from));
  const refused = new Set([...zone.refuse, ...(refuse.get(zone.zone) ?? [])]);
  // Wholes come before their parts, so what is refused above them has come down to the closest one.
  const above = made.get(whole.zone)!;
  if (isRefused(zone.zone, above)) refused.add(zone.zone);
  return {
    ...zone,
    hosts: [...zone.hosts, ...entries],
    aliases: [...zone.aliases, ...others],
    refuse: [...refused],
  };
}

const refusedNames = new WeakMap<ZoneConfig, ReadonlySet<string>>();

function isRefused(name: string, zone: ZoneConfig): boolean {
  const known = refusedNames.get(zone) ?? new Set(zone.refuse);
  refusedNames.set(zone, known);
  if (known.size === 0) return false;
  if (known.has(name)) return true;
  for (const enclosing of enclosingNames(name)) if (known.has(enclosing)) return true;
  return false;
}

function closest(name: string, zones: ReadonlyMap<string, ZoneConfig>): ZoneConfig | undefined {
  for (const enclosing of enclosingNames(name)) {
    const zone = zones.get(enclosing);
    if (zone !== undefined) return zone;
  }
  return undefined;
}

function append<T>(lists: Map<string, T[]>, key: string, value: T): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}

function labelCount(zone: string): number {
  return zone === '.' ? 0 : zone.split('.').length - 1;
}
