import { isIPv6 } from 'node:net';
import { encodeName, TYPES } from '../client/message.ts';
import type { NameAndType } from '../servers/zones/questions.ts';
import type { KubernetesObject } from './api.ts';

/** One kind of record that the Kubernetes DNS specification 1.1.0 asks for, by its section. */
export interface RecordKind {
  readonly section: string;
  readonly title: string;
}

/** What a name must have, and nothing else of that type. */
export interface Requirement {
  readonly kind: RecordKind;
  readonly question: NameAndType;
  /** RDATA in hexadecimal, names in lower case, SRV without its priority and weight, which are the cluster DNS's own; or `NO_SUCH_NAME`. */
  readonly data: string;
}

/** What a name that must not exist has in place of RDATA. */
export const NO_SUCH_NAME = 'NXDOMAIN';

/**
 * Every kind, in the order of the specification. It speaks of endpoints of headless Services alone; those of Services with ClusterIP have names
 * and PTR at every cluster DNS in use, and count the same.
 */
export const KINDS = {
  version: { section: '2.2', title: 'TXT of the schema version' },
  address: { section: '2.3.1', title: 'A and AAAA of a Service with ClusterIP' },
  srv: { section: '2.3.2', title: 'SRV of the named ports of a Service with ClusterIP' },
  ptr: { section: '2.3.3', title: 'PTR for a ClusterIP' },
  headless: { section: '2.4.1', title: 'A and AAAA of a headless Service' },
  empty: { section: '2.4.1', title: 'NXDOMAIN of a headless Service without ready endpoints' },
  named: { section: '2.4.1', title: 'A and AAAA of endpoints with hostname' },
  nameless: { section: '2.4.1', title: 'A and AAAA of endpoints without hostname' },
  namedSrv: { section: '2.4.2', title: 'SRV of endpoints with hostname' },
  namelessSrv: { section: '2.4.2', title: 'SRV of endpoints without hostname' },
  namedPtr: { section: '2.4.3', title: 'PTR for endpoints with hostname' },
  namelessPtr: { section: '2.4.3', title: 'PTR for endpoints without hostname' },
  external: { section: '2.5', title: 'CNAME of an ExternalName Service' },
  pod: { section: '2.6', title: 'A and AAAA of a pod by its address' },
  notReady: { section: '2.1', title: 'NXDOMAIN of endpoints that are not ready' },
} as const satisfies Record<string, RecordKind>;

const ZONE = 'cluster.local';

/** All that the specification asks of a cluster with these objects: every record, and every name that must not be. */
export function requirementsOf(objects: readonly KubernetesObject[]): Requirement[] {
  const version = requirement(KINDS.version, [`dns-version.${ZONE}`, 'TXT'], `05${hex('1.1.0')}`);
  const all = [version, ...objects.flatMap((object) => ofObject(object, objects))];
  // The address of an endpoint that is not ready in one Service may be one that is in another.
  const existing = new Set(all.filter(({ data }) => data !== NO_SUCH_NAME).map(({ question }) => String(question)));
  return all.filter(({ question, data }) => data !== NO_SUCH_NAME || !existing.has(String(question)));
}

function ofObject(object: KubernetesObject, objects: readonly KubernetesObject[]): Requirement[] {
  const { kind, metadata } = object;
  if (kind === 'Pod') return ofPod(object);
  if (kind !== 'Service') return [];
  const spec = object['spec'] as ServiceSpec;
  const name = `${metadata.name}.${metadata.namespace}.svc.${ZONE}`;
  if (spec.externalName !== undefined) {
    return [requirement(KINDS.external, [name, 'CNAME'], nameData(spec.externalName))];
  }
  const endpoints = objects.filter((slice) => isSliceOf(slice, object)).flatMap(endpointsOf);
  const addresses = spec.clusterIPs ?? [spec.clusterIP];
  return addresses[0] === 'None' ? ofHeadless(name, endpoints) : ofClusterIp(name, { addresses, spec, endpoints });
}

interface ServiceSpec {
  readonly clusterIP: string;
  readonly clusterIPs?: readonly string[];
  readonly externalName?: string;
  readonly ports: readonly ServicePort[];
}

interface ServicePort {
  readonly name?: string;
  readonly port: number;
  readonly protocol: string;
}

interface ClusterIpService {
  readonly addresses: readonly string[];
  readonly spec: ServiceSpec;
  readonly endpoints: readonly KnownEndpoint[];
}

function ofClusterIp(name: string, { addresses, spec, endpoints }: ClusterIpService): Requirement[] {
  return [
    ...addresses.map((address) => addressOf(KINDS.address, name, address)),
    ...namedPorts(spec.ports).map((port) => srvOf(KINDS.srv, port, name, name)),
    ...addresses.map((address) => ptrOf(KINDS.ptr, address, name)),
    ...endpoints.filter(({ isReady }) => isReady).flatMap((endpoint) => namesOf(endpoint, name)),
  ];
}

