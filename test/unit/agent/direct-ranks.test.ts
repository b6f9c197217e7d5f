import assert from 'node:assert/strict';
import { test } from 'node:test';
import { directRanks } from '../../../src/agent/direct-ranks.ts';
import type { UpstreamAddress } from '../../../src/config/config.ts';
import { CLUSTER_DNS_DIRECT } from '../../../src/core/limits.ts';
import type { ClusterDnsEndpoint } from '../../../src/kubernetes/cluster-dns-endpoints.ts';

const SERVICE: UpstreamAddress = { host: '10.96.0.10', port: 53, transport: 'tcp', source: '10.0.0.1' };
const HERE = { nodeName: 'node-1', zone: 'z1' };

function pod(host: string, fields: Partial<ClusterDnsEndpoint> = {}): ClusterDnsEndpoint {
  const family = host.includes(':') ? 6 : 4;
  const nowhere = { zone: undefined, nodeName: undefined, forZones: [], forNodes: [] };
  return { host, family, udpPort: 5353, tcpPort: 5354, ...nowhere, ...fields };
}

const hosts = (ranks: readonly (readonly UpstreamAddress[])[]) => ranks.map((list) => list.map(({ host }) => host));

test("pods are asked as the Service is, at their own ports, and the Service's address stands behind them", () => {
  const { ranks } = directRanks([SERVICE], [pod('10.244.0.2')], HERE)!;
  assert.deepEqual(ranks, [[{ ...SERVICE, host: '10.244.0.2', port: 5354 }], [SERVICE]]);
  const udp = { ...SERVICE, transport: 'udp+tcp' } as const;
  assert.equal(directRanks([udp], [pod('10.244.0.2')], HERE)!.ranks[0]![0]!.port, 5353);
});

test('those that are meant for this zone come first, then the others, then the Service', () => {
  const pods = [pod('10.0.0.2', { forZones: ['z2'] }), pod('10.0.0.1', { forZones: ['z1'] })];
  const direct = directRanks([SERVICE], pods, HERE)!;
  assert.deepEqual(hosts(direct.ranks), [['10.0.0.1'], ['10.0.0.2'], ['10.96.0.10']]);
  assert.deepEqual([direct.near, direct.far], [1, 1]);
});

test("a pod with addresses of two families is asked at one: that of the Service's family, where it has one", () => {
  const pods = [pod('10.0.0.1'), pod('fd00::1')];
  const six = { ...SERVICE, host: 'fd00:96::a' };
  assert.deepEqual(hosts(directRanks([SERVICE, six], pods, HERE)!.ranks), [['10.0.0.1'], ['10.96.0.10', 'fd00:96::a']]);
  assert.deepEqual(hosts(directRanks([six, SERVICE], pods, HERE)!.ranks)[0], ['fd00::1']);
  assert.deepEqual(hosts(directRanks([six], [pod('10.0.0.1')], HERE)!.ranks)[0], ['10.0.0.1']);
});

test("a pod whose address stands where the Service's belongs is asked first and once", () => {
  const own = { ...SERVICE, host: '10.0.0.1', port: 5354 };
  const pods = [pod('10.0.0.1'), pod('10.0.0.2')];
  const { ranks } = directRanks([own, SERVICE], pods, HERE)!;
  assert.deepEqual(
    hosts(ranks).map((list) => list.toSorted()),
    [['10.0.0.1', '10.0.0.2'], ['10.96.0.10']],
  );
  assert.equal(directRanks([own], [pod('10.0.0.1')], HERE)!.ranks.length, 1);
});

test('an encrypted cluster DNS is asked by its Service: where its pods listen is not known', () => {
  assert.equal(directRanks([{ ...SERVICE, transport: 'tls' }], [pod('10.0.0.1')], HERE), undefined);
  assert.equal(directRanks([SERVICE], [], HERE), undefined);
});

test('of many pods a node asks a few, near ones first, and all nodes together ask all alike', () => {
  const many = Array.from({ length: 40 }, (_, i) => pod(`10.0.0.${i}`));
  const most = CLUSTER_DNS_DIRECT.value;
  const asked = new Map<string, number>();
  for (let node = 0; node < 2000; node++) {
    const { ranks, left } = directRanks([SERVICE], many, { nodeName: `node-${node}`, zone: undefined })!;
    assert.deepEqual([ranks[0]!.length, left], [most, 40 - most]);
    for (const { host } of ranks[0]!) asked.set(host, (asked.get(host) ?? 0) + 1);
  }
  // 400 each, and a deviation of 18.
  for (const [host, nodes] of asked) assert.ok(nodes > 300 && nodes < 500, `${host}: ${nodes}`);
  assert.equal(asked.size, 40);
  const meant = many.map((each, i) => ({ ...each, forZones: [i < 3 ? 'z1' : 'z2'] }));
  const direct = directRanks([SERVICE], meant, HERE)!;
  assert.deepEqual([direct.near, direct.far], [3, most - 3]);
});

test('where a pod goes, the others that a node asks stay', () => {
  const pods = Array.from({ length: 8 }, (_, i) => pod(`10.0.0.${i}`));
  const [all] = hosts(directRanks([SERVICE], pods, HERE)!.ranks);
  const gone = all![2]!;
  const rest = pods.filter(({ host }) => host !== gone);
  assert.deepEqual(
    hosts(directRanks([SERVICE], rest, HERE)!.ranks)[0],
    all!.filter((host) => host !== gone),
  );
  assert.deepEqual(hosts(directRanks([SERVICE], pods.toReversed(), HERE)!.ranks)[0], all);
});
