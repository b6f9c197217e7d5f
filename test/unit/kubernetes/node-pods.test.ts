import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { NODE_PODS } from '../../../src/core/limits.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import { ApiClient } from '../../../src/kubernetes/api-client.ts';
import { Backoff } from '../../../src/kubernetes/backoff.ts';
import { NodePods } from '../../../src/kubernetes/node-pods.ts';
import { type ScriptedAnswer, ScriptedApi } from '../../servers/scripted-api.ts';

const pod = (name: string, uid: string, resourceVersion: string, ip = '10.244.1.2') => ({
  metadata: { name, namespace: 'shop', uid, resourceVersion },
  status: { podIP: ip },
});

/** The pods of a node, and what was told of them. */
async function follow(t: TestContext, pods: readonly object[]) {
  const house = { pods, told: [] as string[], open: undefined as ScriptedAnswer | undefined };
  const api = await ScriptedApi.open((_request, answer) => {
    house.open = answer.initial('9', house.pods as never);
  });
  const client = new ApiClient({ server: api.url, isInsecure: false, origin: 'a test', credentials: async () => ({}) });
  const backoff = () => new Backoff({ firstMs: 2, mostMs: 10 });
  const clock = { nowMs: () => performance.now() };
  const nodePods = new NodePods({ client, clock, log: silentLogger, backoff }, 'node-1', {
    set: (uid, { addresses }) => void house.told.push(`${uid} ${addresses}`),
    delete: (uid) => void house.told.push(`no ${uid}`),
    setCurrent: (isCurrent) => void house.told.push(`current ${isCurrent}`),
  });
  t.after(async () => {
    nodePods.close();
    await client.close();
    await api.close();
  });
  nodePods.start();
  async function until(what: string, isSo: () => boolean): Promise<void> {
    for (let tries = 0; !isSo(); tries++) {
      if (tries > 2000) assert.fail(`not ${what}: ${house.told}`);
      await sleep(5);
    }
  }
  await until('listed', () => nodePods.watches[0]!.isListed);
  return { api, house, nodePods, until, news: () => house.told.splice(0) };
}

test('a pod that is made again under its name is another one', async (t) => {
  const { house, until, news } = await follow(t, [pod('db-0', 'first', '1')]);
  await until('current', () => house.told.includes('current true'));
  assert.deepEqual(news(), ['first 10.244.1.2', 'current true']);
  house.open!.event('MODIFIED', pod('db-0', 'second', '10', '10.244.1.3'));
  await until('told', () => house.told.length === 2);
  assert.deepEqual(news(), ['no first', 'second 10.244.1.3']);
});

test('pods that went, and that were made again, while nothing was followed are told of by the next list', async (t) => {
  const { house, until, news } = await follow(t, [pod('db-0', 'first', '1'), pod('web-0', 'w', '2')]);
  await until('current', () => house.told.includes('current true'));
  news();
  house.pods = [pod('db-0', 'second', '20')];
  house.open!.event('ERROR', { kind: 'Status', code: 410 });
  await until('current again', () => house.told.at(-1) === 'current true');
  assert.deepEqual(news(), ['current false', 'no first', 'second 10.244.1.2', 'no w', 'current true']);
});

test('where a node has more pods than are kept, none is taken for all, and it is said', async (t) => {
  const { value, hits } = NODE_PODS;
  NODE_PODS.value = 2;
  t.after(() => {
    NODE_PODS.value = value;
  });
  const { house, nodePods, until } = await follow(t, [pod('a', 'a', '1'), pod('b', 'b', '2'), pod('c', 'c', '3')]);
  await until('followed', () => nodePods.watches[0]!.isFollowing);
  assert.ok(!house.told.includes('current true') && !house.told.some((line) => line.startsWith('c ')));
  assert.equal(NODE_PODS.hits - hits, 1);
  assert.deepEqual(nodePods.state, { warning: true, message: 'search paths are not completed: more than 2 pods' });
});

test('a node without a pod is said, for its name may be wrong', async (t) => {
  const { api, nodePods } = await follow(t, []);
  assert.match(nodePods.state.message, /^no pod is on a node node-1: is that its name \(--node-name\)\?$/);
  const selector = 'spec.nodeName=node-1,status.phase!=Succeeded,status.phase!=Failed';
  assert.equal(api.requests[0]!.query.get('fieldSelector'), selector);
  assert.equal(api.requests[0]!.headers.accept, 'application/json');
});
