import assert from 'node:assert/strict';
import {
  chmodSync,
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { SavedImage } from '../../../src/cache/image-writer.ts';
import type { Logger } from '../../../src/core/logger.ts';
import { Snapshot, type SnapshotImage } from '../../../src/handover/snapshot.ts';
import { encodeName } from '../../client/message.ts';
import { a, damage, ImageHouse, scratch } from '../cache/image-house.ts';

const WEB = 'web.example.com';
const ADDRESS = '0a000001 60';

/** A process with a cache, its snapshot, and what it has logged. */
class Process {
  readonly images = new ImageHouse();
  readonly warned: string[] = [];
  readonly told: string[] = [];
  readonly snapshot: Snapshot;

  constructor(folder: string, save?: (fd: number, images: ImageHouse) => Promise<SavedImage>) {
    const { images, told, warned } = this;
    const { cache } = images.house;
    const log: Logger = {
      debug() {},
      info: (_fields, message) => void told.push(message),
      warn: (fields, message) => void warned.push(`${message}: ${JSON.stringify(fields)}`),
      error: (_fields, message) => void warned.push(message),
    };
    const image: SnapshotImage = {
      get stored() {
        return cache.stored;
      },
      get generation() {
        return cache.generation;
      },
      save: (fd, options) => save?.(fd, images) ?? images.saveTo(fd, options),
      load: (fd, signal) => images.loadFrom(fd, signal),
    };
    this.snapshot = new Snapshot({ folder, log, image, everyMs: 3_600_000, againMs: 3_600_000 });
    cache.onDrop = () => this.snapshot.spoil();
    this.snapshot.start();
  }

  learn(...names: string[]): void {
    for (const name of names) this.images.learn(name, a(name, '10.0.0.1'));
  }
}

test('what a process knew at its end, the next one knows', async (t) => {
  const folder = join(await scratch(t), 'not', 'there', 'yet');
  const before = new Process(folder);
  before.learn(WEB);
  await before.snapshot.close();
  assert.equal(statSync(before.snapshot.path).mode & 0o777, 0o600);
  const after = new Process(folder);
  await after.snapshot.load();
  assert.equal(after.images.cached(WEB), ADDRESS);
  assert.deepEqual([after.snapshot.loaded, after.warned], [1, []]);
  await after.snapshot.close();
});

test('without a snapshot a process starts with an empty cache, and says nothing', async (t) => {
  const { snapshot, warned, told } = new Process(await scratch(t));
  await snapshot.load();
  await snapshot.close();
  assert.deepEqual([warned, told], [[], []]);
});

test('it is written when there is something new, and not else', async (t) => {
  const { snapshot, ...process } = new Process(await scratch(t));
  process.images.learn(WEB, a(WEB, '10.0.0.1'));
  await snapshot.save();
  const { ino } = statSync(snapshot.path);
  await snapshot.save();
  assert.equal(statSync(snapshot.path).ino, ino);
  process.images.learn('new.example.com', a('new.example.com', '10.0.0.1'));
  await snapshot.close();
  assert.notEqual(statSync(snapshot.path).ino, ino);
  assert.deepEqual([snapshot.saved, snapshot.entries], [2, 2]);
});

test('when a zone is dropped the file goes at once, and the next one is without it', async (t) => {
  const folder = await scratch(t);
  const process = new Process(folder);
  process.learn(WEB, 'web.example.org');
  await process.snapshot.save();
  process.images.house.flush.flush(encodeName('example.com'), 'update');
  // Behind whatever is under way.
  await process.snapshot.load();
  assert.equal(existsSync(process.snapshot.path), false);
  await process.snapshot.close();
  const after = new Process(folder);
  await after.snapshot.load();
  assert.equal(after.images.cached(WEB), '');
  assert.equal(after.images.cached('web.example.org'), ADDRESS);
  await after.snapshot.close();
});

test('what is dropped while it is written does not come to be on the disk', async (t) => {
  const folder = await scratch(t);
  const process = new Process(folder, async (fd, images) => {
    const saved = await images.saveTo(fd);
    images.house.flush.flush(encodeName('example.com'), 'update');
    return saved;
  });
  process.learn(WEB);
  await process.snapshot.save();
  assert.deepEqual(readdirSync(folder), []);
  assert.equal(process.snapshot.saved, 0);
  process.snapshot.pause();
});

test('a snapshot that is damaged, foreign, of another version, or open to others is named, ignored and replaced', async (t) => {
  const reasons: [change: (path: string) => void, code: string][] = [
    [(path) => damage(path, (octets) => void octets.fill(7, 200, 204)), 'ERR_IMAGE_CORRUPT'],
    [(path) => damage(path, (octets) => octets.subarray(0, octets.length - 40)), 'ERR_IMAGE_CORRUPT'],
    [(path) => writeFileSync(path, ''), 'ERR_IMAGE_FOREIGN'],
    [(path) => writeFileSync(path, 'nameserver 192.0.2.1\n'), 'ERR_IMAGE_FOREIGN'],
    [(path) => damage(path, (octets) => void octets.writeUInt32LE(99, 16)), 'ERR_IMAGE_VERSION'],
    [(path) => chmodSync(path, 0o666), 'ERR_SNAPSHOT_OWNER'],
  ];
  for (const [change, code] of reasons) {
    const folder = await scratch(t);
    const before = new Process(folder);
    before.learn(WEB);
    await before.snapshot.close();
    change(before.snapshot.path);
    const after = new Process(folder);
    await after.snapshot.load();
    assert.equal(after.warned.length, 1);
    assert.ok(after.warned[0]!.includes(code) && after.warned[0]!.includes(after.snapshot.path), code);
    assert.equal(after.images.cached(WEB), '');
    after.learn(WEB);
    await after.snapshot.close();
    const last = new Process(folder);
    await last.snapshot.load();
    assert.deepEqual([last.images.cached(WEB), last.warned], [ADDRESS, []]);
    await last.snapshot.close();
  }
});

test('a link in its place is neither followed nor written through', async (t) => {
  const folder = await scratch(t);
  const other = join(await scratch(t), 'other');
  const before = new Process(folder);
  symlinkSync(other, before.snapshot.path);
  writeFileSync(other, 'of somebody else');
  await before.snapshot.load();
  assert.equal(before.warned.length, 1);
  before.learn(WEB);
  await before.snapshot.close();
  assert.equal(readFileSync(other, 'utf8'), 'of somebody else');
  assert.equal(statSync(before.snapshot.path).isFile(), true);
});

test('without room on the disk the last one stays, one line says so, and another that it is over', async (t) => {
  const folder = await scratch(t);
  const before = new Process(folder);
  before.learn(WEB);
  await before.snapshot.close();
  const old = readFileSync(before.snapshot.path);
  let isFull = true;
  const full = new Process(folder, (fd, images) => {
    if (!isFull) return images.saveTo(fd);
    const noRoom = openSync('/dev/full', 'w');
    return images.saveTo(noRoom).finally(() => closeSync(noRoom));
  });
  full.learn(WEB, 'more.example.com');
  await full.snapshot.save();
  await full.snapshot.save();
  assert.deepEqual(readFileSync(full.snapshot.path), old);
  assert.deepEqual(readdirSync(folder).length, 1);
  assert.deepEqual([full.warned.length, full.snapshot.failed, full.snapshot.saved], [1, 2, 0]);
  assert.match(full.warned[0]!, /cannot write.*ENOSPC/);
  isFull = false;
  await full.snapshot.close();
  assert.deepEqual([full.told, full.snapshot.saved], [['snapshot of the cache written again'], 1]);
});

test('a folder that cannot be had is said once, and keeps nobody from serving', async () => {
  const { snapshot, images, warned } = new Process('/dev/null/state');
  await snapshot.load();
  images.learn(WEB, a(WEB, '10.0.0.1'));
  await snapshot.save();
  await snapshot.save();
  await snapshot.close();
  assert.equal(warned.filter((line) => line.startsWith('cannot write')).length, 1);
  assert.ok(warned.length <= 2 && snapshot.failed >= 3);
  assert.equal(images.cached(WEB), ADDRESS);
});

test('a process that has handed over writes no more', async (t) => {
  const folder = await scratch(t);
  const process = new Process(folder);
  process.learn(WEB);
  process.snapshot.pause();
  await process.snapshot.close();
  assert.deepEqual(readdirSync(folder), []);
});

test('one that hands over while it writes leaves what is there by then to the successor', async (t) => {
  const folder = await scratch(t);
  const process: Process = new Process(folder, async (fd, images) => {
    const saved = await images.saveTo(fd);
    process.snapshot.pause();
    return saved;
  });
  process.learn(WEB);
  await process.snapshot.save();
  assert.deepEqual(readdirSync(folder), []);
  assert.equal(process.snapshot.saved, 0);
});

test('what a killed process left half written is swept away, what another is writing is not', async (t) => {
  const folder = await scratch(t);
  const [left, fresh] = [join(folder, 'cache.image.0123abcd.part'), join(folder, 'cache.image.89abcdef.part')];
  for (const path of [left, fresh]) writeFileSync(path, 'half');
  utimesSync(left, 1, 1);
  const { snapshot } = new Process(folder);
  while (existsSync(left)) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(existsSync(fresh), true);
  await snapshot.close();
});
