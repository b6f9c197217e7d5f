import { ConfigError } from '../core/errors.ts';
import { type Complaints, shown } from './complaints.ts';
import type { ServiceNames, UpstreamAddress } from './config.ts';
import type { Surroundings } from './flags.ts';
import { Refusal } from './refusal.ts';
import { parseResolvConf } from './resolv-conf.ts';
import { serviceVariable } from './service-names.ts';
import type { Said } from './settings.ts';
import { parseUpstreamAddress } from './upstream-address.ts';
import type { UpstreamLists } from './upstream-list.ts';

/** Nobody says where the cluster DNS is; the API may, and this is how to ask it. */
export class ClusterDnsUnknown extends ConfigError {
  readonly lookup: ClusterDnsLookup;

  constructor(lookup: ClusterDnsLookup) {
    const variables = lookup.services.names.map((name) => `${serviceVariable(name)}_HOST`);
    super(
      'ERR_CLUSTER_DNS',
      `Cannot tell where the cluster DNS is (--cluster-dns): not given, and ${variables.join(' and ')} ` +
        `of the environment give${variables.length === 1 ? 's' : ''} no address; expected its Service IP, such as --cluster-dns 10.96.0.10`,
    );
    this.lookup = lookup;
  }
}

export interface ClusterDnsLookup {
  readonly services: ServiceNames;
  /** As it was said: `off`, `auto`, or the path of a kubeconfig. */
  readonly kubernetes: string;
}

/** Finds out who is asked where nobody said so: the environment and resolv.conf tell. Never one of our own listen addresses. */
export class UpstreamSources {
  readonly notes: string[] = [];
  readonly #surroundings: Surroundings;
  readonly #complaints: Complaints;
  readonly #lists: UpstreamLists;

  constructor(surroundings: Surroundings, complaints: Complaints, lists: UpstreamLists) {
    this.#surroundings = surroundings;
    this.#complaints = complaints;
    this.#lists = lists;
  }

  /** The Service's address from the environment. None is no error where it `mayBeSaid`, in a file that could not be read whole. */
  clusterDns(lookup: ClusterDnsLookup, mayBeSaid: boolean): UpstreamAddress[] {
    for (const name of lookup.services.names) {
      const address = this.#fromEnvironment(serviceVariable(name));
      if (address !== undefined) return [address];
    }
    if (!mayBeSaid) this.#complaints.push(new ClusterDnsUnknown(lookup));
    return [];
  }

  #fromEnvironment(variable: string): UpstreamAddress | undefined {
    const { env } = this.#surroundings;
    const host = env[`${variable}_HOST`];
    if (!host) return undefined;
    const port = env[`${variable}_PORT`] || '53';
    const text = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
    const address = this.#complaints.read(
      'ERR_CLUSTER_DNS',
      `use ${shown(text)} as the cluster DNS`,
      `${variable}_HOST, ${variable}_PORT`,
      () => parseUpstreamAddress(`tcp://${text}`, 'tcp'),
    );
    if (address === undefined || !this.#lists.isOwn(address)) return address;
    this.notes.push(`${variable}_HOST is passed over: ${text} is this agent's own listen address`);
    return undefined;
  }

  /** The name servers of a resolv.conf. */
  fromResolvConf(said: Said): UpstreamAddress[] {
    const path = said.text;
    const read = (value: string): string => `read ${value}`;
    const text = this.#complaints.readSaid('ERR_RESOLV_CONF', read, said, () => this.#readFile(path));
    if (text === undefined) return [];
    const { servers, notes } = parseResolvConf(text);
    this.notes.push(...notes.map((note) => `${path}: ${note}`));
    const foreign = servers.filter((server) => !this.#lists.isOwn(server));
    for (const own of servers.filter((server) => this.#lists.isOwn(server))) {
      this.notes.push(`${path}: nameserver ${own.host} is passed over: it is this agent's own listen address`);
    }
    if (foreign.length === 0) {
      const found =
        servers.length > 0 ? `only this agent's own address (${servers[0]!.host})` : 'no usable nameserver line';
      this.#complaints.refuse(
        'ERR_RESOLV_CONF',
        (value) => `take upstreams from ${value}`,
        said,
        `it has ${found}; name another file, or give --upstream, such as --upstream 9.9.9.9`,
      );
    }
    return foreign.map((server) => ({ ...server, transport: 'udp+tcp' }));
  }

  #readFile(path: string): string {
    try {
      return this.#surroundings.readFile(path);
    } catch (error) {
      throw new Refusal(`${(error as Error).message}; expected a readable resolv.conf, or --upstream`);
    }
  }
}
