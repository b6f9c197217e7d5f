import { parseByteSize } from './byte-size.ts';
import { Complaints, shown } from './complaints.ts';
import type { Config } from './config.ts';
import { parseDuration } from './duration.ts';
import { DEFAULTS, type Flags, LOG_FORMATS, LOG_LEVELS, POLICIES, type Surroundings } from './flags.ts';
import { httpAddresses } from './http-addresses.ts';
import { listenAddresses } from './listen-addresses.ts';
import { Refusal } from './refusal.ts';
import { UpstreamSources } from './upstream-sources.ts';
import { parseZoneName } from './zone-name.ts';
import { zonesFrom } from './zones.ts';

export interface LoadedConfig {
  readonly config: Config;
  /** What was passed over, for the log: nothing that stops the agent. */
  readonly notes: readonly string[];
}

const MIB = 1024 * 1024;
const HOUR_MS = 3_600_000;

/** Flags and the files they name as one frozen configuration. Throws `ConfigErrors` with all that is wrong. */
export function configFromFlags(flags: Flags, surroundings: Surroundings): LoadedConfig {
  const complaints = new Complaints();
  const listen = listenAddresses(flags.listen ?? [DEFAULTS.listen], complaints);
  const domain = flags.clusterDomain ?? DEFAULTS.clusterDomain;
  const clusterZone = complaints.read('ERR_CLUSTER_DOMAIN', `use ${shown(domain)}`, '--cluster-domain', () =>
    clusterZoneFrom(domain),
  );
  const resolvConf = flags.resolvConf ?? DEFAULTS.resolvConf;
  const sources = new UpstreamSources(flags, surroundings, complaints, listen);
  const clusterDns = sources.clusterDns();
  const upstreams = sources.upstreams(resolvConf);
  const routes = sources.routes(clusterZone);
  if (flags.upstream !== undefined && flags.resolvConf !== undefined) {
    sources.notes.push('--resolv-conf is not read, since --upstream is given');
  }
  const policy = oneOf(
    flags.policy ?? DEFAULTS.policy,
    POLICIES,
    'ERR_POLICY',
    'choose upstreams by',
    '--policy',
    complaints,
  );
  const settings = settingsFrom(flags, surroundings, complaints);
  complaints.throwIfAny();
  const config: Config = {
    listen,
    zones: zonesFrom({
      clusterZone: clusterZone!,
      clusterDns,
      upstreams,
      routes,
      policy,
      logSample: settings.logSample,
    }),
    clusterDomain: clusterZone!.slice(0, -1),
    resolvConf: flags.upstream === undefined ? resolvConf : undefined,
    ...settings,
  };
  return { config: freeze(config), notes: sources.notes };
}

function clusterZoneFrom(value: string): string {
  const zone = parseZoneName(value);
  if (zone === '.') throw new Refusal('expected a domain name such as cluster.local');
  return zone;
}

type Settings = Omit<Config, 'listen' | 'zones' | 'clusterDomain' | 'resolvConf'>;

function settingsFrom(flags: Flags, { isTerminal }: Surroundings, complaints: Complaints): Settings {
  const cacheSize = flags.cacheSize ?? DEFAULTS.cacheSize;
  const lameduck = flags.lameduck ?? DEFAULTS.lameduck;
  const logLevel = flags.logLevel ?? DEFAULTS.logLevel;
  const logFormat = flags.logFormat ?? (isTerminal ? 'text' : 'json');
  const logSample = flags.logSample ?? DEFAULTS.logSample;
  const { metrics, admin } = httpAddresses(flags.metrics, flags.admin, complaints);
  return {
    metrics,
    admin,
    cacheBytes: complaints.read('ERR_CACHE_SIZE', `size the cache to ${shown(cacheSize)}`, '--cache-size', () =>
      parseByteSize(cacheSize, MIB, 1024 * MIB),
    )!,
    lameduckMs: complaints.read('ERR_LAMEDUCK', `go on for ${shown(lameduck)} after SIGTERM`, '--lameduck', () =>
      parseDuration(lameduck, 0, HOUR_MS),
    )!,
    logLevel: oneOf(logLevel, LOG_LEVELS, 'ERR_LOG_LEVEL', 'log at', '--log-level', complaints),
    logFormat: oneOf(logFormat, LOG_FORMATS, 'ERR_LOG_FORMAT', 'log as', '--log-format', complaints),
    logSample: complaints.read('ERR_LOG_SAMPLE', `log one query in ${shown(logSample)}`, '--log-sample', () =>
      sampleFrom(logSample),
    )!,
  };
}

function oneOf<T extends string>(
  value: string,
  allowed: readonly T[],
  code: string,
  verb: string,
  option: string,
  complaints: Complaints,
): T {
  const found = allowed.find((name) => name === value);
  if (found === undefined)
    complaints.add(code, `Cannot ${verb} ${shown(value)} (${option}): expected ${allowed.join(', ')}`);
  return found ?? allowed[0]!;
}

function sampleFrom(value: string): number {
  if (!/^\d{1,9}$/.test(value))
    throw new Refusal('expected a whole number from 0 (no query) or 1 (every query) to 999999999');
  return Number(value);
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) Object.values(Object.freeze(value)).forEach(freeze);
  return value;
}
