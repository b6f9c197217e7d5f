import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasZoneHints, type NodePlace, nearest } from '../../../src/kubernetes/topology.ts';

interface Hinted {
  readonly name: string;
  readonly forZones: readonly string[];
  readonly forNodes: readonly string[];
}

const pod = (name: string, forZones: readonly string[] = [], forNodes: readonly string[] = []): Hinted => ({
  name,
  forZones,
  forNodes,
});
const HERE: NodePlace = { nodeName: 'n1', zone: 'z1' };
const names = (pods: readonly Hinted[], place = HERE) => nearest(pods, place).map(({ name }) => name);

test('without hints all are as near', () => {
  assert.deepEqual(names([pod('a'), pod('b')]), ['a', 'b']);
  assert.equal(hasZoneHints([pod('a')]), false);
});

test('hints for our zone choose, where every endpoint has one', () => {
  assert.deepEqual(names([pod('a', ['z1']), pod('b', ['z2']), pod('c', ['z1', 'z2'])]), ['a', 'c']);
  assert.deepEqual(names([pod('a', ['z1']), pod('b')]), ['a', 'b'], 'one has no hint: the cluster is changing');
  assert.equal(hasZoneHints([pod('a'), pod('b', ['z2'])]), true);
});

test('where none is meant for us, or our zone is not known, all are asked', () => {
  const pods = [pod('a', ['z2']), pod('b', ['z3'])];
  assert.deepEqual(names(pods), ['a', 'b']);
  assert.deepEqual(names([pod('a', ['z1']), pod('b', ['z2'])], { nodeName: 'n1', zone: undefined }), ['a', 'b']);
});

test('hints for nodes come before those for zones', () => {
  const pods = [pod('a', ['z1'], ['n1']), pod('b', ['z1'], ['n2']), pod('c', ['z2'], ['n3'])];
  assert.deepEqual(names(pods), ['a']);
  assert.deepEqual(names(pods, { nodeName: 'n9', zone: 'z1' }), ['a', 'b']);
  assert.deepEqual(names(pods, { nodeName: undefined, zone: 'z2' }), ['c']);
});
