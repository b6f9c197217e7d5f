import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ClusterKnowledge } from '../../../src/agent/cluster-knowledge.ts';
import { configFromFlags } from '../../../src/config/from-flags.ts';
import { monotonicClock } from '../../../src/core/clock.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import { KnownServices } from '../../../src/search/known-services.ts';
import { nameFromText } from '../../../src/wire/name.ts';
import { type ScriptedAnswer, ScriptedApi } from '../../servers/scripted-api.ts';

const meta = (name: string, resourceVersion: string, more = {}) => ({
  metadata: { name, namespace: 'shop', resourceVersion, ...more },
});
const slice = (of: string, version: string) =>
  meta(`${of}-x7k2p`, version, { labels: { 'kubernetes.io/service-name': of } });

/** An agent's knowledge of a cluster with one Service, one EndpointSlice and one pod, and what its users were told. */
async function follow(t: TestContext, hasUseForPods = false) {
  const open = new Map<string, ScriptedAnswer>();
  const objects: Record<string, object> = {
    services: meta('web', '1'),
    endpointslices: slice('web', '2'),
    pods: meta('web-0', '3', { uid: 'u' }),
  };
  const api = await ScriptedApi.open(({ path, kind }, answer) => {
    const resource = path.split('/').at(-1)!;
    open.set(resource, kind === 'first watch' ? answer.initial('9', [objects[resource] as never]) : answer.begin());
  });
  const folder = await mkdtemp(join(tmpdir(), 'signpost-users-'));
  const kubeconfig = join(folder, 'kubeconfig');
  const clusters = [{ name: 'c', cluster: { server: api.url.href } }];
  const contexts = [{ name: 'c', context: { cluster: 'c' } }];
  await writeFile(kubeconfig, JSON.stringify({ clusters, contexts, 'current-context': 'c' }));
  const surroundings = { env: { NODE_NAME: 'node-1' }, isTerminal: false, readFile: () => 'nameserver 192.0.2.1\n' };
  const { config } = configFromFlags({ kubernetes: kubeconfig, clusterDns: ['192.0.2.2'] }, surroundings);
  const knowledge = await ClusterKnowledge.open(config, { clock: monotonicClock, log: silentLogger });
  t.after(async () => {
    await knowledge.close();
    await api.close();
    await rm(folder, { recursive: true });
  });
  const told: string[] = [];
  const services = new KnownServices();
  const pods = {
    set: (uid: string, { namespace }: { namespace: string }) => void told.push(`pod ${uid} in ${namespace}`),
    delete: (uid: string) => void told.push(`no pod ${uid}`),
    setCurrent: (isCurrent: boolean) => void told.push(`pods ${isCurrent}`),
  };
  const users = {
    services,
    freshness: {
      serviceChanged: (namespace: string, service: string, what: string) =>
        void told.push(`${what} ${namespace}/${service}`),
      setFollowed: (isFollowed: boolean) => void told.push(`followed ${isFollowed}`),
    },
    pods: hasUseForPods ? pods : undefined,
  };
  knowledge.followCluster(users);
  knowledge.followCluster(users);
  async function until(what: string, isSo: () => boolean): Promise<void> {
    for (let tries = 0; !isSo(); tries++) {
      if (tries > 1000) assert.fail(`not ${what}: ${told}`);
      await sleep(5);
    }
  }
  const has = (name: string) => services.has(nameFromText(`${name}.svc.cluster.local`)!, 0);
  return { api, open, told, services, has, until, knowledge };
}

test('Services that there are are known and no news; what changes is told to both who need it', async (t) => {
  const { open, told, services, has, until } = await follow(t);
  await until('followed', () => told.includes('followed true'));
  assert.deepEqual([told.splice(0), services.isCurrent, has('web.shop')], [['followed true'], true, true]);
  open.get('services')!.event('ADDED', meta('db', '10')).event('DELETED', meta('web', '11'));
  await until('told', () => told.length === 2);
  assert.deepEqual(
    [told.splice(0), has('db.shop'), has('web.shop')],
    [['service shop/db', 'service shop/web'], true, false],
  );
  open.get('endpointslices')!.event('MODIFIED', slice('web', '12'));
  await until('told', () => told.length === 1);
  assert.deepEqual(told.splice(0), ['endpoints shop/web']);
});

test('a break of either watch ends what rests on both, and that of Services what is known of them', async (t) => {
  const { api, told, services, until } = await follow(t);
  await until('followed', () => told.includes('followed true'));
  api.script = (_request, answer) => answer.refuse(500);
  api.breakConnections();
  await until('told', () => !services.isCurrent && told.includes('followed false'));
  assert.deepEqual(told, ['followed true', 'followed false']);
});

test('pods of the node are asked for only where there is a use for them', async (t) => {
  const complete = await follow(t, true);
  await complete.until('known', () => complete.told.includes('pods true'));
  assert.ok(complete.told.includes('pod u in shop'));
  const pods = complete.api.requests.filter(({ path }) => path.endsWith('/pods'));
  assert.deepEqual(
    pods.map(({ query }) => query.get('fieldSelector')),
    ['spec.nodeName=node-1,status.phase!=Succeeded,status.phase!=Failed'],
  );
  const local = await follow(t);
  await local.until('followed', () => local.told.includes('followed true'));
  assert.ok(local.api.requests.every(({ path }) => !path.endsWith('/pods')));
  assert.deepEqual(
    local.knowledge.reasons.map(({ name }) => name),
    ['kubernetes-services'],
  );
});
