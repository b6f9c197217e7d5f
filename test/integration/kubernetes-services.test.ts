import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicClock } from '../../src/core/clock.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { ApiClient } from '../../src/kubernetes/api-client.ts';
import { Backoff } from '../../src/kubernetes/backoff.ts';
import { kubeconfigAccess } from '../../src/kubernetes/kubeconfig.ts';
import { NodePods } from '../../src/kubernetes/node-pods.ts';
import { ServiceWatches } from '../../src/kubernetes/service-watches.ts';
import type { PodClient } from '../../src/search/pod-clients.ts';
import { clusterRights, writeAgentKubeconfig } from '../cluster/agent-rights.ts';
import { CLUSTER_PROGRAMS, type ControlPlane, startControlPlane } from '../cluster/control-plane.ts';
import { endpoint, endpointSlice, namespace, pod, port, service } from '../cluster/fixtures.ts';
import { startAgent } from '../servers/agent.ts';
import { skipWithout } from '../servers/programs.ts';

const skip = skipWithout(...CLUSTER_PROGRAMS);
const HTTP = [port('http', 80)];
const WEB = service('shop', 'web', { clusterIP: 'None', ports: HTTP }, [endpoint('10.244.1.11')]);

let cluster: ControlPlane;
let folder: string;

before(async () => {
  if (skip) return;
  folder = await mkdtemp(join(tmpdir(), 'signpost-services-'));
  cluster = await startControlPlane({ objects: [namespace('shop'), ...WEB, pod('shop', 'web-0', '10.244.1.11')] });
});

after(async () => {
  await cluster?.stop();
  if (folder) await rm(folder, { recursive: true, force: true });
});

async function kubeconfigOf(token: string): Promise<string> {
  const path = join(folder, token);
  await writeAgentKubeconfig(path, cluster, token);
  return path;
}

async function partsOf(t: TestContext, token: string) {
  const client = new ApiClient(await kubeconfigAccess(await kubeconfigOf(token)));
  t.after(() => client.close());
  return { client, clock: monotonicClock, log: silentLogger, backoff: () => new Backoff({ firstMs: 10, mostMs: 200 }) };
}

/** What becomes known of Services, as lines. */
async function follow(t: TestContext, token: string) {
  const told: string[] = [];
  const watches = new ServiceWatches(await partsOf(t, token), {
    added: (namespace, name, isNew) => void told.push(`${isNew ? 'new' : 'known'} ${namespace}/${name}`),
    changed: (namespace, name) => void told.push(`changed ${namespace}/${name}`),
    deleted: (namespace, name) => void told.push(`deleted ${namespace}/${name}`),
    endpointsChanged: (namespace, name) => void told.push(`endpoints ${namespace}/${name}`),
    following: (services, both) => void told.push(`following ${services} ${both}`),
  });
  t.after(() => watches.close());
  watches.start();
  return { watches, told };
}

async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await isSo()); tries++) {
    if (tries > 2000) assert.fail(`not ${what}`);
    await sleep(10);
  }
}

/** Until the test has ended, the user of the tests may do what the manifests grant over the whole cluster. */
async function grant(t: TestContext, flags: Parameters<typeof clusterRights>[0]): Promise<void> {
  const granted = clusterRights(flags);
  for (const object of granted) await cluster.api.create(object);
  t.after(async () => {
    for (const object of granted) await cluster.api.delete(object);
  });
}

test('with the ClusterRole of the manifests, and no more, Services are followed; until it is there, it is said what is missing', {
  skip,
}, async (t) => {
  const { watches, told } = await follow(t, cluster.agentToken);
  await until('refused', () => watches.state.warning);
  assert.match(watches.state.message, /cannot watch resource "(services|endpointslices)".* at the cluster scope/);
  await grant(t, {});
  await until('followed', () => told.at(-1) === 'following true true');
  assert.ok(told.includes('known shop/web') && !told.some((line) => /new|changed|endpoints/.test(line)), told.join());
  assert.equal(watches.state.warning, false);
  const { client } = await partsOf(t, cluster.agentToken);
  for (const path of [
    '/api/v1/pods',
    '/api/v1/nodes',
    '/api/v1/services/web',
    '/api/v1/secrets',
    '/api/v1/namespaces',
  ]) {
    await assert.rejects(client.get('look', path), { code: 'ERR_KUBERNETES_FORBIDDEN' }, path);
  }
});

