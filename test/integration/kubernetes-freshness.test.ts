import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ask } from '../client/ask.ts';
import { CLUSTER_PROGRAMS, type ControlPlane, startControlPlane } from '../cluster/control-plane.ts';
import { type Endpoint, endpoint, endpointSlice, namespace, port, service } from '../cluster/fixtures.ts';
import { type Agent, startAgent } from '../servers/agent.ts';
import { skipWithout } from '../servers/programs.ts';

const skip = skipWithout(...CLUSTER_PROGRAMS);
const HTTP = [port('http', 80)];
const HEADLESS = { clusterIP: 'None', ports: HTTP };
const SLICES_OF_CROWD = 5;
const PODS_A_SLICE = 100;

let cluster: ControlPlane;
let agent: Agent;
/** Lets answers live on by lease; they have a TTL of a second there. */
let lessor: Agent;
let folder: string;

before(async () => {
  if (skip) return;
  folder = await mkdtemp(join(tmpdir(), 'signpost-freshness-'));
  const moving = ['moving', 'leased', 'crowd', 'stays'].flatMap((name, at) =>
    service('shop', name, HEADLESS, [endpoint(`10.244.${at}.1`)]),
  );
  cluster = await startControlPlane({ objects: [namespace('shop'), ...moving] });
  const config = join(folder, 'signpost.yaml');
  await writeFile(config, 'zones:\n  cluster.local:\n    cache: {maxTtl: 1s}\n');
  const { host, port: dnsPort } = cluster.clusterDns;
  const flags = [
    '--cluster-dns',
    `${host}:${dnsPort}`,
    '--upstream',
    '127.0.0.1:9',
    '--kubernetes',
    cluster.kubeconfig,
  ];
  [agent, lessor] = await Promise.all([startAgent(flags), startAgent([...flags, '--lease', '--config', config])]);
  await Promise.all([agent, lessor].map(followed));
});

after(async () => {
  await Promise.all([agent?.stop(), lessor?.stop()]);
  await cluster?.stop();
  if (folder) await rm(folder, { recursive: true, force: true });
});

async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await isSo()); tries++) {
    if (tries > 3000) assert.fail(`not ${what}`);
    await sleep(5);
  }
}

/** Changes arrive. */
const followed = (one: Agent): Promise<void> =>
  until('followed', async () => (await countOf(one, 'signpost_kubernetes_followed', { feature: 'services' })) === 2);

const nameOf = (label: string): string => `${label}.shop.svc.cluster.local`;

async function addresses(server: Agent, name: string, type = 'A'): Promise<string[]> {
  const { answers } = await ask(server, { name, type });
  return answers.map(({ data }) => data).toSorted();
}

/** Asks until the answer is the one expected; how long that was, in ms. */
async function untilAnswered(server: Agent, name: string, expected: string): Promise<number> {
  const startMs = performance.now();
  await until(`${name} is ${expected}`, async () => (await addresses(server, name)).join() === expected);
  return performance.now() - startMs;
}

function hex(address: string): string {
  return Buffer.from(address.split('.').map(Number)).toString('hex');
}

async function countOf(server: Agent, metric: string, labels: Record<string, string> = {}): Promise<number> {
  return (await server.scrape()).count(metric, labels);
}

test('a change of endpoints is answered as soon as the cluster DNS knows it, not when the TTL is over', {
  skip,
}, async (t) => {
  const name = nameOf('moving');
  const tookMs: number[] = [];
  await addresses(agent, nameOf('stays'));
  for (let change = 2; change < 12; change++) {
    for (let i = 0; i < 3; i++) await addresses(agent, name);
    const address = `10.244.0.${change}`;
    await cluster.api.patch(endpointSlice('shop', 'moving', HTTP, []), { endpoints: [endpoint(address)] });
    tookMs.push(await untilAnswered(agent, name, hex(address)));
  }
  assert.ok((await countOf(agent, 'signpost_service_dropped_total', { kind: 'positive' })) >= 1);
  const misses = await countOf(agent, 'coredns_cache_misses_total', { zones: 'cluster.local.' });
  await addresses(agent, nameOf('stays'));
  assert.equal(
    await countOf(agent, 'coredns_cache_misses_total', { zones: 'cluster.local.' }),
    misses,
    'another stayed',
  );
  t.diagnostic(`ms: ${tookMs.map(Math.round).join(' ')}`);
});

