import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  constants,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { FileWatch, type FileWatchOptions } from '../../../src/config/file-watch.ts';
import { fingerprint, folderKey, NO_FILE } from '../../../src/config/fingerprint.ts';
import { ConfigMapFolder } from '../../servers/config-map-folder.ts';

const NEVER_MS = 1_000_000;

/** A folder, and a watch on files in it that counts; `changed()` waits for the next change. */
function watched(t: TestContext, options: FileWatchOptions) {
  const folder = mkdtempSync(join(tmpdir(), 'signpost-watch-'));
  let next = Promise.withResolvers<void>();
  let changes = 0;
  const onChange = (): void => {
    changes++;
    next.resolve();
    next = Promise.withResolvers();
  };
  const watch = new FileWatch(onChange, { settleMs: 10, goneMs: 50, ...options });
  // The watch keeps no process alive; the test has to.
  const alive = setInterval(() => {}, 1000);
  t.after(() => {
    clearInterval(alive);
    watch.close();
    rmSync(folder, { recursive: true });
  });
  return {
    folder,
    watch,
    /** Watches files by name, which had these contents when they were read. */
    follow: (contents: Record<string, string | undefined>) =>
      watch.follow(
        new Map(
          Object.entries(contents).map(([name, text]) => [
            join(folder, name),
            text === undefined ? NO_FILE : fingerprint(text),
          ]),
        ),
      ),
    write: (name: string, text: string) => writeFileSync(join(folder, name), text),
    replace: (name: string, text: string) => {
      writeFileSync(join(folder, 'new'), text);
      renameSync(join(folder, 'new'), join(folder, name));
    },
    changed: () => next.promise,
    count: () => changes,
  };
}

test('a file that is written in place is noticed', async (t) => {
  const { follow, write, changed } = watched(t, { pollMs: NEVER_MS });
  write('resolv.conf', 'a');
  follow({ 'resolv.conf': 'a' });
  write('resolv.conf', 'b');
  await changed();
});

test('a file that is replaced by renaming is noticed, each time', async (t) => {
  const { follow, replace, write, changed } = watched(t, { pollMs: NEVER_MS });
  write('resolv.conf', 'a');
  follow({ 'resolv.conf': 'a' });
  for (const text of ['b', 'c']) {
    const change = changed();
    replace('resolv.conf', text);
    await change;
  }
});

test('several files that change together are one change', async (t) => {
  const { follow, write, changed, count } = watched(t, { pollMs: NEVER_MS });
  for (const name of ['one', 'two', 'three']) write(name, 'a');
  follow({ one: 'a', two: 'a', three: 'a' });
  for (const name of ['one', 'two', 'three']) write(name, 'b');
  await changed();
  const change = changed();
  write('one', 'c');
  await change;
  assert.equal(count(), 2);
});

test('a ConfigMap that kubelet swaps is one change, fifty times over, and all its files are of one version', async (t) => {
  const { folder, watch, changed, count } = watched(t, { pollMs: NEVER_MS });
  const configMap = new ConfigMapFolder(folder);
  configMap.swap({ one: 'v0', two: 'v0' });
  const read = () =>
    new Map(['one', 'two'].map((name) => [join(folder, name), fingerprint(readFileSync(join(folder, name), 'utf8'))]));
  watch.follow(read());
  for (let version = 1; version <= 50; version++) {
    const change = changed();
    configMap.swap({ one: `v${version}`, two: `v${version}` });
    await change;
    assert.equal(new Set(read().values()).size, 1);
    watch.follow(read());
  }
  assert.equal(count(), 50);
});

test('a change in a folder that is not watched is noticed by comparing', async (t) => {
  const { folder, follow, write, changed } = watched(t, { pollMs: 10 });
  mkdirSync(join(folder, 'etc'));
  mkdirSync(join(folder, 'run'));
  write('run/stub', 'a');
  symlinkSync('../run/stub', join(folder, 'etc', 'resolv.conf'));
  follow({ 'etc/resolv.conf': 'a' });
  const change = changed();
  write('run/stub', 'b');
  await change;
});

test('a change between reading and watching is noticed', async (t) => {
  const { follow, write, changed } = watched(t, { pollMs: 10 });
  write('resolv.conf', 'what it is now');
  const change = changed();
  follow({ 'resolv.conf': 'what was read' });
  await change;
});

test('a file that goes for good and one that comes are changes, and a missing folder is only slow', async (t) => {
  const { folder, follow, write, changed, count } = watched(t, { pollMs: 10 });
  follow({ 'etc/resolv.conf': undefined });
  let change = changed();
  mkdirSync(join(folder, 'etc'));
  write('etc/resolv.conf', 'a');
  await change;
  change = changed();
  rmSync(join(folder, 'etc', 'resolv.conf'));
  await change;
  assert.equal(count(), 2);
});

