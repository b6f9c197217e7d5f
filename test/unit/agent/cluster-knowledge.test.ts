import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ClusterDnsPlaces, ClusterKnowledge } from '../../../src/agent/cluster-knowledge.ts';
import type { Config } from '../../../src/config/config.ts';
import type { Flags } from '../../../src/config/flags.ts';
import { configFromFlags } from '../../../src/config/from-flags.ts';
import { monotonicClock } from '../../../src/core/clock.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import { ScriptedApi } from '../../servers/scripted-api.ts';

const POD = '10.244.0.2';
const SERVICE = ['10.96.0.10', 'fd00:96::a'];

function config(kubernetes: string, clusterDns: string, more: Flags = {}): Config {
  const surroundings = { env: {}, isTerminal: false, readFile: () => 'nameserver 192.0.2.1\n' };
  return configFromFlags({ kubernetes, clusterDns: [clusterDns], ...more }, surroundings).config;
}

/** A cluster whose Service kube-dns has one pod, and what an agent with this cluster DNS makes of it. */
async function follow(t: TestContext, clusterDns: string) {
  const slice = {
    metadata: {
      name: 'kube-dns-1',
      namespace: 'kube-system',
      resourceVersion: '1',
      labels: { 'kubernetes.io/service-name': 'kube-dns' },
    },
    addressType: 'IPv4',
    ports: [{ name: 'dns', port: 53, protocol: 'UDP' }],
    endpoints: [{ addresses: [POD] }],
  };
  const api = await ScriptedApi.open(({ path, kind }, answer) => {
    if (kind !== 'get') return void answer.initial('1', [slice]);
    if (!path.endsWith('/kube-dns')) return answer.refuse(404);
    answer.object({
      metadata: { name: 'kube-dns' },
      spec: { clusterIPs: SERVICE, ports: [{ name: 'dns', port: 53 }] },
    });
  });
  const folder = await mkdtemp(join(tmpdir(), 'signpost-knowledge-'));
  const kubeconfig = join(folder, 'kubeconfig');
  const clusters = [{ name: 'c', cluster: { server: api.url.href } }];
  const contexts = [{ name: 'c', context: { cluster: 'c' } }];
  await writeFile(kubeconfig, JSON.stringify({ clusters, contexts, 'current-context': 'c' }));
  const knowledge = await ClusterKnowledge.open(config(kubeconfig, clusterDns), {
    clock: monotonicClock,
    log: silentLogger,
  });
  t.after(async () => {
    await knowledge.close();
    await api.close();
    await rm(folder, { recursive: true });
  });
  let places: ClusterDnsPlaces | undefined;
  const use = (found: ClusterDnsPlaces): void => {
    places = found;
  };
  knowledge.followClusterDns(use);
  const isKnown = () =>
    /1 known of kube-system/.test(knowledge.reasons[0]?.message ?? '') && places!.services.length > 0;
  for (let tries = 0; !isKnown(); tries++) {
    if (tries > 1000) assert.fail(`not known: ${JSON.stringify([places, knowledge.reasons])}`);
    await sleep(5);
  }
  return {
    places: () => places!,
    reasons: () => knowledge.reasons.map(({ name, ok, warning = false }) => `${name} ${ok} ${warning}`),
    reload: (next: string) => knowledge.follow(config(kubeconfig, next), use),
  };
}

test('the pods of the Service that is asked, its addresses of both families, and which addresses are Services', async (t) => {
  const { places, reasons } = await follow(t, SERVICE[0]!);
  assert.deepEqual(places(), {
    services: SERVICE,
    clusterDns: SERVICE.map((host) => ({ host, port: 53 })),
    targets: [{ host: POD, port: 53 }],
  });
  assert.deepEqual(reasons(), ['kubernetes true false']);
});

test('where a pod itself is asked, its like are known', async (t) => {
  const { places } = await follow(t, POD);
  assert.deepEqual(places().targets, [{ host: POD, port: 53 }]);
  assert.deepEqual(places().clusterDns, []);
});

test('pods of a Service that is not the one asked are not used, which is said, until a reload asks it', async (t) => {
  const { places, reasons, reload } = await follow(t, '192.0.2.53');
  assert.deepEqual(places(), { services: SERVICE, clusterDns: [], targets: [] });
  assert.deepEqual(reasons(), ['kubernetes true false', 'cluster-dns-service true true']);
  reload(SERVICE[1]!);
  assert.deepEqual(places().targets, [{ host: POD, port: 53 }]);
  assert.deepEqual(reasons(), ['kubernetes true false']);
});

test('without credentials what needs the API sleeps, and that is said; where nothing needs it, nothing is', async () => {
  const reasons = async (more: Flags) => {
    const wanted = config('auto', '192.0.2.53', more);
    return (await ClusterKnowledge.open(wanted, { clock: monotonicClock, log: silentLogger })).reasons;
  };
  assert.deepEqual(await reasons({}), []);
  const clusterDns = ['192.0.2.53', 'endpoints'];
  const [reason, ...others] = await reasons({ search: 'complete', lease: true, nodeNames: true, clusterDns });
  assert.deepEqual([reason?.ok, reason?.warning, others], [true, true, []]);
  assert.match(reason!.message, /nothing comes of --search complete, --lease, --node-names, --cluster-dns endpoints$/);
});
