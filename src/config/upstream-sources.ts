import { type Complaints, shown } from './complaints.ts';
import type { SocketAddress, UpstreamAddress } from './config.ts';
import type { Flags, Surroundings } from './flags.ts';
import { Refusal } from './refusal.ts';
import { parseResolvConf } from './resolv-conf.ts';
import { formatSocketAddress } from './socket-address.ts';
import { parseUpstreamAddress } from './upstream-address.ts';
import { parseZoneName } from './zone-name.ts';
import type { Route } from './zones.ts';

/** Where Kubernetes tells pods of kube-system the addresses of the cluster DNS; the first is a Service that only node caches use. */
const CLUSTER_DNS_VARIABLES = ['KUBE_DNS_UPSTREAM_SERVICE', 'KUBE_DNS_SERVICE'];

/** More servers for one zone than this is a mistake, not a wish; CoreDNS has the same bound. */
const MAX_UPSTREAMS = 15;

/** Finds out who is asked for what: flags first, then the environment and resolv.conf. Never one of our own listen addresses. */
export class UpstreamSources {
  readonly notes: string[] = [];
  readonly #flags: Flags;
  readonly #surroundings: Surroundings;
  readonly #complaints: Complaints;
  readonly #listen: readonly SocketAddress[];

  constructor(flags: Flags, surroundings: Surroundings, complaints: Complaints, listen: readonly SocketAddress[]) {
    this.#flags = flags;
    this.#surroundings = surroundings;
    this.#complaints = complaints;
    this.#listen = listen;
  }

  /** `--cluster-dns`, else the Service's address from the environment. */
  clusterDns(): UpstreamAddress[] {
    const values = this.#flags.clusterDns;
    if (values !== undefined)
      return this.#parseAll('--cluster-dns', 'ERR_CLUSTER_DNS', 'use', 'as the cluster DNS', values, 'tcp');
    for (const variable of CLUSTER_DNS_VARIABLES) {
      const address = this.#fromEnvironment(variable);
      if (address !== undefined) return [address];
    }
    this.#complaints.add(
      'ERR_CLUSTER_DNS',
      `Cannot tell where the cluster DNS is (--cluster-dns): not given, and ${CLUSTER_DNS_VARIABLES.map((name) => `${name}_HOST`).join(' and ')} ` +
        'of the environment give no address; expected its Service IP, such as --cluster-dns 10.96.0.10',
    );
    return [];
  }

  /** `--upstream`, else the name servers of `resolvConf`. */
  upstreams(resolvConf: string): UpstreamAddress[] {
    const values = this.#flags.upstream;
    if (values === undefined) return this.#fromResolvConf(resolvConf);
    return this.#parseAll('--upstream', 'ERR_UPSTREAM', 'forward to', '', values, 'udp+tcp');
  }

  /** Every `--route ZONE=UPSTREAM[,UPSTREAM]`. */
  routes(clusterZone: string | undefined): Route[] {
    const routes: Route[] = [];
    for (const value of this.#flags.route ?? []) {
      const route = this.#complaints.read('ERR_ROUTE', `route ${shown(value)}`, '--route', () => this.#route(value));
      if (route === undefined) continue;
      const reason = reasonAgainst(route.zone, routes, clusterZone);
      if (reason === undefined) routes.push(route);
      else this.#complaints.add('ERR_ROUTE', `Cannot route ${shown(value)} (--route): ${reason}`);
    }
    return routes;
  }

  #route(value: string): Route {
    const [, zone, list] = /^([^=]*)=(.*)$/s.exec(value) ?? [];
    if (!zone || !list) throw new Refusal('expected ZONE=UPSTREAM[,UPSTREAM], such as corp.example=10.1.2.3');
    const texts = list.split(',');
    if (texts.length > MAX_UPSTREAMS) throw new Refusal(`${texts.length} upstreams, expected at most ${MAX_UPSTREAMS}`);
    const upstreams = texts.map((text) => {
      try {
        return this.#foreign(parseUpstreamAddress(text, 'udp+tcp'));
      } catch (error) {
        throw error instanceof Refusal && texts.length > 1 ? new Refusal(`${shown(text)}: ${error.message}`) : error;
      }
    });
    return { zone: parseZoneName(zone), upstreams: distinct(upstreams) };
  }

  #parseAll(
    option: string,
    code: string,
    verb: string,
    role: string,
    values: readonly string[],
    bareTransport: 'tcp' | 'udp+tcp',
  ): UpstreamAddress[] {
    if (values.length > MAX_UPSTREAMS) {
      this.#complaints.add(
        code,
        `Cannot use ${values.length} addresses (${option}): expected at most ${MAX_UPSTREAMS}`,
      );
    }
    const addresses = values.map((value) => {
      const action = `${verb} ${shown(value)}${role === '' ? '' : ` ${role}`}`;
      return this.#complaints.read(code, action, option, () =>
        this.#foreign(parseUpstreamAddress(value, bareTransport)),
      );
    });
    return distinct(addresses.filter((address) => address !== undefined));
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
    if (address === undefined || !this.#isOwn(address)) return address;
    this.notes.push(`${variable}_HOST is passed over: ${text} is this agent's own listen address`);
    return undefined;
  }

  #fromResolvConf(path: string): UpstreamAddress[] {
    const text = this.#complaints.read('ERR_RESOLV_CONF', `read ${shown(path)}`, '--resolv-conf', () =>
      this.#readFile(path),
    );
    if (text === undefined) return [];
    const { servers, notes } = parseResolvConf(text);
    this.notes.push(...notes.map((note) => `${path}: ${note}`));
    const foreign = servers.filter((server) => !this.#isOwn(server));
    for (const own of servers.filter((server) => this.#isOwn(server))) {
      this.notes.push(`${path}: nameserver ${own.host} is passed over: it is this agent's own listen address`);
    }
    if (foreign.length === 0) {
      const found =
        servers.length > 0 ? `only this agent's own address (${servers[0]!.host})` : 'no usable nameserver line';
      this.#complaints.add(
        'ERR_RESOLV_CONF',
        `Cannot take upstreams from ${shown(path)} (--resolv-conf): it has ${found}; name another file, or give --upstream, such as --upstream 9.9.9.9`,
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

  #foreign(address: UpstreamAddress): UpstreamAddress {
    if (this.#isOwn(address)) {
      throw new Refusal(
        `${formatSocketAddress(address)} is this agent's own listen address (--listen), so a query would go round for ever`,
      );
    }
    return address;
  }

  #isOwn({ host, port }: SocketAddress): boolean {
    return this.#listen.some((own) => own.host === host && own.port === port);
  }
}

function reasonAgainst(zone: string, earlier: readonly Route[], clusterZone: string | undefined): string | undefined {
  if (zone === '.') return 'the root is all that has no route; give --upstream';
  if (zone === clusterZone) return 'that is the cluster domain; give --cluster-dns';
  if (earlier.some((route) => route.zone === zone)) {
    return `${zone} has a route already; give all its upstreams in one, ZONE=UPSTREAM,UPSTREAM`;
  }
  return undefined;
}

function distinct(addresses: readonly UpstreamAddress[]): UpstreamAddress[] {
  const isSame = (a: UpstreamAddress, b: UpstreamAddress): boolean =>
    a.host === b.host && a.port === b.port && a.transport === b.transport;
  return addresses.filter((address, index) => addresses.findIndex((other) => isSame(other, address)) === index);
}
