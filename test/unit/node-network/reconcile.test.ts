import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Reconcile } from '../../../src/node-network/reconcile.ts';

/** Timers and `performance.now` that the test moves. */
function scene(t: TestContext, restMs = 1000) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let nowMs = 0;
  t.mock.method(performance, 'now', () => nowMs);
  const looks: (() => void)[] = [];
  const reconcile = new Reconcile({
    restMs,
    look: () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      looks.push(resolve);
      return promise;
    },
  });
  const pass = (ms: number) => {
    nowMs += ms;
    t.mock.timers.tick(ms);
  };
  const end = async () => {
    looks.at(-1)!();
    for (let turn = 0; turn < 5; turn++) await Promise.resolve();
  };
  return { reconcile, looks, pass, end };
}

test('looks come now and then without news, from the end of the one before', async (t) => {
  const { reconcile, looks, pass, end } = scene(t);
  reconcile.start(30_000);
  pass(30_000);
  assert.equal(looks.length, 1);
  await end();
  pass(29_999);
  assert.equal(looks.length, 1);
  pass(1);
  assert.equal(looks.length, 2);
});

test('many news are one look, soon', (t) => {
  const { reconcile, looks, pass } = scene(t);
  reconcile.start(30_000);
  for (let i = 0; i < 100; i++) reconcile.news();
  pass(100);
  assert.equal(looks.length, 1);
});

test('news that never end cost one look in each time of rest', async (t) => {
  const { reconcile, looks, pass, end } = scene(t, 1000);
  reconcile.start(30_000);
  for (let ms = 0; ms < 10_000; ms += 50) {
    const before = looks.length;
    reconcile.news();
    pass(50);
    if (looks.length > before) await end();
  }
  assert.ok(looks.length >= 9 && looks.length <= 11, `${looks.length}`);
});

test('news while a look is under way bring another one after it', async (t) => {
  const { reconcile, looks, pass, end } = scene(t);
  reconcile.start(30_000);
  reconcile.news();
  pass(100);
  reconcile.news();
  pass(100);
  assert.equal(looks.length, 1);
  await end();
  pass(1000);
  assert.equal(looks.length, 2);
});

test('news while looks are under way cost no more than a look in each time of rest', async (t) => {
  const { reconcile, looks, pass, end } = scene(t, 1000);
  reconcile.start(30_000);
  reconcile.news();
  pass(100);
  for (let look = 1; look <= 50; look++) {
    reconcile.news();
    pass(200);
    await end();
    pass(999);
    assert.equal(looks.length, look);
    pass(1);
    assert.equal(looks.length, look + 1);
  }
});

test('after stopping no look begins, and one under way is waited for', async (t) => {
  const { reconcile, looks, pass, end } = scene(t);
  reconcile.start(30_000);
  reconcile.news();
  pass(100);
  let hasStopped = false;
  const stopped = reconcile.stop().then(() => {
    hasStopped = true;
  });
  await Promise.resolve();
  assert.equal(hasStopped, false);
  await end();
  await stopped;
  reconcile.news();
  pass(60_000);
  assert.equal(looks.length, 1);
});
