import { isDeepStrictEqual } from 'node:util';
import type { ServiceNames } from '../config/config.ts';
import { canonicalHost } from '../config/socket-address.ts';
import { CLUSTER_DNS_ENDPOINTS } from '../core/limits.ts';
import type { Endpoint, EndpointPort, EndpointSlice, Hint } from './api-objects.ts';
import { Collection } from './collection.ts';

/** A pod that answers for the cluster DNS. */
export interface ClusterDnsEndpoint {
  readonly host: string;
  readonly family: 4 | 6;
  readonly udpPort: number;
  readonly tcpPort: number;
  /** Topology, where the cluster tells. */
  readonly zone: string | undefined;
  readonly nodeName: string | undefined;
  /** The zones and nodes that are to ask it, where the cluster says so; empty: it does not. */
  readonly forZones: readonly string[];
  readonly forNodes: readonly string[];
}

/** An EndpointSlice as far as it is of use. */
interface Slice {
  readonly service: string;
  readonly ready: readonly ClusterDnsEndpoint[];
  /** Still answering though on their way out, or not ready: better than none. */
  readonly serving: readonly ClusterDnsEndpoint[];
}

/** The label by which an EndpointSlice tells whose it is. */
export const SERVICE_NAME = 'kubernetes.io/service-name';
/** A roll-out changes slices many times in a second. */
const SETTLE_MS = 50;

/**
 * The DNS pods' own addresses, of the EndpointSlices of the cluster DNS's Service. Those that are ready; where none is, those that still serve, as kube-proxy does; and where
 * there is nothing at all, what was known last, for an old address may answer and none cannot.
 */
export class ClusterDnsEndpoints {
  readonly sink: Collection<EndpointSlice, Slice>;
  readonly #services: ServiceNames;
  readonly #onChange: () => void;
  #endpoints: readonly ClusterDnsEndpoint[] = [];
  #service: string | undefined;
  #isEmpty = false;
  #settle: NodeJS.Timeout | undefined;

  /** `onChange`: the endpoints are others. */
  constructor(services: ServiceNames, onChange: () => void) {
    this.#services = services;
    this.#onChange = onChange;
    this.sink = new Collection<EndpointSlice, Slice>({ read: readSlice, onChange: () => this.#changed() });
  }

  /** In the order of their addresses, so that two nodes and two moments compare. */
  get endpoints(): readonly ClusterDnsEndpoint[] {
    return this.#endpoints;
  }

  /** The Service that they belong to, `kube-system/kube-dns`; undefined while none was ever known. */
  get service(): string | undefined {
    return this.#service;
  }

  /** True while the API says that there is no endpoint, and `endpoints` are older. */
  get isEmpty(): boolean {
    return this.#isEmpty;
  }

  close(): void {
    clearTimeout(this.#settle);
  }

  #changed(): void {
    this.#settle ??= setTimeout(() => {
      this.#settle = undefined;
      this.#take();
    }, SETTLE_MS).unref();
  }

  #take(): void {
    const found = this.#choose();
    this.#isEmpty = found === undefined;
    if (found === undefined || (isDeepStrictEqual(found.endpoints, this.#endpoints) && found.service === this.#service))
      return;
    this.#service = found.service;
    this.#endpoints = found.endpoints;
    this.#onChange();
  }

  #choose(): { service: string; endpoints: readonly ClusterDnsEndpoint[] } | undefined {
    const slices = [...this.sink.values()];
    const { namespace, names } = this.#services;
    for (const kind of ['ready', 'serving'] as const) {
      for (const name of names) {
        const found = slices.filter((slice) => slice.service === name).flatMap((slice) => slice[kind]);
        if (found.length > 0) return { service: `${namespace}/${name}`, endpoints: bounded(found) };
      }
    }
    return undefined;
  }
}

/** Each address once, for slices may overlap while they are rewritten; sorted; and no more than the limit. */
function bounded(found: readonly ClusterDnsEndpoint[]): readonly ClusterDnsEndpoint[] {
  const unique = [...new Map(found.map((endpoint) => [endpoint.host, endpoint])).values()];
  unique.sort((a, b) => (a.host < b.host ? -1 : 1));
  if (unique.length <= CLUSTER_DNS_ENDPOINTS.value) return unique;
  CLUSTER_DNS_ENDPOINTS.hits++;
  return unique.slice(0, CLUSTER_DNS_ENDPOINTS.value);
}

function readSlice({ metadata, addressType, ports, endpoints }: EndpointSlice): Slice | undefined {
  const service = metadata.labels?.[SERVICE_NAME];
  const udpPort = portOf(ports ?? [], 'UDP', 'dns');
  if (service === undefined || udpPort === undefined || (addressType !== 'IPv4' && addressType !== 'IPv6'))
    return undefined;
  const tcpPort = portOf(ports ?? [], 'TCP', 'dns-tcp', udpPort) ?? udpPort;
  const read = (endpoint: Endpoint): ClusterDnsEndpoint[] => {
    const host = canonicalHost(endpoint.addresses[0] ?? '');
    if (host === undefined) return [];
    const { zone, nodeName, hints } = endpoint;
    const family = addressType === 'IPv6' ? 6 : 4;
    const place = { zone: zone ?? undefined, nodeName: nodeName ?? undefined };
    const meant = { forZones: namesOf(hints?.forZones), forNodes: namesOf(hints?.forNodes) };
    return [{ host, family, udpPort, tcpPort, ...place, ...meant }];
  };
  const all = endpoints ?? [];
  // A condition that is not said is taken for true, and `serving` for what `ready` is (the API's own words).
  const isReady = ({ conditions }: Endpoint): boolean => conditions?.ready !== false;
  const isServing = ({ conditions }: Endpoint): boolean => (conditions?.serving ?? conditions?.ready) !== false;
  return {
    service,
    ready: all.filter(isReady).flatMap(read),
    serving: all.filter(isServing).flatMap(read),
  };
}

function namesOf(hints: readonly Hint[] | null | undefined): string[] {
  return (hints ?? []).map(({ name }) => name);
}

/** The port for DNS among those of a slice (metrics have one, too): by its name, by its number, or the only one. */
function portOf(ports: readonly EndpointPort[], protocol: string, name: string, like?: number): number | undefined {
  const candidates = ports.filter((port) => (port.protocol ?? 'TCP') === protocol);
  const found =
    candidates.find((port) => port.name === name) ??
    candidates.find((port) => port.port === (like ?? 53)) ??
    (candidates.length === 1 ? candidates[0] : undefined);
  return found?.port ?? undefined;
}
