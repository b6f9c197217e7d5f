import { isIPv4, isIPv6 } from 'node:net';
import { canonicalHost } from '../config/socket-address.ts';
import { type Answer, type AnswerSource, type DemoRecord, found, noData, noName, soaOf } from './answer-source.ts';
import { type DemoCluster, type DemoEndpoint, type DemoPort, type DemoService, endpointLabel } from './cluster-file.ts';
import { addressRecords } from './outside-dns.ts';
import { addressFromReverseName, ReverseNames, reverseZoneOf } from './reverse-names.ts';

/** "Kubernetes DNS-Based Service Discovery", the version that `dns-version` names. */
const SCHEMA_VERSION = '1.1.0';

/** Types for which an ExternalName is followed. */
const ALIASED = new Set(['A', 'AAAA', 'CNAME']);

/** ExternalNames that are followed; a loop of them ends here. */
const MAX_ALIASES = 8;

/** What one name of the cluster has. */
interface NameData {
  readonly addresses: readonly string[];
  readonly cname?: string;
  /** Hosts that SRV records point to, one record for each of `ports`. */
  readonly targets: readonly Target[];
  readonly ports: readonly DemoPort[];
  /** False for a name that is there only because others are below it. */
  readonly isLeaf: boolean;
}

interface Target {
  readonly name: string;
  readonly addresses: readonly string[];
}

/** An SRV record of a pod has to name a port, and a pod has none in DNS. */
const NO_PORT: DemoPort = { name: '', port: 0, protocol: 'TCP' };

const INNER: NameData = { addresses: [], targets: [], ports: [], isLeaf: false };

/**
 * The cluster's own names as the Kubernetes DNS specification has them, with CoreDNS's answers where it leaves a choice; outside names
 * are asked on, as a cluster DNS does.
 */
export class ClusterDns implements AnswerSource {
  readonly #cluster: DemoCluster;
  readonly #outside: AnswerSource;
  readonly #reverse: ReverseNames;

  constructor(cluster: DemoCluster, outside: AnswerSource) {
    this.#cluster = cluster;
    this.#outside = outside;
    this.#reverse = new ReverseNames(cluster);
  }

  answer(name: string, type: string): Answer {
    return this.#answer(name, type, MAX_ALIASES);
  }

  #answer(name: string, type: string, aliasesLeft: number): Answer {
    const asked = name.toLowerCase();
    const labels = labelsBelow(asked, this.#cluster.domain);
    if (labels !== undefined) return this.#answerForward(name, labels, type, aliasesLeft);
    const zone = reverseZoneOf(asked);
    if (zone !== undefined) return this.#answerReverse(name, zone, type);
    return this.#outside.answer(name, type);
  }