test("this node's pods are followed with the ClusterRole for search paths, and no others", { skip }, async (t) => {
  await grant(t, { search: 'complete' });
  const known = new Map<string, PodClient>();
  const current: boolean[] = [];
  const pods = new NodePods(await partsOf(t, cluster.agentToken), 'node-1', {
    set: (uid, pod) => void known.set(uid, pod),
    delete: (uid) => void known.delete(uid),
    setCurrent: (isCurrent) => void current.push(isCurrent),
  });
  t.after(() => pods.close());
  pods.start();
  const addresses = () =>
    [...known.values()]
      .flatMap((each) => each.addresses)
      .sort()
      .join(' ');
  await until('followed', () => current.at(-1) === true);
  assert.equal(addresses(), '10.244.1.11');
  const other = {
    ...pod('shop', 'far-0', '10.244.2.1'),
    spec: { containers: [{ name: 'a', image: 'b' }], nodeName: 'node-2' },
  };
  const own = pod('shop', 'web-1', '10.244.1.12');
  for (const object of [other, own]) await cluster.api.create(object);
  t.after(() => cluster.api.delete(other));
  await until('told of its own', () => addresses() === '10.244.1.11 10.244.1.12');
  await cluster.api.patchStatus(own, { phase: 'Succeeded' });
  await until('told of the end', () => known.size === 1);
  await cluster.api.delete(own);
  assert.equal(addresses(), '10.244.1.11');
  assert.equal(pods.state.message, 'followed: 1 pods of node-1');
});

test('a list after a break of the API server tells what changed meanwhile, and only that', { skip }, async (t) => {
  const { watches, told } = await follow(t, cluster.adminToken);
  await until('followed', () => told.at(-1) === 'following true true');
  const [gone, goneSlice] = service('shop', 'gone', { clusterIP: 'None', ports: HTTP }, [endpoint('10.244.1.20')]);
  await cluster.api.create(gone!);
  await cluster.api.create(goneSlice!);
  await until('told', () => told.includes('new shop/gone') && told.includes('endpoints shop/gone'));
  told.length = 0;
  const slice = endpointSlice('shop', 'web', HTTP, []);
  await cluster.restartApi(async () => {
    await until('broken', () => told.includes('following false false'));
    assert.equal(watches.state.warning, true);
  });
  await cluster.api.delete(gone!);
  await cluster.api.patch(slice, { endpoints: [endpoint('10.244.1.12')] });
  await until('followed', () => told.includes('following true true'));
  await until('told', () => told.includes('deleted shop/gone') && told.includes('endpoints shop/web'));
  const changes = told.filter((line) => !line.startsWith('following'));
  assert.deepEqual(changes.sort(), ['deleted shop/gone', 'endpoints shop/web']);
});

test('the agent says what it follows and what sleeps, and is ready all the same', { skip }, async (t) => {
  const path = await kubeconfigOf(cluster.agentToken);
  const { host, port: dnsPort } = cluster.clusterDns;
  const flags = ['--cluster-dns', `${host}:${dnsPort}`, '--upstream', '127.0.0.1:9', '--node-name', 'node-1'];
  const agent = await startAgent([...flags, '--kubernetes', path, '--search', 'complete']);
  t.after(() => agent.stop());
  const ready = async () => {
    const answer = await fetch(`${agent.adminUrl}/ready`);
    const { reasons } = (await answer.json()) as { reasons: { name: string; warning: boolean; message: string }[] };
    return {
      status: answer.status,
      text: reasons.map((each) => `${each.name} ${each.warning} ${each.message}`).join('\n'),
    };
  };
  await until('refused', async () => /kubernetes-services true .*answers 403/.test((await ready()).text));
  await until('refused', async () => /kubernetes-pods true .*no pod is known.*answers 403/.test((await ready()).text));
  await grant(t, { search: 'complete' });
  await until('woken', async () => /kubernetes-services false followed: \d+ Services/.test((await ready()).text));
  await until('woken', async () => /kubernetes-pods false followed: 1 pods of node-1/.test((await ready()).text));
  await until('ready', async () => (await ready()).status === 200);
  const metrics = await agent.scrape();
  assert.equal(metrics.sum('signpost_kubernetes_followed', { feature: 'services' }), 2);
  assert.equal(metrics.sum('signpost_kubernetes_followed', { feature: 'pods' }), 1);
  assert.ok(metrics.sum('signpost_kubernetes_errors_total', { resource: 'endpointslices', reason: 'forbidden' }) > 0);
  await cluster.restartApi(async () => {
    await until('said', async () => /kubernetes-services true .*gives no answer/.test((await ready()).text));
    assert.equal((await ready()).status, 200);
    assert.equal((await agent.scrape()).sum('signpost_kubernetes_followed', { feature: 'services' }), 0);
  });
  await until(
    'followed again',
    async () => (await agent.scrape()).sum('signpost_kubernetes_followed', { feature: 'services' }) === 2,
  );
});