test('a folder that another one takes the place of is watched anew', async (t) => {
  const { folder, follow, write, changed } = watched(t, { pollMs: 20 });
  mkdirSync(join(folder, 'etc'));
  write('etc/file', 'a');
  follow({ 'etc/file': 'a' });
  for (const text of ['b', 'c']) {
    const change = changed();
    renameSync(join(folder, 'etc'), join(folder, `old-${text}`));
    mkdirSync(join(folder, 'etc'));
    write('etc/file', text);
    await change;
  }
});

test('a file that is gone for a moment, and comes back as it was, is no change', async (t) => {
  const { folder, follow, write, changed, count } = watched(t, { pollMs: NEVER_MS, goneMs: 1000 });
  write('stubDomains', 'a');
  follow({ stubDomains: 'a' });
  const change = changed();
  rmSync(join(folder, 'stubDomains'));
  // So that a look finds nothing.
  await sleep(50);
  write('stubDomains', 'a');
  await sleep(50);
  write('stubDomains', 'b');
  await change;
  assert.equal(count(), 1);
});

test('a file has to stay away for its whole time, also where something happened in its folder during the look', async (t) => {
  const { folder, follow, watch, write, count } = watched(t, { pollMs: NEVER_MS, goneMs: NEVER_MS });
  const pipe = join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  // It stands for a file that takes long to read.
  follow({ stubDomains: 'a', pipe: '' });
  let writer = -1;
  await until(() => {
    writer = openWhereRead(pipe);
    return writer !== -1;
  });
  write('log', 'a');
  await sleep(30);
  closeSync(writer);
  // By then a look that comes too soon has come.
  await sleep(100);
  watch.close();
  const reader = openWhereRead(pipe);
  if (reader !== -1) closeSync(reader);
  assert.equal(reader, -1);
  assert.equal(count(), 0);
});

test('a file that is deleted and written anew is one change', async (t) => {
  const { folder, follow, write, changed, count } = watched(t, { pollMs: NEVER_MS });
  write('stubDomains', 'a');
  follow({ stubDomains: 'a' });
  const change = changed();
  rmSync(join(folder, 'stubDomains'));
  write('stubDomains', 'b');
  await change;
  assert.equal(count(), 1);
});

test('a file that comes into a folder whose names were read is a change, and what is in it is none', async (t) => {
  const { folder, watch, write, changed, count } = watched(t, { pollMs: NEVER_MS });
  write('a.conf', 'a');
  watch.follow(new Map([[folderKey(folder), fingerprint(['a.conf'])]]));
  write('a.conf', 'b');
  const change = changed();
  write('b.conf', 'a');
  await change;
  assert.equal(count(), 1);
});

test('the same content, written again, is no change', async (t) => {
  const { folder, follow, write, replace, changed, count } = watched(t, { pollMs: NEVER_MS });
  write('resolv.conf', 'a');
  follow({ 'resolv.conf': 'a' });
  const change = changed();
  renameSync(join(folder, 'resolv.conf'), join(folder, 'aside'));
  renameSync(join(folder, 'aside'), join(folder, 'resolv.conf'));
  replace('resolv.conf', 'b');
  await change;
  assert.equal(count(), 1);
});

test('files named newly are watched, and those named no more are let go, with what the kernel holds for them', async (t) => {
  const { folder, follow, write, watch, changed } = watched(t, { pollMs: NEVER_MS });
  const before = inotifyWatches();
  for (let i = 0; i < 100; i++) {
    mkdirSync(join(folder, `${i}`));
    write(`${i}/file`, 'a');
    follow({ [`${i}/file`]: 'a' });
    await until(() => inotifyWatches() === before + 1);
  }
  const change = changed();
  write('99/file', 'b');
  await change;
  watch.close();
  await until(() => inotifyWatches() === before);
});

/** The end of a pipe that somebody reads, or -1. */
function openWhereRead(pipe: string): number {
  try {
    return openSync(pipe, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch {
    return -1;
  }
}

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await sleep(2);
}

/** Folders that this process watches, as the kernel tells. */
function inotifyWatches(): number {
  const folder = '/proc/self/fd';
  const descriptors = readdirSync(folder).filter((fd) => {
    try {
      return readlinkSync(join(folder, fd)) === 'anon_inode:inotify';
    } catch {
      return false;
    }
  });
  return descriptors
    .map((fd) => readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8').match(/^inotify /gm)?.length ?? 0)
    .reduce((sum, count) => sum + count, 0);
}
