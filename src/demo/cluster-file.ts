import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { parse } from 'yaml';
import { canonicalHost } from '../config/socket-address.ts';
import { ConfigError } from '../core/errors.ts';

export interface DemoPort {
  readonly name: string;
  readonly port: number;
  readonly protocol: 'TCP' | 'UDP' | 'SCTP';
}

export interface DemoEndpoint {
  readonly ip: string;
  readonly hostname: string | undefined;
  readonly ready: boolean;
}

export interface DemoService {
  /** Empty: headless. */
  readonly clusterIPs: readonly string[];
  readonly externalName: string | undefined;
  readonly ports: readonly DemoPort[];
  readonly endpoints: readonly DemoEndpoint[];
}

/** A little cluster and the world around it. All names are in lower case, without the trailing dot; addresses in their shortest form. */
export interface DemoCluster {
  readonly domain: string;
  readonly ttlSeconds: number;
  readonly namespaces: ReadonlyMap<string, ReadonlyMap<string, DemoService>>;
  /** Addresses, or the name of which this one is an alias. */
  readonly outside: ReadonlyMap<string, readonly string[] | string>;
}

/** The name that an endpoint has below its Service: its host name, or its address with hyphens. */
export function endpointLabel({ hostname, ip }: DemoEndpoint): string {
  return hostname ?? ip.replace(/[.:]/g, '-');
}

const DEFAULT_FILE = new URL('./cluster.yaml', import.meta.url);

/** Reads `--cluster FILE`, or the file that comes with the demo. Throws `ConfigError` with all that is wrong. */
export function readClusterFile(path?: string): DemoCluster {
  let text: string;
  try {
    text = readFileSync(path ?? DEFAULT_FILE, 'utf8');
  } catch (error) {
    throw new ConfigError('ERR_CLUSTER_FILE', `Cannot read ${path} (--cluster): ${(error as Error).message}`);
  }
  return parseCluster(text, path ?? 'cluster.yaml');
}

/** `origin` is what messages call the text. Throws `ConfigError` with a line for each thing that is wrong. */
export function parseCluster(text: string, origin: string): DemoCluster {
  let document: unknown;
  try {
    document = parse(text);
  } catch (error) {
    throw new ConfigError('ERR_CLUSTER_FILE', `Cannot use ${origin} (--cluster): ${(error as Error).message.trim()}`);
  }
  const problems: string[] = [];
  const cluster = clusterFrom(new Place(document, '', problems));
  if (problems.length > 0) {
    const message = problems.map((problem) => `Cannot use ${origin} (--cluster): ${problem}`).join('\n');
    throw new ConfigError('ERR_CLUSTER_FILE', message);
  }
  return cluster;
}

function clusterFrom(top: Place): DemoCluster {
  const { domain, ttl, namespaces, outside } = top.fields(['domain', 'ttl', 'namespaces', 'outside']);
  return {
    domain: domain!.optional((place) => place.name()) ?? 'cluster.local',
    ttlSeconds: ttl!.optional((place) => place.number(0, 3600)) ?? 30,
    namespaces: namespaces!.map(isLabel, (services) => services.map(isLabel, serviceFrom)),
    outside: outside!.map(isName, (place) => (place.isText ? place.name() : place.list((item) => item.ip()))),
  };
}

function serviceFrom(place: Place): DemoService {
  const { clusterIPs, externalName, ports, endpoints } = place.fields([
    'clusterIPs',
    'externalName',
    'ports',
    'endpoints',
  ]);
  return {
    clusterIPs: clusterIPs!.list((item) => item.ip()),
    externalName: externalName!.optional((item) => item.name()),
    ports: ports!.list(portFrom),
    endpoints: endpoints!.list(endpointFrom),
  };
}

function portFrom(place: Place): DemoPort {
  const { name, port, protocol } = place.fields(['name', 'port', 'protocol']);
  return {
    name: name!.label(),
    port: port!.number(1, 65_535),
    protocol: protocol!.optional((item) => item.oneOf(['TCP', 'UDP', 'SCTP'])) ?? 'TCP',
  };
}

function endpointFrom(place: Place): DemoEndpoint {
  const { ip, hostname, ready } = place.fields(['ip', 'hostname', 'ready']);
  return {
    ip: ip!.ip(),
    hostname: hostname!.optional((item) => item.label()),
    ready: ready!.optional((item) => item.boolean()) ?? true,
  };
}

