import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { encodeName } from '../../client/message.ts';
import { a, ImageHouse, nxdomain, scratch } from './image-house.ts';

const WEB = 'web.example.com';
const ADDRESS = '0a000001';

test('what one process knew, another one with a secret and a clock of its own answers', async (t) => {
  const path = join(await scratch(t), 'image');
  const before = new ImageHouse({ seed: 1 });
  const after = new ImageHouse({ seed: 2 });
  before.learn(WEB, a(WEB, '10.0.0.1'));
  before.learn('gone.example.com', nxdomain('example.com'));
  before.learn('db.default.svc.cluster.local', a('db.default.svc.cluster.local', '10.0.0.1', 20));
  after.house.clock.advance(5_000_000);
  const saved = await before.save(path);
  const loaded = await after.load(path);
  assert.deepEqual([saved.entries, loaded.entries, loaded.bytes], [3, 3, saved.bytes]);
  assert.equal(after.cached(WEB), `${ADDRESS} 60`);
  assert.equal(after.cached('WEB.Example.com'), `${ADDRESS} 60`);
  assert.equal(after.cached('gone.example.com'), 'NXDOMAIN');
  assert.equal(after.cached('gone.example.com', 'AAAA'), 'NXDOMAIN', 'for every type');
  assert.equal(after.cached('db.default.svc.cluster.local'), `${ADDRESS} 20`);
  assert.equal(after.house.cache.denials, 1);
});

test('a life goes on where it was, and TTLs with it', async (t) => {
  const path = join(await scratch(t), 'image');
  const before = new ImageHouse();
  before.learn(WEB, a(WEB, '10.0.0.1'));
  before.house.pass(20_500);
  before.time = { bootId: 'one', bootMs: 1000, wallMs: 0 };
  await before.save(path);
  const after = new ImageHouse();
  after.time = { bootId: 'one', bootMs: 11_000, wallMs: -1e9 };
  await after.load(path);
  assert.equal(after.cached(WEB), `${ADDRESS} 30`);
  after.house.pass(29_000);
  assert.equal(after.cached(WEB), `${ADDRESS} 1`);
  after.house.pass(1000);
  assert.equal(after.cached(WEB), `${ADDRESS} 30`, 'stale');
});

test('what this process has learnt itself stays, and a failure gives way', async (t) => {
  const path = join(await scratch(t), 'image');
  const before = new ImageHouse();
  before.learn(WEB, a(WEB, '10.0.0.1'));
  before.learn('back.example.com', nxdomain('example.com'));
  before.learn('down.example.com', a('down.example.com', '10.0.0.1'));
  await before.save(path);
  const after = new ImageHouse();
  after.learn(WEB, a(WEB, '10.0.0.2', 5));
  after.learn('back.example.com', a('back.example.com', '10.0.0.2', 5));
  after.house.ask({ name: 'down.example.com', type: 'A' });
  after.house.outside.fail('timeout');
  const loaded = await after.load(path);
  assert.deepEqual([loaded.entries, loaded.known], [1, 2]);
  assert.equal(after.cached(WEB), '0a000002 5');
  assert.equal(after.cached('back.example.com', 'AAAA'), '', 'the name exists');
  assert.equal(after.cached('down.example.com'), `${ADDRESS} 60`);
});

test('an image of what changed since takes the place of what the first one brought', async (t) => {
  const folder = await scratch(t);
  const before = new ImageHouse();
  const after = new ImageHouse();
  before.learn(WEB, a(WEB, '10.0.0.1', 4));
  before.learn('same.example.com', a('same.example.com', '10.0.0.1'));
  before.learn('new.example.com', nxdomain('example.com', 4));
  const first = await before.save(join(folder, 'first'));
  await after.load(join(folder, 'first'));
  before.house.pass(4000);
  before.learn(WEB, a(WEB, '10.0.0.3', 5));
  before.learn('new.example.com', a('new.example.com', '10.0.0.3', 5));
  const second = await before.save(join(folder, 'second'), { since: first });
  const loaded = await after.load(join(folder, 'second'));
  assert.deepEqual([second.entries, second.replaces, loaded.entries], [2, false, 2]);
  assert.equal(after.cached(WEB), '0a000003 5');
  assert.equal(after.cached('new.example.com'), '0a000003 5');
  assert.equal(after.cached('new.example.com', 'AAAA'), '', 'that it does not exist is forgotten');
  assert.equal(after.cached('same.example.com'), `${ADDRESS} 60`);
});

