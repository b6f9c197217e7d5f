import { X509Certificate } from 'node:crypto';
import { HOST_NAMES } from '../core/limits.ts';
import { parseAlias, type SaidAlias } from './aliases.ts';
import type { Complaints } from './complaints.ts';
import type { CachePolicy, HostEntry, PolicyName, UpstreamAddress } from './config.ts';
import type { Surroundings } from './flags.ts';
import { parseHostLine, parseHostsFile } from './hosts.ts';
import { Refusal } from './refusal.ts';
import type { CacheSettings, Said, ZoneSettings } from './settings.ts';
import { canonicalHost, isMulticast, isWildcard } from './socket-address.ts';
import type { UpstreamLists } from './upstream-list.ts';
import { KINDS, type ValueKind } from './value-kinds.ts';
import { isWithin, parseZoneName } from './zone-name.ts';

/** What is said of one zone, read. What is undefined was not said, or could not be read. */
export interface ZoneValues {
  readonly upstreams?: readonly UpstreamAddress[] | undefined;
  readonly policy?: PolicyName | undefined;
  readonly tryMs?: number | undefined;
  readonly totalMs?: number | undefined;
  readonly ca?: string | undefined;
  readonly source?: string | undefined;
  readonly hasCookies?: boolean | undefined;
  readonly hasMixedCase?: boolean | undefined;
  readonly cache: Partial<CachePolicy>;
  readonly hasAaaa?: boolean | undefined;
  readonly hosts?: readonly HostEntry[] | undefined;
  readonly aliases?: readonly SaidAlias[] | undefined;
  readonly refuse?: readonly string[] | undefined;
  readonly logSample?: number | undefined;
  /** Where it was said, for what only shows when all is put together. */
  readonly said: ZoneSettings;
}

/** The keys of `cache`, how they are read and what they become. */
const CACHE_KEYS: readonly [keyof CacheSettings, ValueKind<number>, keyof CachePolicy][] = [
  ['minTtl', KINDS.minTtl, 'positiveMinSeconds'],
  ['maxTtl', KINDS.maxTtl, 'positiveMaxSeconds'],
  ['negativeMinTtl', KINDS.negativeMinTtl, 'negativeMinSeconds'],
  ['negativeMaxTtl', KINDS.negativeMaxTtl, 'negativeMaxSeconds'],
  ['stale', KINDS.stale, 'staleSeconds'],
  ['staleTtl', KINDS.staleTtl, 'staleTtlSeconds'],
  ['staleAfter', KINDS.staleAfter, 'staleAfterMs'],
  ['prefetch', KINDS.prefetch, 'prefetchHits'],
  ['keepLastGood', KINDS.keepLastGood, 'keepLastGoodSeconds'],
];

export interface ZoneReaderParts {
  readonly surroundings: Surroundings;
  readonly complaints: Complaints;
  readonly lists: UpstreamLists;
  readonly notes: string[];
}

/** Reads what layers say of zones. */
export class ZoneReader {
  readonly #parts: ZoneReaderParts;
  #hostNames = 0;

  constructor(parts: ZoneReaderParts) {
    this.#parts = parts;
  }

  /** `zone`: its name as `parseZoneName` gives it. */
  read(said: ZoneSettings, zone: string): ZoneValues {
    return {
      said,
      upstreams: said.upstreams && this.#upstreams(said.upstreams, zone),
      policy: this.#one(said.policy, KINDS.policy),
      tryMs: this.#one(said.tryTimeout, KINDS.tryTimeout),
      totalMs: this.#one(said.totalTimeout, KINDS.totalTimeout),
      ca: this.#read(said.tls?.caFile, (path) => this.#authorities(path)),
      source: this.#read(said.source, localAddress),
      hasCookies: this.#one(said.cookies, KINDS.onOff),
      hasMixedCase: this.#one(said.mixedCase, KINDS.onOff),
      cache: this.#cache(said.cache),
      hasAaaa: this.#one(said.aaaa, KINDS.onOff),
      hosts: this.#hosts(said, zone),
      aliases: said.aliases && this.#aliases(said.aliases, zone),
      refuse: said.refuse && this.#refuse(said.refuse, zone),
      logSample: this.#one(said.logSample, KINDS.logSample),
    };
  }

