import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { silentLogger } from '../../../src/core/logger.ts';
import { ApiClient, type StreamOptions } from '../../../src/kubernetes/api-client.ts';
import { Backoff } from '../../../src/kubernetes/backoff.ts';
import { Watch, type WatchParts } from '../../../src/kubernetes/watch.ts';
import { type ScriptedAnswer, ScriptedApi, type ScriptedObject, scripted } from '../../servers/scripted-api.ts';

/** Longer than any test. */
const NEVER_MS = 600_000;

/** A watch of one object that was followed, broke off, and has just begun again from where it was. */
async function resumed(t: TestContext, options: Partial<WatchParts>) {
  let open: ScriptedAnswer | undefined;
  const house = { skewMs: 0, told: [] as string[], mayRest: [] as (boolean | undefined)[] };
  const api = await ScriptedApi.open(({ kind }, answer) => {
    open = kind === 'first watch' ? answer.initial('9', [scripted('a', '3')]) : answer.begin();
  });
  const client = new ApiClient({ server: api.url, isInsecure: false, origin: 'a test', credentials: async () => ({}) });
  let mayRest: StreamOptions['mayRest'];
  const stream = client.stream.bind(client);
  client.stream = (what, path, options) => {
    mayRest = options.mayRest;
    return stream(what, path, options);
  };
  const sink = {
    onListing() {},
    onListed() {},
    onObject: ({ metadata }: ScriptedObject) => {
      house.told.push(metadata.name);
      house.mayRest.push(mayRest?.());
    },
    onDeleted() {},
  };
  const watch: Watch<ScriptedObject> = new Watch({ resource: 'things', path: '/things' }, sink, {
    client,
    clock: { nowMs: () => performance.now() + house.skewMs },
    log: silentLogger,
    purpose: 'a test',
    backoff: new Backoff({ firstMs: 2, mostMs: 10 }),
    onFollowing: () => void house.told.push(watch.isFollowing ? 'following' : 'broken'),
    ...options,
  });
  t.after(async () => {
    watch.close();
    await client.close();
    await api.close();
  });
  async function until(what: string, isSo: () => boolean): Promise<void> {
    for (let tries = 0; !isSo(); tries++) {
      if (tries > 2000) assert.fail(`not ${what}: ${house.told}`);
      await sleep(5);
    }
  }
  watch.start();
  await until('followed', () => watch.isFollowing);
  const first = open;
  api.breakConnections();
  await until('asked again', () => open !== first);
  assert.deepEqual(house.told.splice(0, 3), ['a', 'following', 'broken']);
  return { house, watch, answer: open!, until };
}

test('after a break nothing counts as followed while events that were missed may come, and a bookmark ends that', async (t) => {
  const { house, watch, answer, until } = await resumed(t, { quietMs: NEVER_MS });
  answer.event('ADDED', scripted('b', '10')).event('ADDED', scripted('c', '11'));
  await until('told', () => house.told.length === 2);
  assert.equal(watch.isFollowing, false);
  assert.ok(watch.staleMs! > 0);
  answer.event('ADDED', scripted('d', '12')).bookmark('20');
  await until('followed', () => watch.isFollowing);
  assert.deepEqual(house.told, ['b', 'c', 'd', 'following']);
});

test('what is listed or was missed is read as it comes, and only what changes then may come together', async (t) => {
  const { house, answer, until } = await resumed(t, { quietMs: NEVER_MS });
  answer.event('ADDED', scripted('b', '10')).bookmark('20');
  await until('followed', () => house.told.includes('following'));
  answer.event('ADDED', scripted('c', '21'));
  await until('told', () => house.told.includes('c'));
  assert.deepEqual(house.mayRest, [false, false, true]);
});

test('where nothing more comes for a moment, nothing was missed', async (t) => {
  const { house, until } = await resumed(t, { quietMs: 1 });
  await until('followed', () => house.told.includes('following'));
});

test('a cluster that is never quiet counts as followed after some seconds', async (t) => {
  const { house, watch, answer, until } = await resumed(t, { quietMs: NEVER_MS });
  answer.event('ADDED', scripted('b', '10'));
  await until('told', () => house.told.length === 1);
  house.skewMs = 10_000;
  answer.event('ADDED', scripted('c', '11'));
  await until('followed', () => watch.isFollowing);
});

test('a watch that breaks off again while it catches up is not followed', async (t) => {
  const { house, watch, answer, until } = await resumed(t, { quietMs: NEVER_MS });
  answer.event('ERROR', { kind: 'Status', code: 500 });
  await until('in trouble', () => watch.trouble !== undefined);
  assert.deepEqual([house.told, watch.isFollowing], [[], false]);
});