test('what was dropped between two images is gone with the second', async (t) => {
  const folder = await scratch(t);
  const before = new ImageHouse();
  const after = new ImageHouse();
  before.learn('old.example.com', a('old.example.com', '10.0.0.1'));
  before.learn('web.example.org', a('web.example.org', '10.0.0.1'));
  const first = await before.save(join(folder, 'first'));
  await after.load(join(folder, 'first'));
  before.house.flush.flush(encodeName('example.com'), 'update');
  const second = await before.save(join(folder, 'second'), { since: first });
  await after.load(join(folder, 'second'));
  assert.deepEqual([second.entries, second.replaces], [1, true]);
  assert.equal(after.cached('old.example.com'), '');
  assert.equal(after.cached('web.example.org'), `${ADDRESS} 60`);
});

test('what is dropped while an image is read does not come back', async (t) => {
  const path = join(await scratch(t), 'image');
  const before = new ImageHouse();
  for (let i = 0; i < 2000; i++) before.learn(`n${i}.example.com`, a(`n${i}.example.com`, '10.0.0.1'));
  before.learn('web.example.org', a('web.example.org', '10.0.0.1'));
  await before.save(path);
  const after = new ImageHouse();
  const loading = after.load(path);
  after.house.flush.flush(encodeName('example.com'), 'update');
  after.house.flush.flush(encodeName('example.net'), 'update');
  await new Promise((resolve) => setImmediate(resolve));
  after.house.flush.flush(encodeName('example.com'), 'update');
  await loading;
  for (let i = 0; i < 2000; i++) assert.equal(after.cached(`n${i}.example.com`), '');
  assert.equal(after.cached('web.example.org'), `${ADDRESS} 60`);
});

test('answers of a zone that is answered otherwise now are not taken over', async (t) => {
  const path = join(await scratch(t), 'image');
  const before = new ImageHouse({ edition: 'asks one' });
  before.learn(WEB, a(WEB, '10.0.0.1'));
  before.learn('db.default.svc.cluster.local', a('db.default.svc.cluster.local', '10.0.0.1', 20));
  await before.save(path);
  const after = new ImageHouse({ edition: 'asks another' });
  const loaded = await after.load(path);
  assert.deepEqual([loaded.entries, loaded.otherwise], [1, 1]);
  assert.equal(after.cached(WEB), '');
});

test('a cache that is too small takes what it has room for, and gives up nothing of its own', async (t) => {
  const path = join(await scratch(t), 'image');
  const before = new ImageHouse({ bytes: 4 << 20 });
  for (let i = 0; i < 9000; i++) before.learn(`n${i}.example.com`, a(`n${i}.example.com`, '10.0.0.1'));
  const saved = await before.save(path);
  assert.equal(saved.entries, 9000);
  const after = new ImageHouse({ bytes: 1 << 20 });
  after.learn(WEB, a(WEB, '10.0.0.2'));
  const loaded = await after.load(path);
  assert.ok(loaded.entries > 2000);
  assert.equal(loaded.entries + loaded.noRoom, 9000);
  assert.equal(after.house.cache.evictions, 0);
  assert.equal(after.cached(WEB), '0a000002 60');
  const part = await before.save(path, { mostBytes: 100_000 });
  assert.ok(part.bytes <= 100_000 && part.bytes > 90_000);
  assert.equal(part.entries + part.left, 9000);
  assert.equal((await new ImageHouse().load(path)).entries, part.entries);
});
