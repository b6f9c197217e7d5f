import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAPPED_BYTES, mapAddress } from '../../../src/native/sockaddr.ts';
import { GAP_MS, type PodClient, PodClients } from '../../../src/search/pod-clients.ts';
import { nameToText } from '../../../src/wire/name.ts';
import { FakeClock } from '../../fake-clock.ts';

const POD: PodClient = {
  namespace: 'team1',
  addresses: ['10.1.0.5'],
  dnsPolicy: 'ClusterFirst',
  searches: [],
  ndots: undefined,
  isHostNetwork: false,
  isEnded: false,
};

class Node {
  readonly clock = new FakeClock();
  readonly pods = new PodClients(this.clock, { clusterDomain: 'cluster.local', searches: [] });

  constructor() {
    this.pods.setCurrent(true);
  }

  /** The first search suffix of whoever has the address. */
  first(address: string): string | undefined {
    const mapped = new Uint8Array(MAPPED_BYTES);
    mapAddress(address, mapped);
    const search = this.pods.find(mapped, this.clock.nowMs());
    return search && nameToText(search.suffixes[0]!, 0);
  }
}

test('a pod is known by each of its addresses, of both families', () => {
  const node = new Node();
  node.pods.set('1', { ...POD, addresses: ['10.1.0.5', 'fd00::5'] });
  assert.equal(node.first('10.1.0.5'), 'team1.svc.cluster.local.');
  assert.equal(node.first('fd00:0:0::0005'), 'team1.svc.cluster.local.');
  assert.equal(node.first('10.1.0.6'), undefined);
  assert.equal(node.pods.known, 2);
});

test('before its address is told, a pod is unknown', () => {
  const node = new Node();
  node.pods.set('1', { ...POD, addresses: [] });
  assert.equal(node.first('10.1.0.5'), undefined);
  node.pods.set('1', POD);
  assert.equal(node.first('10.1.0.5'), 'team1.svc.cluster.local.');
});

test('two live pods with one address are nobody, until one of them is gone', () => {
  const node = new Node();
  node.pods.set('1', POD);
  node.pods.set('2', { ...POD, namespace: 'team2' });
  assert.equal(node.first('10.1.0.5'), undefined);
  node.pods.delete('1');
  assert.equal(node.first('10.1.0.5'), 'team2.svc.cluster.local.');
  assert.equal(node.pods.known, 1);
});

test('two pods of one namespace with one address are nobody either: one of them may be a third', () => {
  const node = new Node();
  node.pods.set('1', POD);
  node.pods.set('2', POD);
  assert.equal(node.first('10.1.0.5'), undefined);
});

test('an IPv4-mapped address is the IPv4 one, and so is one address, however it is written', () => {
  const node = new Node();
  node.pods.set('1', { ...POD, addresses: ['::ffff:10.1.0.5', '2001:db8:0:0::0005'] });
  for (const address of ['10.1.0.5', '2001:db8::5']) assert.equal(node.first(address), 'team1.svc.cluster.local.');
  node.pods.set('2', { ...POD, namespace: 'team2' });
  assert.equal(node.first('10.1.0.5'), undefined);
  // The other family is still the first pod's alone.
  assert.equal(node.first('2001:db8::5'), 'team1.svc.cluster.local.');
  for (const address of ['127.0.0.1', '::1', '::', '0.0.0.0']) assert.equal(node.first(address), undefined, address);
});

test('a pod that has ended gives its address free, also when that is told after the next one came', () => {
  const node = new Node();
  node.pods.set('1', POD);
  node.pods.set('1', { ...POD, isEnded: true });
  assert.equal(node.first('10.1.0.5'), undefined);
  node.pods.set('2', { ...POD, namespace: 'team2' });
  assert.equal(node.first('10.1.0.5'), 'team2.svc.cluster.local.');
  node.pods.delete('1');
  assert.equal(node.first('10.1.0.5'), 'team2.svc.cluster.local.');
});

test('pods with the network of the host are unknown, and so is whoever shares an address with them', () => {
  const node = new Node();
  node.pods.set('1', { ...POD, isHostNetwork: true, dnsPolicy: 'ClusterFirstWithHostNet', addresses: ['192.0.2.1'] });
  assert.equal(node.first('192.0.2.1'), undefined);
  node.pods.set('2', { ...POD, addresses: ['192.0.2.1'] });
  assert.equal(node.first('192.0.2.1'), undefined);
});

test('a pod that takes another address leaves the first one', () => {
  const node = new Node();
  node.pods.set('1', POD);
  node.pods.set('1', { ...POD, addresses: ['10.1.0.9'] });
  assert.equal(node.first('10.1.0.5'), undefined);
  assert.equal(node.first('10.1.0.9'), 'team1.svc.cluster.local.');
  node.pods.delete('1');
  assert.equal(node.first('10.1.0.9'), undefined);
  assert.deepEqual([node.pods.size, node.pods.known], [0, 0]);
});

test('in a gap of the watch pods are who they were for a moment, and then unknown', () => {
  const node = new Node();
  node.pods.set('1', POD);
  node.pods.setCurrent(false);
  node.clock.advance(GAP_MS);
  assert.equal(node.first('10.1.0.5'), 'team1.svc.cluster.local.');
  node.clock.advance(1);
  assert.equal(node.first('10.1.0.5'), undefined);
  node.pods.setCurrent(true);
  assert.equal(node.first('10.1.0.5'), 'team1.svc.cluster.local.');
});

test('before all pods have been told, none is known', () => {
  const clock = new FakeClock();
  const pods = new PodClients(clock, { clusterDomain: 'cluster.local', searches: [] });
  pods.set('1', POD);
  const mapped = new Uint8Array(MAPPED_BYTES);
  mapAddress('10.1.0.5', mapped);
  assert.equal(pods.find(mapped, clock.nowMs()), undefined);
});

test('other suffixes of the node are those of all its pods from then on', () => {
  const node = new Node();
  node.pods.set('1', POD);
  node.pods.setNode({ clusterDomain: 'other.test', searches: undefined });
  assert.equal(node.first('10.1.0.5'), undefined);
  node.pods.setNode({ clusterDomain: 'other.test', searches: ['corp.example'] });
  assert.equal(node.first('10.1.0.5'), 'team1.svc.other.test.');
});

test('thousands of pods come and go, and what is known is what is there', () => {
  const node = new Node();
  const there = new Map<string, { address: string; namespace: string }>();
  let seed = 1;
  const random = (most: number): number => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return (seed >>> 8) % most;
  };
  for (let i = 0; i < 5000; i++) {
    const uid = String(random(60));
    if (random(3) === 0) {
      node.pods.delete(uid);
      there.delete(uid);
    } else {
      const pod = { address: `10.1.${random(2)}.${random(25)}`, namespace: `team${random(5)}` };
      node.pods.set(uid, { ...POD, addresses: [pod.address], namespace: pod.namespace });
      there.set(uid, pod);
    }
    const address = `10.1.${random(2)}.${random(25)}`;
    const holders = [...there.values()].filter((pod) => pod.address === address);
    const expected = holders.length === 1 ? `${holders[0]!.namespace}.svc.cluster.local.` : undefined;
    assert.equal(node.first(address), expected);
  }
});
