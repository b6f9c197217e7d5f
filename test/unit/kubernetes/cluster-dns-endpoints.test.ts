import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { test } from 'node:test';
import { CLUSTER_DNS_ENDPOINTS } from '../../../src/core/limits.ts';
import type { Endpoint, EndpointSlice } from '../../../src/kubernetes/api-objects.ts';
import { ClusterDnsEndpoints } from '../../../src/kubernetes/cluster-dns-endpoints.ts';

const SERVICES = { namespace: 'kube-system', names: ['kube-dns-upstream', 'kube-dns'] };
const PORTS = [
  { name: 'metrics', port: 9153, protocol: 'TCP' },
  { name: 'dns', port: 53, protocol: 'UDP' },
  { name: 'dns-tcp', port: 53, protocol: 'TCP' },
];

function slice(
  name: string,
  endpoints: readonly Endpoint[],
  fields: Partial<EndpointSlice> & { of?: string } = {},
): EndpointSlice {
  const { of = 'kube-dns', ...rest } = fields;
  const labels = { 'kubernetes.io/service-name': of };
  const metadata = { name, namespace: 'kube-system', resourceVersion: '1', labels };
  return { metadata, addressType: 'IPv4', ports: PORTS, endpoints, ...rest };
}

const at = (address: string, conditions: Endpoint['conditions'] = { ready: true }): Endpoint => ({
  addresses: [address],
  conditions,
});

/** What is known after each of these lists. */
async function known(...lists: readonly (readonly EndpointSlice[])[]) {
  const events = new EventEmitter();
  const endpoints = new ClusterDnsEndpoints(SERVICES, () => events.emit('change'));
  for (const list of lists) {
    const changed = once(events, 'change');
    endpoints.sink.onListing();
    for (const object of list) endpoints.sink.onObject(object);
    endpoints.sink.onListed();
    await changed;
  }
  return endpoints;
}

const hosts = ({ endpoints }: ClusterDnsEndpoints): string[] => endpoints.map(({ host }) => host);

test('the addresses of all slices are known, each once, in order, with the ports of DNS', async () => {
  const endpoints = await known([
    slice('b', [at('10.0.0.3'), at('10.0.0.1')]),
    slice('a', [at('10.0.0.2'), at('10.0.0.1')]),
    slice('six', [at('fd00:0::2')], { addressType: 'IPv6' }),
    slice('names', [at('example.test')], { addressType: 'FQDN' }),
  ]);
  assert.deepEqual(hosts(endpoints), ['10.0.0.1', '10.0.0.2', '10.0.0.3', 'fd00::2']);
  assert.deepEqual(endpoints.endpoints[3], {
    host: 'fd00::2',
    family: 6,
    udpPort: 53,
    tcpPort: 53,
    zone: undefined,
    nodeName: undefined,
    forZones: [],
    forNodes: [],
  });
  assert.equal(endpoints.service, 'kube-system/kube-dns');
});

test('the Service that only node caches use comes first, where it has a pod', async () => {
  const upstream = slice('u', [at('10.0.0.9')], { of: 'kube-dns-upstream' });
  assert.deepEqual(hosts(await known([slice('a', [at('10.0.0.1')]), upstream])), ['10.0.0.9']);
  const empty = slice('u', [], { of: 'kube-dns-upstream' });
  assert.deepEqual(hosts(await known([slice('a', [at('10.0.0.1')]), empty])), ['10.0.0.1']);
});

test('pods that are not ready are left out, unless no other serves', async () => {
  const leaving = at('10.0.0.2', { ready: false, serving: true });
  const dead = at('10.0.0.3', { ready: false, serving: false });
  const silent = at('10.0.0.4', {});
  assert.deepEqual(hosts(await known([slice('a', [at('10.0.0.1'), leaving, dead, silent])])), ['10.0.0.1', '10.0.0.4']);
  assert.deepEqual(hosts(await known([slice('a', [leaving, dead])])), ['10.0.0.2']);
});

test('where all pods are gone, those that were known last stay, and it is said', async () => {
  const endpoints = await known([slice('a', [at('10.0.0.1')])]);
  const isEmpty = new Promise<void>((resolve) => {
    const look = () => (endpoints.isEmpty ? resolve() : void setTimeout(look, 5));
    look();
  });
  endpoints.sink.onDeleted(slice('a', []));
  await isEmpty;
  assert.deepEqual(hosts(endpoints), ['10.0.0.1']);
});

test('a slice that changed, went or is missing in a new list counts as it is now', async () => {
  const endpoints = await known(
    [slice('a', [at('10.0.0.1')]), slice('b', [at('10.0.0.2')])],
    [slice('b', [at('10.0.0.3')]), slice('c', [at('10.0.0.4')])],
  );
  assert.deepEqual(hosts(endpoints), ['10.0.0.3', '10.0.0.4']);
});

test('for which zones and nodes a pod is meant is known, and a change of it is one', async () => {
  const hinted = (zone: string): Endpoint => ({
    ...at('10.0.0.1'),
    zone: 'z1',
    nodeName: 'node-1',
    hints: { forZones: [{ name: zone }], forNodes: [{ name: 'node-1' }] },
  });
  const endpoints = await known([slice('a', [hinted('z1')])], [slice('a', [hinted('z2')])]);
  const [only] = endpoints.endpoints;
  assert.deepEqual([only!.zone, only!.nodeName, only!.forZones, only!.forNodes], ['z1', 'node-1', ['z2'], ['node-1']]);
});

test('ports are found by name, by number, or because there is no other', async () => {
  const ports = async (...given: EndpointSlice['ports'] & object) => {
    const { endpoints } = await known([slice('a', [at('10.0.0.1')], { ports: given })]);
    return [endpoints[0]!.udpPort, endpoints[0]!.tcpPort];
  };
  const openShift = [
    { name: 'dns', port: 5353, protocol: 'UDP' },
    { name: 'dns-tcp', port: 5353, protocol: 'TCP' },
    { name: 'metrics', port: 9154, protocol: 'TCP' },
  ];
  assert.deepEqual(await ports(...openShift), [5353, 5353]);
  assert.deepEqual(await ports({ port: 8053, protocol: 'UDP' }, { port: 8053 }, { port: 80 }), [8053, 8053]);
  assert.deepEqual(await ports({ name: 'u', port: 8053, protocol: 'UDP' }, { name: 't', port: 8054 }), [8053, 8054]);
  assert.deepEqual(await ports({ name: 'u', port: 1053, protocol: 'UDP' }), [1053, 1053]);
});

test('there are no more of them than the limit, and that is counted', async () => {
  const hits = CLUSTER_DNS_ENDPOINTS.hits;
  const many = Array.from({ length: CLUSTER_DNS_ENDPOINTS.value + 1 }, (_, i) => at(`10.0.${i >> 8}.${i & 255}`));
  assert.equal(hosts(await known([slice('a', many)])).length, CLUSTER_DNS_ENDPOINTS.value);
  assert.equal(CLUSTER_DNS_ENDPOINTS.hits, hits + 1);
});
