import type { KubernetesObject } from './api.ts';
import { type Endpoint, endpoint, endpointSlice, namespace, pod, port, service } from './fixtures.ts';

/** Of two families; fixtures take addresses of both. */
export const DUAL_STACK_RANGES: readonly string[] = ['10.96.0.0/16', 'fd00:10:96::/112'];

const HTTP = port('http', 80);
const DUAL = { ipFamilyPolicy: 'RequireDualStack', ipFamilies: ['IPv4', 'IPv6'] };
const HEADLESS = { ...DUAL, clusterIP: 'None', clusterIPs: ['None'], ports: [HTTP] };

/** As the controller writes a pod that is not ready, one that it must publish all the same, and one that ends. */
const WAITING = { ready: false, serving: false, terminating: false };
const PUBLISHED = { ready: true, serving: false, terminating: false };
const ENDING = { ready: false, serving: true, terminating: true };

const POD_ADDRESSES = [{ ip: '10.244.1.11' }, { ip: 'fd00:10:244:1::b' }];

/** A dual-stack cluster with a Service of every kind that the specification tells apart, and endpoints in every state. */
export const SPECIFICATION_CLUSTER: readonly KubernetesObject[] = [
  namespace('shop'),
  namespace('other'),
  ...service('shop', 'web', clusterIp(1, [HTTP, port('dns', 53, 'UDP'), port('tele', 2905, 'SCTP')]), [
    ...both(11, { targetRef: { kind: 'Pod', namespace: 'shop', name: 'web-0' } }),
    ...both(12),
  ]),
  ...service('other', 'web', clusterIp(2, [port('http', 8080)]), both(13)),
  ...service('shop', 'unnamed', { clusterIP: '10.96.10.3', ports: [{ port: 80, protocol: 'TCP' }] }),
  ...service('shop', 'v6only', {
    ipFamilyPolicy: 'SingleStack',
    ipFamilies: ['IPv6'],
    clusterIP: 'fd00:10:96::a04',
    ports: [HTTP],
  }),
  // Its endpoints have names as well, though it has an address of its own.
  ...service('shop', 'named', clusterIp(5, [HTTP]), both(14, { hostname: 'named-0' })),
  ...service('shop', 'db', { ...HEADLESS, ports: [port('postgres', 5432), port('admin', 8432)] }, [
    ...both(21, { hostname: 'db-0' }),
    ...both(22, { hostname: 'db-1' }),
    ...both(23, { hostname: 'db-2', conditions: WAITING }),
  ]),
  // The same pod behind another Service: its address has a name in each.
  ...service('shop', 'db-read', HEADLESS, [...both(22, { hostname: 'db-1' })]),
  ...service('shop', 'nohost', HEADLESS, [...both(31), ...both(32), endpoint('fd00:10:244:2::')]),
  ...service('shop', 'twins', HEADLESS, [...both(33, { hostname: 'twin' }), ...both(34, { hostname: 'twin' })]),
  // More than one slice, as large Services have, with and without hostnames.
  ...service('shop', 'mixed', HEADLESS, [endpoint('10.244.1.35', { hostname: 'mixed-0' }), endpoint('10.244.1.36')]),
  endpointSlice('shop', 'mixed', [HTTP], [endpoint('10.244.1.37'), endpoint('10.244.1.38')], { name: 'mixed-2' }),
  ...service('shop', 'v4pods', HEADLESS, [endpoint('10.244.1.39')]),
  ...service('shop', 'v6pods', HEADLESS, [endpoint('fd00:10:244:1::3a')]),
  ...service('shop', 'nobody', HEADLESS, []),
  ...service('shop', 'waiting', HEADLESS, both(41, { conditions: WAITING })),
  ...service('shop', 'early', { ...HEADLESS, publishNotReadyAddresses: true }, [
    ...both(42, { hostname: 'early-0', conditions: PUBLISHED }),
    ...both(43, { conditions: PUBLISHED }),
  ]),
  ...service('shop', 'leaving', HEADLESS, [...both(44), ...both(45, { conditions: ENDING })]),
  // What says nothing of its state counts as ready.
  ...service('shop', 'unsaid', HEADLESS, both(46, { conditions: {} })),
  ...service(
    'shop',
    'crowd',
    { ...HEADLESS, ipFamilyPolicy: 'SingleStack', ipFamilies: ['IPv4'] },
    Array.from({ length: 60 }, (_, at) => endpoint(`10.244.2.${at + 1}`)),
  ),
  ...service('shop', 'outside', { type: 'ExternalName', externalName: 'one.example.test' }),
  ...service('shop', 'inside', { type: 'ExternalName', externalName: 'web.other.svc.cluster.local' }),
  ...service('shop', 'astray', { type: 'ExternalName', externalName: 'nothere.example.test' }),
  { ...pod('shop', 'web-0', '10.244.1.11'), status: { phase: 'Running', podIP: '10.244.1.11', podIPs: POD_ADDRESSES } },
];

/** The endpoint as it stands in the slices of both families. */
export function both(number: number, fields: Record<string, unknown> = {}): Endpoint[] {
  return [endpoint(`10.244.1.${number}`, fields), endpoint(`fd00:10:244:1::${number.toString(16)}`, fields)];
}

function clusterIp(number: number, ports: readonly object[]): Record<string, unknown> {
  const clusterIPs = [`10.96.10.${number}`, `fd00:10:96::a${number.toString(16).padStart(2, '0')}`];
  return { ...DUAL, clusterIP: clusterIPs[0], clusterIPs, ports };
}