  #answerForward(name: string, labels: readonly string[], type: string, aliasesLeft: number): Answer {
    const { domain: zone, ttlSeconds } = this.#cluster;
    const authority = { zone, ttlSeconds };
    if (labels.length === 0 && type === 'SOA') return found([soaOf(authority)]);
    if (labels.length === 0 && type === 'NS') {
      return found([{ name, type, ttl: ttlSeconds, data: `ns.dns.${zone}` }]);
    }
    if (type === 'SOA') return noData(authority);
    if (type === 'TXT' && labels.length === 1 && labels[0] === 'dns-version') {
      return found([{ name, type, ttl: ttlSeconds, data: SCHEMA_VERSION }]);
    }
    const node = this.#find(labels);
    // CoreDNS says NXDOMAIN for TXT where a name has nothing of its own; so do we, for the agent must live with it.
    if (node === undefined || (type === 'TXT' && !node.isLeaf)) return noName(authority);
    if (node.cname !== undefined && ALIASED.has(type) && aliasesLeft > 0) {
      const alias: DemoRecord = { name, type: 'CNAME', ttl: ttlSeconds, data: node.cname };
      const rest = type === 'CNAME' ? found([]) : this.#answer(node.cname, type, aliasesLeft - 1);
      return { ...rest, answers: [alias, ...rest.answers] };
    }
    const answer =
      type === 'SRV' ? this.#services(name, node) : found(addressRecords(name, type, ttlSeconds, node.addresses));
    return answer.answers.length > 0 ? answer : noData(authority);
  }

  #answerReverse(name: string, zone: string, type: string): Answer {
    const { ttlSeconds } = this.#cluster;
    const authority = { zone, ttlSeconds };
    if (type === 'SOA') return name.toLowerCase() === zone ? found([soaOf(authority)]) : noData(authority);
    const address = type === 'PTR' ? addressFromReverseName(name.toLowerCase()) : undefined;
    const hosts = address === undefined ? [] : this.#reverse.lookup(address);
    if (hosts.length === 0) return this.#outside.answer(name, type);
    return found(hosts.map((host) => ({ name, type: 'PTR', ttl: ttlSeconds, data: host })));
  }

  #services(name: string, { targets, ports }: NameData): Answer {
    const ttl = this.#cluster.ttlSeconds;
    const weight = Math.floor(100 / (targets.length * ports.length));
    const answers = ports.flatMap(({ port }) =>
      targets.map((target) => ({
        name,
        type: 'SRV' as const,
        ttl,
        data: { priority: 0, weight, port, target: target.name },
      })),
    );
    const additionals = targets.flatMap(({ name: host, addresses }) => [
      ...addressRecords(host, 'A', ttl, addresses),
      ...addressRecords(host, 'AAAA', ttl, addresses),
    ]);
    return found(answers, additionals);
  }

  /** `labels` are those left of the zone; undefined: there is no such name. */
  #find(labels: readonly string[]): NameData | undefined {
    const rest = labels.slice(0, -1);
    switch (labels.at(-1)) {
      case undefined:
        return INNER;
      case 'svc':
        return this.#findService(rest);
      case 'pod':
        return this.#findPod(rest);
      case 'dns':
        return rest.length === 1 && rest[0] === 'ns' ? this.#findOwn() : undefined;
      default:
        return undefined;
    }
  }

  #findService(labels: readonly string[]): NameData | undefined {
    if (labels.length === 0) return INNER;
    const services = this.#cluster.namespaces.get(labels.at(-1)!);
    if (services === undefined || labels.length === 1) return services && INNER;
    const service = services.get(labels.at(-2)!);
    if (service === undefined) return undefined;
    const name = `${labels.slice(-2).join('.')}.svc.${this.#cluster.domain}`;
    if (labels.length === 2) return serviceNode(name, service);
    if (labels.length === 3) return endpointNode(name, service, labels[0]!);
    if (labels.length === 4) return portNode(name, service, labels[0]!, labels[1]!);
    return undefined;
  }

  /** Like CoreDNS with `pods insecure`: any address, in a namespace that is there. */
  #findPod(labels: readonly string[]): NameData | undefined {
    if (labels.length === 0) return INNER;
    if (!this.#cluster.namespaces.has(labels.at(-1)!)) return undefined;
    if (labels.length === 1) return INNER;
    const address = labels.length === 2 ? addressFromDashes(labels[0]!) : undefined;
    if (address === undefined) return undefined;
    const target = { name: `${labels.join('.')}.pod.${this.#cluster.domain}`, addresses: [address] };
    return { addresses: [address], targets: [target], ports: [NO_PORT], isLeaf: true };
  }

  /** `ns.dns`, which the zone's SOA names: the cluster DNS's own Service. */
  #findOwn(): NameData | undefined {
    const addresses = this.#cluster.namespaces.get('kube-system')?.get('kube-dns')?.clusterIPs ?? [];
    return addresses.length === 0 ? undefined : { addresses, targets: [], ports: [], isLeaf: true };
  }
}

/** The labels of `name` left of `zone`, or undefined where it is not in the zone. */
function labelsBelow(name: string, zone: string): string[] | undefined {
  if (name === zone) return [];
  return name.endsWith(`.${zone}`) ? name.slice(0, -zone.length - 1).split('.') : undefined;
}

/** Ports of the Service, at its own name; undefined for a headless one with no endpoint that is ready. */
function serviceNode(name: string, service: DemoService): NameData | undefined {
  const { clusterIPs, externalName: cname, ports } = service;
  if (cname !== undefined) return { addresses: [], cname, targets: [], ports: [], isLeaf: true };
  if (clusterIPs.length > 0) {
    return { addresses: clusterIPs, targets: [{ name, addresses: clusterIPs }], ports, isLeaf: true };
  }
  const endpoints = service.endpoints.filter(({ ready }) => ready);
  if (endpoints.length === 0) return undefined;
  return { addresses: endpoints.map(({ ip }) => ip), targets: targetsOf(name, endpoints), ports, isLeaf: true };
}

function endpointNode(name: string, { endpoints, ports }: DemoService, label: string): NameData | undefined {
  const own = endpoints.filter((endpoint) => endpoint.ready && endpointLabel(endpoint) === label);
  if (own.length === 0) return undefined;
  return { addresses: own.map(({ ip }) => ip), targets: targetsOf(name, own), ports, isLeaf: true };
}

/** `_port._protocol`; CoreDNS takes both without the underscores, too. */
function portNode(name: string, service: DemoService, port: string, protocol: string): NameData | undefined {
  const node = serviceNode(name, service);
  const ports = service.ports.filter(
    (known) => known.name === port.replace(/^_/, '') && known.protocol.toLowerCase() === protocol.replace(/^_/, ''),
  );
  return node === undefined || ports.length === 0 ? undefined : { ...node, ports };
}

/** One host a name: endpoints of two families under one host name are one target. */
function targetsOf(service: string, endpoints: readonly DemoEndpoint[]): Target[] {
  const byLabel = Map.groupBy(endpoints, endpointLabel);
  return [...byLabel].map(([label, own]) => ({ name: `${label}.${service}`, addresses: own.map(({ ip }) => ip) }));
}

function addressFromDashes(label: string): string | undefined {
  const v4 = label.replaceAll('-', '.');
  if (isIPv4(v4)) return v4;
  const v6 = label.replaceAll('-', ':');
  return isIPv6(v6) ? canonicalHost(v6) : undefined;
}
