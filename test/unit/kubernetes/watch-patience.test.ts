import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { WATCH_OBJECT_BYTES } from '../../../src/core/limits.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import type { ApiClient } from '../../../src/kubernetes/api-client.ts';
import { ApiError } from '../../../src/kubernetes/api-error.ts';
import type { ApiObject } from '../../../src/kubernetes/api-objects.ts';
import { Watch } from '../../../src/kubernetes/watch.ts';

/** How often the API server is asked in an hour where it answers so, by a clock of the test's own. */
async function requestsInAnHour(t: TestContext, answer: () => AsyncIterable<Uint8Array>): Promise<number> {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let requests = 0;
  let nowMs = 0;
  const client = {
    async stream(): Promise<AsyncIterable<Uint8Array>> {
      requests++;
      return answer();
    },
  };
  const sink = { onListing() {}, onListed() {}, onObject() {}, onDeleted() {} };
  const parts = { client: client as unknown as ApiClient, clock: { nowMs: () => nowMs }, log: silentLogger };
  const watch = new Watch<ApiObject>({ resource: 'things', path: '/things' }, sink, { ...parts, purpose: 'a test' });
  t.after(() => watch.close());
  watch.start();
  for (let second = 0; second < 3600; second++) {
    nowMs += 1000;
    t.mock.timers.tick(1000);
    for (let turns = 0; turns < 4; turns++) await new Promise(setImmediate);
  }
  return requests;
}

test('what is forbidden is asked for every few minutes', async (t) => {
  const requests = await requestsInAnHour(t, () => {
    throw new ApiError('forbidden', 'no');
  });
  assert.ok(requests > 10 && requests < 40, `${requests}`);
});

test('an object that is too long to be read is not fetched by every node every half minute', async (t) => {
  const piece = Buffer.alloc(64 * 1024, '<');
  async function* tooLong(): AsyncGenerator<Uint8Array, void> {
    yield Buffer.from('{"type":"ADDED","object":{"kind":"');
    for (let sent = 0; sent <= WATCH_OBJECT_BYTES.value; sent += piece.length) yield piece;
  }
  const requests = await requestsInAnHour(t, tooLong);
  assert.ok(requests > 10 && requests < 40, `${requests}`);
});

test('a server that is away is asked for twice a minute at the least', async (t) => {
  const requests = await requestsInAnHour(t, () => {
    throw new ApiError('unreachable', 'no');
  });
  assert.ok(requests >= 120, `${requests}`);
});
