import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod } from '../../../src/kubernetes/api-objects.ts';
import { readPod } from '../../../src/kubernetes/node-pod.ts';

const metadata = { name: 'web-0', namespace: 'shop', uid: 'u', resourceVersion: '1' };
const read = (rest: Omit<Pod, 'metadata'>, more = {}) => readPod({ metadata: { ...metadata, ...more }, ...rest });

test('of a pod its addresses of both families, its policy and its own search are kept, and nothing else', () => {
  const pod = read({
    spec: {
      dnsPolicy: 'None',
      dnsConfig: { searches: ['a.example', 'b.example'], options: [{ name: 'ndots', value: '2' }, { name: 'edns0' }] },
      hostNetwork: true,
    },
    status: { phase: 'Running', podIP: '10.244.1.2', podIPs: [{ ip: '10.244.1.2' }, { ip: 'FD00:0:0::2' }] },
  });
  assert.deepEqual(pod, {
    namespace: 'shop',
    addresses: ['10.244.1.2', 'fd00::2'],
    dnsPolicy: 'None',
    searches: ['a.example', 'b.example'],
    ndots: '2',
    isHostNetwork: true,
    isEnded: false,
  });
});

test('a pod that says nothing has what Kubernetes takes for it, and no address before it has one', () => {
  const plain = {
    namespace: 'shop',
    addresses: [],
    dnsPolicy: 'ClusterFirst',
    searches: [],
    ndots: undefined,
    isHostNetwork: false,
    isEnded: false,
  };
  assert.deepEqual(read({}), plain);
  const empty = { dnsConfig: { searches: null, options: null } };
  assert.deepEqual(read({ spec: empty, status: { phase: 'Pending', podIPs: null } }), plain);
  assert.deepEqual(read({ spec: { dnsConfig: null }, status: { podIPs: [{}] } }), plain);
});

test('one address alone is taken where the list is missing, and what is none is left out', () => {
  assert.deepEqual(read({ status: { podIP: '10.244.1.2' } }).addresses, ['10.244.1.2']);
  assert.deepEqual(read({ status: { podIPs: [{ ip: 'nonsense' }, { ip: '10.244.1.3' }] } }).addresses, ['10.244.1.3']);
});

test('of an option that is given twice the last counts, and one without a value is told from none', () => {
  const ndots = (...options: { name: string; value?: string }[]) => read({ spec: { dnsConfig: { options } } }).ndots;
  assert.equal(ndots({ name: 'ndots', value: '1' }, { name: 'ndots', value: '3' }), '3');
  assert.equal(ndots({ name: 'ndots' }), '');
  assert.equal(ndots({ name: 'timeout', value: '1' }), undefined);
});

test('a pod is ended when its containers are, or when it is being deleted', () => {
  for (const [phase, isEnded] of [
    ['Pending', false],
    ['Running', false],
    ['Unknown', false],
    ['Succeeded', true],
    ['Failed', true],
  ] as const)
    assert.equal(read({ status: { phase } }).isEnded, isEnded, phase);
  assert.equal(read({ status: { phase: 'Running' } }, { deletionTimestamp: '2026-01-01T00:00:00Z' }).isEnded, true);
  assert.equal(read({ status: { phase: 'Running' } }, { deletionTimestamp: null }).isEnded, false);
});
