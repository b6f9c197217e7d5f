import { type Complaints, shown } from './complaints.ts';
import type { UpstreamAddress } from './config.ts';
import type { Surroundings } from './flags.ts';
import { Refusal } from './refusal.ts';
import { parseResolvConf } from './resolv-conf.ts';
import type { Said } from './settings.ts';
import { parseUpstreamAddress } from './upstream-address.ts';
import type { UpstreamLists } from './upstream-list.ts';

/** Where Kubernetes tells pods of kube-system the addresses of the cluster DNS; the first is a Service that only node caches use. */
const CLUSTER_DNS_VARIABLES = ['KUBE_DNS_UPSTREAM_SERVICE', 'KUBE_DNS_SERVICE'];

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
  clusterDns(mayBeSaid: boolean): UpstreamAddress[] {
    for (const variable of CLUSTER_DNS_VARIABLES) {
      const address = this.#fromEnvironment(variable);
      if (address !== undefined) return [address];
    }
    if (mayBeSaid) return [];
    this.#complaints.add(
      'ERR_CLUSTER_DNS',
      `Cannot tell where the cluster DNS is (--cluster-dns): not given, and ${CLUSTER_DNS_VARIABLES.map((name) => `${name}_HOST`).join(' and ')} ` +
        'of the environment give no address; expected its Service IP, such as --cluster-dns 10.96.0.10',
    );
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