  #upstreams(said: readonly Said[], zone: string): UpstreamAddress[] {
    const action = (value: string): string => `route ${zone} to ${value}`;
    return this.#parts.lists.read(said, 'udp+tcp', { code: 'ERR_ROUTE', action });
  }

  #cache(said: CacheSettings | undefined): Partial<CachePolicy> {
    if (said === undefined) return {};
    const values = CACHE_KEYS.map(([key, kind, field]) => [field, this.#one(said[key], kind)] as const);
    return Object.fromEntries(values.filter(([, value]) => value !== undefined));
  }

  #hosts(said: ZoneSettings, zone: string): HostEntry[] | undefined {
    if (said.hosts === undefined && said.hostsFile === undefined) return undefined;
    const lines = (said.hosts ?? []).map((line) => this.#read(line, (text) => hostWithin(text, zone)));
    const file = this.#read(said.hostsFile, (path) => this.#hostsFile(path, zone)) ?? [];
    const entries = [...lines.filter((entry) => entry !== undefined), ...file];
    for (const { names } of entries) this.#hostNames += names.length;
    if (this.#hostNames > HOST_NAMES.value) this.#complainOfManyHosts((said.hostsFile ?? said.hosts?.[0])!);
    return entries;
  }

  #hostsFile(path: string, zone: string): readonly HostEntry[] {
    const { entries, notes } = parseHostsFile(this.#readFile(path, 'a readable hosts file'), zone);
    this.#parts.notes.push(...notes.map((note) => `${path}:${note}`));
    return entries;
  }

  #complainOfManyHosts(said: Said): void {
    HOST_NAMES.hits++;
    this.#parts.complaints.refuse(
      'ERR_ZONE',
      actionFor(said),
      said,
      `expected at most ${HOST_NAMES.value} names, all zones together`,
    );
    this.#hostNames = Number.NEGATIVE_INFINITY;
  }

  #aliases(said: Readonly<Record<string, Said>>, zone: string): SaidAlias[] {
    const aliases = new Map<string, SaidAlias>();
    for (const [name, value] of Object.entries(said)) {
      const alias = this.#read(value, (text) => {
        const read = parseAlias(name, text, zone);
        if (aliases.has(read.from)) throw new Refusal(`${read.from} is there already; give it once`);
        return read;
      });
      if (alias !== undefined) aliases.set(alias.from, { ...alias, said: value });
    }
    return [...aliases.values()];
  }

  #refuse(said: readonly Said[], zone: string): string[] {
    const names = said.map((name) => this.#read(name, (text) => within(parseZoneName(text), zone)));
    return [...new Set(names.filter((name) => name !== undefined))];
  }

  /** The PEM text of a file of certificates. */
  #authorities(path: string): string {
    const expected = 'a readable file of certificates (PEM)';
    const text = this.#readFile(path, expected);
    const blocks = text.match(/-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----/gs) ?? [];
    if (blocks.length === 0) throw new Refusal(`there is no certificate in it; expected ${expected}`);
    for (const [index, block] of blocks.entries()) {
      try {
        new X509Certificate(block);
      } catch {
        throw new Refusal(`certificate ${index + 1} in it is damaged; expected ${expected}`);
      }
    }
    return blocks.join('\n');
  }

  #readFile(path: string, expected: string): string {
    try {
      return this.#parts.surroundings.readFile(path);
    } catch (error) {
      throw new Refusal(`${(error as Error).message}; expected ${expected}`);
    }
  }

  #one<T>(said: Said | undefined, kind: ValueKind<T>): T | undefined {
    return this.#read(said, kind.read);
  }

  #read<T>(said: Said | undefined, read: (text: string) => T): T | undefined {
    return said && this.#parts.complaints.readSaid('ERR_ZONE', actionFor(said), said, read);
  }
}

/** No flag says these, so there is no better word for them than their key. */
function actionFor({ origin }: Said): (value: string) => string {
  return (value) => `set ${origin.name} to ${value}`;
}

function hostWithin(line: string, zone: string): HostEntry {
  const entry = parseHostLine(line);
  if (entry === undefined) throw new Refusal('expected an address and its names, such as 10.1.2.3 db.corp.example');
  for (const name of entry.names) within(name, zone);
  return entry;
}

function within(name: string, zone: string): string {
  if (!isWithin(name, zone)) throw new Refusal(`${name} is not in this zone, ${zone}`);
  return name;
}

function localAddress(text: string): string {
  const address = canonicalHost(text);
  if (address === undefined || isWildcard(address) || isMulticast(address)) {
    throw new Refusal('expected an IP address of this machine, such as 10.0.0.5');
  }
  return address;
}