/** A value of the file and the way to it, which messages name. What is wrong is noted, and something of the right type returned. */
class Place {
  readonly #value: unknown;
  readonly #path: string;
  readonly #problems: string[];

  constructor(value: unknown, path: string, problems: string[]) {
    this.#value = value;
    this.#path = path;
    this.#problems = problems;
  }

  get isText(): boolean {
    return typeof this.#value === 'string';
  }

  optional<T>(read: (place: Place) => T): T | undefined {
    return this.#isAbsent ? undefined : read(this);
  }

  /** A map with these keys and no others; those that are missing are places without a value. */
  fields<K extends string>(keys: readonly K[]): Record<K, Place> {
    const entries = this.#isAbsent ? {} : this.#object(`a map with ${keys.join(', ')}`);
    for (const key of Object.keys(entries)) {
      if (!keys.includes(key as K)) this.#refuse(`'${key}' is not known: expected ${keys.join(', ')}`);
    }
    return Object.fromEntries(keys.map((key) => [key, this.#at(`.${key}`, entries[key])])) as Record<K, Place>;
  }

  /** A map with keys of the user's own choice. */
  map<T>(isKey: (key: string) => boolean, read: (place: Place) => T): Map<string, T> {
    const entries = this.#isAbsent ? {} : this.#object('a map of names');
    return new Map(
      Object.entries(entries).map(([key, value]) => {
        if (!isKey(key)) this.#refuse(`'${key}' is not a name that DNS can ask for`);
        return [key.toLowerCase(), read(this.#at(`.${key}`, value))];
      }),
    );
  }

  list<T>(read: (place: Place) => T): T[] {
    if (this.#isAbsent) return [];
    if (!Array.isArray(this.#value)) return this.#refuse(`expected a list, got ${this.#shown}`, []);
    return this.#value.map((value, index) => read(this.#at(`[${index}]`, value)));
  }

  ip(): string {
    const text = typeof this.#value === 'string' ? canonicalHost(this.#value) : undefined;
    return text ?? this.#refuse(`expected an IP address, got ${this.#shown}`, '');
  }

  name(): string {
    const text = typeof this.#value === 'string' ? this.#value.toLowerCase().replace(/\.$/, '') : '';
    return isName(text) ? text : this.#refuse(`expected a domain name, got ${this.#shown}`, '');
  }

  label(): string {
    const text = typeof this.#value === 'string' ? this.#value.toLowerCase() : '';
    return isLabel(text)
      ? text
      : this.#refuse(`expected a name of letters, digits and hyphens, got ${this.#shown}`, '');
  }

  number(min: number, max: number): number {
    const value = this.#value;
    if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value;
    return this.#refuse(`expected a whole number from ${min} to ${max}, got ${this.#shown}`, min);
  }

  boolean(): boolean {
    return typeof this.#value === 'boolean'
      ? this.#value
      : this.#refuse(`expected true or false, got ${this.#shown}`, true);
  }

  oneOf<T extends string>(allowed: readonly T[]): T {
    const found = allowed.find((value) => value === this.#value);
    return found ?? this.#refuse(`expected ${allowed.join(', ')}, got ${this.#shown}`, allowed[0]!);
  }

  get #isAbsent(): boolean {
    return this.#value === undefined || this.#value === null;
  }

  get #shown(): string {
    return JSON.stringify(this.#value) ?? 'nothing';
  }

  #object(expected: string): Record<string, unknown> {
    if (typeof this.#value === 'object' && !Array.isArray(this.#value)) return this.#value as Record<string, unknown>;
    return this.#refuse(`expected ${expected}, got ${this.#shown}`, {});
  }

  #at(step: string, value: unknown): Place {
    return new Place(value, this.#path === '' ? step.slice(1) : this.#path + step, this.#problems);
  }

  #refuse<T>(reason: string, instead?: T): T {
    this.#problems.push(this.#path === '' ? reason : `${this.#path}: ${reason}`);
    return instead as T;
  }
}

function isLabel(text: string): boolean {
  return /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i.test(text);
}

function isName(text: string): boolean {
  return text.length <= 253 && isIP(text) === 0 && text.split('.').every(isLabel);
}
