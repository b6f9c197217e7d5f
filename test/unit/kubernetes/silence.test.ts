import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { ApiClient } from '../../../src/kubernetes/api-client.ts';
import { ApiError } from '../../../src/kubernetes/api-error.ts';
import { Silence } from '../../../src/kubernetes/silence.ts';

const SILENT_MS = 90_000;

/** A watch that is waited for, by a clock of the test's own; each question to the server waits for its answer. */
function wait(t: TestContext) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const asked: PromiseWithResolvers<object>[] = [];
  const lost: string[] = [];
  const client = {
    get(): Promise<object> {
      const answer = Promise.withResolvers<object>();
      asked.push(answer);
      return answer.promise;
    },
  };
  const silence = new Silence({
    client: client as unknown as ApiClient,
    kind: { resource: 'things', path: '/things' },
    silentMs: SILENT_MS,
    seen: () => '10',
    onLost: ({ trouble }) => lost.push(trouble),
  });
  t.after(() => silence.end());
  silence.begin();
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  return { silence, asked, lost, settle, pass: (ms: number) => t.mock.timers.tick(ms) };
}

test('after a silence the server is asked, and again after the next; one that is not back at what was seen is left', async (t) => {
  const { asked, lost, settle, pass } = wait(t);
  pass(SILENT_MS);
  asked[0]!.resolve({ metadata: { resourceVersion: '10' } });
  await settle();
  pass(SILENT_MS);
  assert.deepEqual([asked.length, lost], [2, []]);
  asked[1]!.resolve({ metadata: { resourceVersion: '9' } });
  await settle();
  assert.deepEqual(lost, ['expired']);
});

test('a question that fails while the watch speaks again ends nothing, and the next silence is asked after as the first', async (t) => {
  const { silence, asked, lost, settle, pass } = wait(t);
  pass(SILENT_MS);
  silence.came();
  asked[0]!.reject(new ApiError('unreachable', 'no'));
  await settle();
  assert.deepEqual(lost, []);
  pass(SILENT_MS);
  assert.equal(asked.length, 2);
  asked[1]!.reject(new ApiError('unreachable', 'no'));
  await settle();
  assert.deepEqual(lost, ['unreachable']);
});

test('what was asked for one watch says nothing of the next', async (t) => {
  const { silence, asked, lost, settle, pass } = wait(t);
  pass(SILENT_MS);
  silence.begin();
  asked[0]!.reject(new ApiError('unreachable', 'no'));
  await settle();
  assert.deepEqual(lost, []);
});
