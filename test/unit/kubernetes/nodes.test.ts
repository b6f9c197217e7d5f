import assert from 'node:assert/strict';
import { test } from 'node:test';
import { monotonicClock } from '../../../src/core/clock.ts';
import { NODES } from '../../../src/core/limits.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import type { ApiClient } from '../../../src/kubernetes/api-client.ts';
import type { NodeObject } from '../../../src/kubernetes/api-objects.ts';
import { addressesOf, Nodes } from '../../../src/kubernetes/nodes.ts';
import { OwnNode } from '../../../src/kubernetes/own-node.ts';

/** The API server has nothing to say of this node. */
const client = { get: async () => ({ items: [] }) } as unknown as ApiClient;
const PARTS = { client, clock: monotonicClock, log: silentLogger };

function node(name: string, addresses: readonly string[], zone?: string): NodeObject {
  const labels = zone === undefined ? {} : { 'topology.kubernetes.io/zone': zone };
  const status = { addresses: addresses.map((address) => ({ type: 'InternalIP', address })) };
  return { metadata: { name, resourceVersion: '1', labels }, status };
}

function followed() {
  const told: Record<string, readonly string[] | undefined>[] = [];
  const nodes = new Nodes(PARTS, 'a', { change: (changes) => told.push(Object.fromEntries(changes)) });
  const list = async (...objects: NodeObject[]) => {
    nodes.onListing();
    for (const object of objects) nodes.onObject(object);
    nodes.onListed();
    // This node is looked at.
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { nodes, told, list };
}

const typed = (...addresses: [type: string, address: string][]): NodeObject => ({
  metadata: { name: 'n', resourceVersion: '1' },
  status: { addresses: addresses.map(([type, address]) => ({ type, address })) },
});

test('a node is where its inner addresses are; where it has none, at the outer ones', () => {
  const inner = typed(['ExternalIP', '192.0.2.1'], ['InternalIP', '10.0.0.1'], ['InternalIP', 'fd00:0::1']);
  assert.deepEqual(addressesOf(inner), ['10.0.0.1', 'fd00::1']);
  assert.deepEqual(addressesOf(typed(['ExternalIP', '2001:db8::1'], ['ExternalIP', '192.0.2.1'])), [
    '2001:db8::1',
    '192.0.2.1',
  ]);
  assert.deepEqual(addressesOf(typed(['InternalIP', '10.0.0.1'], ['InternalIP', '10.0.0.1'])), ['10.0.0.1']);
});

test('what is no address, or not there at all, is none', () => {
  assert.deepEqual(addressesOf(typed(['Hostname', 'n'], ['InternalDNS', 'n.test'], ['InternalIP', 'n.test'])), []);
  assert.deepEqual(addressesOf({ metadata: { name: 'n', resourceVersion: '1' } }), []);
  assert.deepEqual(addressesOf({ metadata: { name: 'n', resourceVersion: '1' }, status: { addresses: null } }), []);
});

test('a list is told once, when it is whole, and later ones tell what is other', async () => {
  const { nodes, told, list } = followed();
  await list(node('a', ['10.0.0.1']), node('b', ['10.0.0.2']), node('c', ['10.0.0.3']));
  assert.deepEqual(told, [{ a: ['10.0.0.1'], b: ['10.0.0.2'], c: ['10.0.0.3'] }]);
  await list(node('a', ['10.0.0.1']), node('b', ['10.0.0.9']));
  assert.deepEqual(told[1], { b: ['10.0.0.9'], c: undefined });
  await list(node('a', ['10.0.0.1']), node('b', ['10.0.0.9']));
  assert.equal(told.length, 2);
  assert.equal(nodes.size, 2);
});

test("a kubelet's report that it lives is no change", async () => {
  const { nodes, told, list } = followed();
  await list(node('a', ['10.0.0.1']));
  for (let i = 0; i < 10; i++) nodes.onObject(node('a', ['10.0.0.1']));
  assert.equal(told.length, 1);
  nodes.onObject(node('a', ['10.0.0.1', 'fd00::1']));
  nodes.onDeleted(node('a', []));
  nodes.onDeleted(node('a', []));
  assert.deepEqual(told.slice(1), [{ a: ['10.0.0.1', 'fd00::1'] }, { a: undefined }]);
});

test('a list that breaks off changes nothing before the next one is whole', async () => {
  const { nodes, told, list } = followed();
  await list(node('a', ['10.0.0.1']), node('b', ['10.0.0.2']));
  nodes.onListing();
  nodes.onObject(node('a', ['10.0.0.5']));
  assert.equal(told.length, 1);
  await list(node('a', ['10.0.0.5']), node('b', ['10.0.0.2']));
  assert.deepEqual(told[1], { a: ['10.0.0.5'] });
});

test('addresses that this node gets while it is looked at are looked at as well', async () => {
  const looks: ((items: readonly NodeObject[]) => void)[] = [];
  const get = () =>
    new Promise((resolve) => {
      looks.push((items) => resolve({ items }));
    });
  const told: object[] = [];
  const client = { get, stream: () => new Promise(() => {}) } as unknown as ApiClient;
  const news = { change: (changes: ReadonlyMap<string, unknown>) => told.push(Object.fromEntries(changes)) };
  const nodes = new Nodes({ ...PARTS, client }, 'a', news);
  nodes.onListing();
  nodes.onObject(node('a', ['10.0.0.1']));
  nodes.onListed();
  // In a table a second family is not seen.
  nodes.onObject(node('a', ['10.0.0.2']));
  looks[0]!([node('a', ['10.0.0.1'])]);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(looks.length, 2);
  const [table] = nodes.watches;
  looks[1]!([node('a', ['10.0.0.2', 'fd00::2'])]);
  await new Promise((resolve) => setImmediate(resolve));
  assert.notEqual(nodes.watches[0], table);
  nodes.close();
});

test('there are no more nodes than the limit, and that is counted', async () => {
  const before = NODES.hits;
  const { nodes, list } = followed();
  await list(...Array.from({ length: NODES.value + 2 }, (_, i) => node(`n${i}`, ['10.0.0.1'])));
  assert.deepEqual([nodes.size, NODES.hits], [NODES.value, before + 2]);
});

test('of the own node the zone is told when it is another, of others nothing', () => {
  let changes = 0;
  const own = new OwnNode(PARTS, 'a', () => changes++);
  assert.equal(own.zone, undefined);
  own.onObject(node('b', [], 'z2'));
  own.onObject(node('a', [], 'z1'));
  own.onObject(node('a', [], 'z1'));
  assert.deepEqual([own.zone, changes], ['z1', 1]);
  assert.deepEqual(own.state, { warning: false, message: 'this node is in zone z1' });
});