function ofHeadless(name: string, endpoints: readonly KnownEndpoint[]): Requirement[] {
  const ready = endpoints.filter(({ isReady }) => isReady);
  const readyLabels = new Set(ready.map(({ label }) => label));
  return [
    ...(ready.length === 0 ? ['A', 'AAAA'].map((type) => requirement(KINDS.empty, [name, type], NO_SUCH_NAME)) : []),
    ...ready.flatMap((endpoint) => ofEndpoint(endpoint, name)),
    ...endpoints
      .filter(({ isReady, label }) => !isReady && !readyLabels.has(label))
      .flatMap(({ label, address }) => [
        requirement(KINDS.notReady, [`${label}.${name}`, addressType(address)], NO_SUCH_NAME),
        requirement(KINDS.notReady, [reverseName(address), 'PTR'], NO_SUCH_NAME),
      ]),
  ];
}

function ofEndpoint(endpoint: KnownEndpoint, service: string): Requirement[] {
  const { label, address, hasHostname, ports } = endpoint;
  const kind = hasHostname ? KINDS.namedSrv : KINDS.namelessSrv;
  return [
    addressOf(KINDS.headless, service, address),
    ...namedPorts(ports).map((port) => srvOf(kind, port, service, `${label}.${service}`)),
    ...namesOf(endpoint, service),
  ];
}

function namesOf({ label, address, hasHostname }: KnownEndpoint, service: string): Requirement[] {
  const own = `${label}.${service}`;
  return [
    addressOf(hasHostname ? KINDS.named : KINDS.nameless, own, address),
    ptrOf(hasHostname ? KINDS.namedPtr : KINDS.namelessPtr, address, own),
  ];
}

interface KnownEndpoint {
  readonly address: string;
  /** Its hostname, or the name that CoreDNS makes of its address. */
  readonly label: string;
  readonly hasHostname: boolean;
  readonly isReady: boolean;
  readonly ports: readonly ServicePort[];
}

function isSliceOf(slice: KubernetesObject, { metadata }: KubernetesObject): boolean {
  if (slice.kind !== 'EndpointSlice' || slice.metadata.namespace !== metadata.namespace) return false;
  const labels = slice.metadata['labels'] as Record<string, string>;
  return labels['kubernetes.io/service-name'] === metadata.name;
}

function endpointsOf(slice: KubernetesObject): KnownEndpoint[] {
  const ports = slice['ports'] as readonly ServicePort[];
  const endpoints = slice['endpoints'] as readonly {
    readonly addresses: readonly string[];
    readonly hostname?: string;
    readonly conditions: { readonly ready?: boolean };
  }[];
  return endpoints.flatMap(({ addresses, hostname, conditions }) =>
    addresses.map((address) => ({
      address,
      label: hostname ?? dashed(address),
      hasHostname: hostname !== undefined,
      isReady: conditions.ready ?? true,
      ports,
    })),
  );
}

function ofPod({ metadata, ...pod }: KubernetesObject): Requirement[] {
  const { podIPs } = pod['status'] as { podIPs: readonly { ip: string }[] };
  return podIPs.map(({ ip }) => addressOf(KINDS.pod, `${dashed(ip)}.${metadata.namespace}.pod.${ZONE}`, ip));
}

function namedPorts(ports: readonly ServicePort[]): readonly ServicePort[] {
  return ports.filter(({ name }) => name);
}

function requirement(kind: RecordKind, question: NameAndType, data: string): Requirement {
  return { kind, question, data };
}

function addressOf(kind: RecordKind, name: string, address: string): Requirement {
  return requirement(kind, [name, addressType(address)], addressData(address));
}

function srvOf(kind: RecordKind, { name, port, protocol }: ServicePort, service: string, target: string): Requirement {
  const question: NameAndType = [`_${name}._${protocol.toLowerCase()}.${service}`, 'SRV'];
  return requirement(kind, question, port.toString(16).padStart(4, '0') + nameData(target));
}

function ptrOf(kind: RecordKind, address: string, target: string): Requirement {
  return requirement(kind, [reverseName(address), 'PTR'], nameData(target));
}

function addressType(address: string): string {
  return isIPv6(address) ? 'AAAA' : 'A';
}

function addressData(address: string): string {
  if (isIPv6(address)) return groups(address).join('');
  return Buffer.from(address.split('.').map(Number)).toString('hex');
}

/** The name of an address in the reverse zones. */
export function reverseName(address: string): string {
  if (!isIPv6(address)) return `${address.split('.').reverse().join('.')}.in-addr.arpa`;
  return `${[...groups(address).join('')].reverse().join('.')}.ip6.arpa`;
}

/** The eight groups, four digits each. */
function groups(address: string): string[] {
  const [head = '', tail = ''] = address.split('::');
  const [first, last] = [head, tail].map((part) => part.split(':').filter((group) => group !== ''));
  const between = Array<string>(8 - first!.length - last!.length).fill('0');
  return [...first!, ...between, ...last!].map((group) => group.padStart(4, '0'));
}

/** What CoreDNS calls an endpoint that has no hostname; no label may end in a dash. */
function dashed(address: string): string {
  return address.replaceAll(/[.:]/g, '-').replace(/-$/, '-0');
}

function nameData(name: string): string {
  return encodeName(name.toLowerCase()).toString('hex');
}

function hex(text: string): string {
  return Buffer.from(text).toString('hex');
}

/** The part of a record's RDATA that the specification speaks of, as `Requirement` has it. */
export function specifiedData(type: number, data: string): string {
  return type === TYPES['SRV'] ? data.slice(8) : data;
}
