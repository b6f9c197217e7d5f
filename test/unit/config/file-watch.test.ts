import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { FileWatch } from '../../../src/config/file-watch.ts';

/** A folder, and a watch on `name` in it that counts; `changed()` waits for the next change. */
function watched(t: TestContext, name: string, content: string | undefined, pollMs: number) {
  const folder = mkdtempSync(join(tmpdir(), 'signpost-watch-'));
  let next = Promise.withResolvers<void>();
  let changes = 0;
  const start = (): void => {
    const onChange = (): void => {
      changes++;
      next.resolve();
      next = Promise.withResolvers();
    };
    const watch = new FileWatch(join(folder, name), content, onChange, { pollMs, settleMs: 10 });
    // The watch keeps no process alive; the test has to.
    const alive = setInterval(() => {}, 1000);
    t.after(() => {
      clearInterval(alive);
      watch.close();
      rmSync(folder, { recursive: true });
    });
  };
  return { folder, start, changed: () => next.promise, count: () => changes };
}

const NEVER_MS = 1_000_000;

test('a file that is written in place is noticed', async (t) => {
  const { folder, start, changed } = watched(t, 'resolv.conf', 'a', NEVER_MS);
  writeFileSync(join(folder, 'resolv.conf'), 'a');
  start();
  const change = changed();
  writeFileSync(join(folder, 'resolv.conf'), 'b');
  await change;
});

test('a file that is replaced by renaming is noticed, each time', async (t) => {
  const { folder, start, changed } = watched(t, 'resolv.conf', 'a', NEVER_MS);
  writeFileSync(join(folder, 'resolv.conf'), 'a');
  start();
  for (const text of ['b', 'c']) {
    const change = changed();
    writeFileSync(join(folder, 'new'), text);
    renameSync(join(folder, 'new'), join(folder, 'resolv.conf'));
    await change;
  }
});

test('a folder that is swapped behind a symlink, as Kubernetes does with a ConfigMap, is noticed', async (t) => {
  const { folder, start, changed } = watched(t, 'resolv.conf', 'a', NEVER_MS);
  for (const [version, text] of [
    ['v1', 'a'],
    ['v2', 'b'],
  ] as const) {
    mkdirSync(join(folder, version));
    writeFileSync(join(folder, version, 'resolv.conf'), text);
  }
  symlinkSync('v1', join(folder, '..data'));
  symlinkSync('..data/resolv.conf', join(folder, 'resolv.conf'));
  start();
  const change = changed();
  symlinkSync('v2', join(folder, '..next'));
  renameSync(join(folder, '..next'), join(folder, '..data'));
  await change;
});

test('a change in a folder that is not watched is noticed by comparing', async (t) => {
  const { folder, start, changed } = watched(t, join('etc', 'resolv.conf'), 'a', 10);
  mkdirSync(join(folder, 'etc'));
  mkdirSync(join(folder, 'run'));
  writeFileSync(join(folder, 'run', 'stub'), 'a');
  symlinkSync('../run/stub', join(folder, 'etc', 'resolv.conf'));
  start();
  const change = changed();
  writeFileSync(join(folder, 'run', 'stub'), 'b');
  await change;
});

test('a change between reading and watching is noticed', async (t) => {
  const { folder, start, changed } = watched(t, 'resolv.conf', 'what was read', 10);
  writeFileSync(join(folder, 'resolv.conf'), 'what it is now');
  const change = changed();
  start();
  await change;
});

test('a file that goes and one that comes are changes, and a missing folder is only slow', async (t) => {
  const { folder, start, changed, count } = watched(t, join('etc', 'resolv.conf'), undefined, 10);
  start();
  let change = changed();
  mkdirSync(join(folder, 'etc'));
  writeFileSync(join(folder, 'etc', 'resolv.conf'), 'a');
  await change;
  change = changed();
  rmSync(join(folder, 'etc', 'resolv.conf'));
  await change;
  assert.ok(count() >= 2);
});

test('the same content, written again, is no change', async (t) => {
  const { folder, start, changed, count } = watched(t, 'resolv.conf', 'a', NEVER_MS);
  writeFileSync(join(folder, 'resolv.conf'), 'a');
  start();
  const change = changed();
  renameSync(join(folder, 'resolv.conf'), join(folder, 'aside'));
  renameSync(join(folder, 'aside'), join(folder, 'resolv.conf'));
  writeFileSync(join(folder, 'new'), 'b');
  renameSync(join(folder, 'new'), join(folder, 'resolv.conf'));
  await change;
  assert.equal(count(), 1);
});