test('a Service that comes after its NXDOMAIN was cached is there at once, and gone at once', { skip }, async () => {
  const name = nameOf('late');
  for (let i = 0; i < 3; i++) assert.equal((await ask(agent, { name, type: 'A' })).rcode, 3);
  const [made] = service('shop', 'late', { clusterIP: '10.96.7.7', ports: HTTP });
  await cluster.api.create(made!);
  await untilAnswered(agent, name, hex('10.96.7.7'));
  assert.ok((await countOf(agent, 'signpost_service_dropped_total', { kind: 'negative' })) >= 1);
  await cluster.api.delete(made!);
  await until('gone', async () => (await ask(agent, { name, type: 'A' })).rcode === 3);
});

test('PTR records and endpoint names change with their Service', { skip }, async () => {
  const slice = endpointSlice('shop', 'moving', HTTP, []);
  const reverse = '50.0.244.10.in-addr.arpa';
  const pod = nameOf('pod-a.moving');
  for (const [name, type] of [
    [reverse, 'PTR'],
    [pod, 'A'],
  ] as const) {
    assert.equal((await ask(agent, { name, type })).answers.length, 0);
  }
  await cluster.api.patch(slice, { endpoints: [endpoint('10.244.0.50', { hostname: 'pod-a' })] });
  await untilAnswered(agent, pod, hex('10.244.0.50'));
  await until('a pointer', async () => (await addresses(agent, reverse, 'PTR')).length === 1);
  const before = await addresses(agent, reverse, 'PTR');
  await cluster.api.patch(slice, { endpoints: [endpoint('10.244.0.50', { hostname: 'pod-b' })] });
  await until('another', async () => (await addresses(agent, reverse, 'PTR')).join() !== before.join());
  await until('gone', async () => (await ask(agent, { name: pod, type: 'A' })).rcode === 3);
});

test('a roll-out of five hundred pods is followed to its end, and all of its changes are heard of', {
  skip,
}, async (t) => {
  const name = nameOf('crowd');
  const slices = Array.from({ length: SLICES_OF_CROWD }, (_, at) =>
    endpointSlice('shop', 'crowd', HTTP, [], { name: `crowd-${at + 1}` }),
  );
  for (const slice of slices.slice(1)) await cluster.api.create(slice);
  await addresses(agent, name);
  const before = await agent.scrape();
  const ready: Endpoint[][] = slices.map(() => []);
  let isOver = false;
  const client = (async () => {
    for (let i = 0; !isOver; i++) await ask(agent, { name, type: 'A', overTcp: i % 10 === 0 });
  })();
  // Each slice is written by one after the other, as a controller does.
  const rollOut = slices.map(async (slice, at) => {
    for (let pod = 1; pod <= PODS_A_SLICE; pod++) {
      ready[at]!.push(endpoint(`10.245.${at}.${pod}`));
      await cluster.api.patch(slice, { endpoints: ready[at] });
    }
  });
  await Promise.all(rollOut);
  isOver = true;
  await client;
  await until('all', async () => {
    const { answers } = await ask(agent, { name, type: 'A', overTcp: true });
    return answers.length === SLICES_OF_CROWD * PODS_A_SLICE;
  });
  const changed = { what: 'endpoints' };
  const heardBefore = before.count('signpost_service_changes_total', changed);
  // The cluster DNS may have heard of the last one first.
  await until('all heard of', async () => {
    const heard = await countOf(agent, 'signpost_service_changes_total', changed);
    return heard - heardBefore >= SLICES_OF_CROWD * PODS_A_SLICE;
  });
  const metrics = await agent.scrape();
  const grown = (metric: string, labels = {}) => metrics.count(metric, labels) - before.count(metric, labels);
  const asked =
    grown('coredns_cache_misses_total') + grown('coredns_cache_prefetch_total') + grown('signpost_reasks_total');
  t.diagnostic(`${asked} questions, ${grown('process_cpu_seconds_total').toFixed(2)} s of CPU`);
});

test('an answer that is confirmed is asked for no more while nothing changes, and a change ends that', {
  skip,
}, async () => {
  const name = nameOf('leased');
  const granted = (): Promise<number> => countOf(lessor, 'signpost_leases_total');
  await until('a lease', async () => {
    await addresses(lessor, name);
    return (await granted()) === 1;
  });
  const misses = await countOf(lessor, 'coredns_cache_misses_total');
  // The TTL of a second is over when the first renewal comes.
  await until('two renewals', async () => {
    assert.deepEqual(await addresses(lessor, name), [hex('10.244.1.1')]);
    return (await countOf(lessor, 'signpost_lease_renewals_total')) >= 2;
  });
  assert.equal(await countOf(lessor, 'coredns_cache_misses_total'), misses);
  await cluster.api.patch(endpointSlice('shop', 'leased', HTTP, []), { endpoints: [endpoint('10.244.1.2')] });
  await untilAnswered(lessor, name, hex('10.244.1.2'));
});
