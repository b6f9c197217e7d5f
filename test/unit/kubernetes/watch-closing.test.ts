import assert from 'node:assert/strict';
import { test } from 'node:test';
import { monotonicClock } from '../../../src/core/clock.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import type { ApiClient } from '../../../src/kubernetes/api-client.ts';
import { Watch, type WatchSink } from '../../../src/kubernetes/watch.ts';
import { type ScriptedObject, scripted } from '../../servers/scripted-api.ts';

test('a watch that is closed by what it tells says nothing more, whatever came with that', async () => {
  const ended = Promise.withResolvers<void>();
  async function* body() {
    const end = { metadata: { resourceVersion: '9', annotations: { 'k8s.io/initial-events-end': 'true' } } };
    const events = ['a', 'b'].map((name) => ({ type: 'ADDED', object: scripted(name, '3') }));
    try {
      yield Buffer.from(
        [...events, { type: 'BOOKMARK', object: end }].map((event) => JSON.stringify(event)).join('\n'),
      );
    } finally {
      ended.resolve();
    }
  }
  const client = { stream: async () => body() } as unknown as ApiClient;
  const told: string[] = [];
  const sink: WatchSink<ScriptedObject> = {
    onListing() {},
    onListed: () => void told.push('listed'),
    onObject({ metadata }) {
      told.push(metadata.name);
      watch.close();
    },
    onDeleted() {},
  };
  const parts = { client, clock: monotonicClock, log: silentLogger, purpose: 'a test' };
  const onFollowing = () => void told.push('following');
  const watch = new Watch<ScriptedObject>({ resource: 'things', path: '/things' }, sink, { ...parts, onFollowing });
  watch.start();
  await ended.promise;
  assert.deepEqual(told, ['a']);
});
