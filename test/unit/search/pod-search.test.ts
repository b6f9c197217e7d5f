import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type PodDns, searchPathOf } from '../../../src/search/pod-search.ts';

const POD: PodDns = { namespace: 'team1', dnsPolicy: 'ClusterFirst', searches: [], ndots: undefined };
const NODE = { clusterDomain: 'cluster.local', searches: ['corp.example', 'example'] };
const CLUSTER = ['team1.svc.cluster.local', 'svc.cluster.local', 'cluster.local'];

test("ClusterFirst: the cluster's three, the node's, the pod's own; each once", () => {
  const path = searchPathOf({ ...POD, searches: ['mine.test.', 'svc.cluster.local'] }, NODE);
  assert.deepEqual(path?.suffixes, [...CLUSTER, 'corp.example', 'example', 'mine.test']);
  assert.equal(path?.ndots, 5);
  assert.equal(path?.isOfServices, true);
});

test('without the network of the host, ClusterFirstWithHostNet is ClusterFirst', () => {
  const path = searchPathOf({ ...POD, dnsPolicy: 'ClusterFirstWithHostNet' }, NODE);
  assert.deepEqual(path?.suffixes, [...CLUSTER, 'corp.example', 'example']);
});

test("None: the pod's own alone, with the resolvers' ndots", () => {
  const path = searchPathOf({ ...POD, dnsPolicy: 'None', searches: ['mine.test'] }, NODE);
  assert.deepEqual(path, { suffixes: ['mine.test'], ndots: 1, isOfServices: false });
  assert.equal(searchPathOf({ ...POD, dnsPolicy: 'None' }, NODE), undefined);
});

for (const dnsPolicy of ['Default', '', 'Later']) {
  test(`a pod with the policy '${dnsPolicy}' is left alone`, () => {
    assert.equal(searchPathOf({ ...POD, dnsPolicy }, NODE), undefined);
  });
}

test('where the suffixes of the node are not known, ClusterFirst is left alone, None is not', () => {
  const node = { ...NODE, searches: undefined };
  assert.equal(searchPathOf(POD, node), undefined);
  assert.notEqual(searchPathOf({ ...POD, dnsPolicy: 'None', searches: ['mine.test'] }, node), undefined);
});

const NDOTS: readonly (readonly [string, number | undefined])[] = [
  ['1', 1],
  ['2', 2],
  ['15', 15],
  ['99', 15],
  ['0', undefined],
  ['', undefined],
  ['-1', undefined],
  ['2x', undefined],
  [' 2', undefined],
];
for (const [ndots, expected] of NDOTS) {
  test(`ndots '${ndots}' is ${expected ?? 'nothing that may be relied on'}`, () => {
    assert.equal(searchPathOf({ ...POD, ndots }, NODE)?.ndots, expected);
  });
}

test('a list that some resolvers cut is left alone: seven suffixes, or 256 characters', () => {
  const node = { ...NODE, searches: [] };
  assert.equal(searchPathOf({ ...POD, searches: ['a', 'b', 'c'] }, node)?.suffixes.length, 6);
  assert.equal(searchPathOf({ ...POD, searches: ['a', 'b', 'c', 'd'] }, node), undefined);
  const room = 255 - CLUSTER.join(' ').length - 1;
  const long = (length: number): string => `${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(length - 128)}`;
  assert.notEqual(searchPathOf({ ...POD, searches: [long(room)] }, node), undefined);
  assert.equal(searchPathOf({ ...POD, searches: [long(room + 1)] }, node), undefined);
});
