import type { KubernetesObject } from './api.ts';

/** A small cluster with one of each: what the Kubernetes DNS specification has a schema for. No controller runs, so it stays as it is. */
export const CLUSTER: readonly KubernetesObject[] = [
  namespace('shop'),
  namespace('empty'),
  ...service('shop', 'web', { clusterIP: '10.96.10.1', ports: [port('http', 80)] }, [
    endpoint('10.244.1.11', { targetRef: podRef('shop', 'web-0') }),
    endpoint('10.244.1.12', { targetRef: podRef('shop', 'web-1') }),
  ]),
  ...service(
    'shop',
    'multi',
    { clusterIP: '10.96.10.2', ports: [port('http', 80), port('https', 443), port('dns', 53, 'UDP')] },
    [endpoint('10.244.1.13')],
  ),
  ...service('shop', 'db', { clusterIP: 'None', ports: [port('postgres', 5432)] }, [
    endpoint('10.244.1.21', { hostname: 'db-0' }),
    endpoint('10.244.1.22', { hostname: 'db-1' }),
    endpoint('10.244.1.23', { hostname: 'db-2', conditions: { ready: false } }),
  ]),
  ...service('shop', 'nohost', { clusterIP: 'None', ports: [port('http', 80)] }, [
    endpoint('10.244.1.31'),
    endpoint('10.244.1.32'),
  ]),
  ...service('shop', 'nobody', { clusterIP: 'None', ports: [port('http', 80)] }, []),
  ...service(
    'shop',
    'crowd',
    { clusterIP: 'None', ports: [port('http', 80)] },
    Array.from({ length: 60 }, (_, at) => endpoint(`10.244.2.${at + 1}`)),
  ),
  ...service('shop', 'outside', { type: 'ExternalName', externalName: 'one.example.test' }),
  ...service('shop', 'inside', { type: 'ExternalName', externalName: 'web.shop.svc.cluster.local' }),
  ...service('default', 'web', { clusterIP: '10.96.10.3', ports: [port('http', 80)] }, [endpoint('10.244.1.14')]),
  pod('shop', 'web-0', '10.244.1.11'),
  pod('shop', 'web-1', '10.244.1.12'),
];

export function namespace(name: string): KubernetesObject {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
}

/** A Service and, where it has endpoints, an EndpointSlice for each family that they have addresses of. */
export function service(
  inNamespace: string,
  name: string,
  spec: Record<string, unknown>,
  endpoints?: readonly Endpoint[],
): KubernetesObject[] {
  const made: KubernetesObject = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: inNamespace },
    spec,
  };
  return endpoints ? [made, ...slices(inNamespace, name, spec['ports'] as readonly Port[], endpoints)] : [made];
}

function slices(
  inNamespace: string,
  ofService: string,
  ports: readonly Port[],
  endpoints: readonly Endpoint[],
): KubernetesObject[] {
  const isIpv6 = ({ addresses }: Endpoint) => addresses[0]!.includes(':');
  const [first, second] = [endpoints.filter((one) => !isIpv6(one)), endpoints.filter(isIpv6)];
  return [
    ...(second.length === 0 || first.length > 0 ? [endpointSlice(inNamespace, ofService, ports, first)] : []),
    ...(second.length > 0
      ? [endpointSlice(inNamespace, ofService, ports, second, { name: `${ofService}-6`, addressType: 'IPv6' })]
      : []),
  ];
}

export function endpointSlice(
  inNamespace: string,
  ofService: string,
  ports: readonly Port[],
  endpoints: readonly Endpoint[],
  { name = `${ofService}-1`, addressType = 'IPv4' }: { name?: string; addressType?: 'IPv4' | 'IPv6' } = {},
): KubernetesObject {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name, namespace: inNamespace, labels: { 'kubernetes.io/service-name': ofService } },
    addressType,
    ports: ports.map(({ name, port: number, protocol }) => ({ name, port: number, protocol })),
    endpoints,
  };
}

export interface Port {
  readonly name: string;
  readonly port: number;
  readonly protocol: string;
}

export function port(name: string, number: number, protocol = 'TCP'): Port {
  return { name, port: number, protocol };
}

export interface Endpoint {
  readonly addresses: readonly string[];
  readonly conditions: { readonly ready: boolean };
  readonly [field: string]: unknown;
}

export function endpoint(address: string, fields: Record<string, unknown> = {}): Endpoint {
  return { addresses: [address], conditions: { ready: true }, ...fields };
}

/** A running pod: what a kubelet would have reported stands in its status. */
export function pod(inNamespace: string, name: string, ip: string): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: inNamespace },
    spec: { containers: [{ name: 'main', image: 'none' }], nodeName: 'node-1' },
    status: { phase: 'Running', podIP: ip, podIPs: [{ ip }] },
  };
}

function podRef(inNamespace: string, name: string): object {
  return { kind: 'Pod', namespace: inNamespace, name };
}
