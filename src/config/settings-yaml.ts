import { stringify } from 'yaml';
import type { Said, Settings, ZoneSettings } from './settings.ts';

/** A layer as `--config` reads it: the keys of the file, and text for every value. */
export type PlainSettings = { readonly [key: string]: string | readonly string[] | PlainSettings };

/** `settings` without what only tells where a value came from. */
export function plainSettings({ zones, notes: _notes, ...settings }: Settings): PlainSettings {
  const plain = plainOf(settings) as Record<string, PlainSettings>;
  if (zones === undefined || zones.length === 0) return plain;
  return { ...plain, zones: Object.fromEntries(zones.map(({ zone, ...rest }) => [zone.text, plainOf(rest)])) };
}

/** The text of a file that `--config` reads as the same layer. */
export function settingsYaml(settings: Settings): string {
  const plain = plainSettings(settings);
  return Object.keys(plain).length === 0 ? '{}\n' : stringify(plain, { lineWidth: 0 });
}

type Tree = { readonly [key: string]: Tree | undefined } | readonly Said[] | Said;

function plainOf(tree: object): PlainSettings {
  const entries = Object.entries(tree as Record<string, Tree | undefined>).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries.map(([key, value]) => [key, plainValue(value!)]));
}

function plainValue(value: Tree): PlainSettings[string] {
  if (Array.isArray(value)) return (value as readonly Said[]).map(({ text }) => text);
  if (isSaid(value)) return value.text;
  return plainOf(value);
}

function isSaid(value: Tree): value is Said {
  return 'origin' in value && typeof (value as Said).text === 'string';
}

/** The flags that say the same as far as flags can, and whether that is all. */
export function settingsFlags({ zones = [], notes: _notes, ...settings }: Settings): {
  flags: string[];
  isAll: boolean;
} {
  const flags: string[] = [];
  let isAll = true;
  for (const [key, name] of FLAGS) {
    const value = settings[key];
    for (const { text } of value === undefined
      ? []
      : Array.isArray(value)
        ? (value as readonly Said[])
        : [value as Said]) {
      flags.push(name, text);
    }
  }
  for (const zone of zones) {
    if (zone.upstreams !== undefined)
      flags.push('--route', `${zone.zone.text}=${zone.upstreams.map(({ text }) => text).join(',')}`);
    if (hasMore(zone)) isAll = false;
  }
  return { flags, isAll };
}

const FLAGS: readonly [keyof Omit<Settings, 'zones' | 'notes'>, string][] = [
  ['listen', '--listen'],
  ['metrics', '--metrics'],
  ['admin', '--admin'],
  ['probes', '--probes'],
  ['clusterDns', '--cluster-dns'],
  ['clusterDnsService', '--cluster-dns-service'],
  ['clusterDomain', '--cluster-domain'],
  ['upstreams', '--upstream'],
  ['resolvConf', '--resolv-conf'],
  ['policy', '--policy'],
  ['cacheSize', '--cache-size'],
  ['nodeNetwork', '--node-network'],
  ['interface', '--interface'],
  ['state', '--state'],
  ['nodeName', '--node-name'],
  ['kubernetes', '--kubernetes'],
  ['search', '--search'],
  ['lameduck', '--lameduck'],
  ['logLevel', '--log-level'],
  ['logFormat', '--log-format'],
  ['logSample', '--log-sample'],
];

function hasMore({ zone: _zone, upstreams: _upstreams, cache = {}, ...rest }: ZoneSettings): boolean {
  return Object.keys(rest).length > 0 || Object.keys(cache).length > 0;
}
