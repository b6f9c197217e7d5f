import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { a, ImageHouse, nxdomain, scratch } from '../../cache/image-house.ts';

const NAME = 'web.shop.svc.cluster.local';
const ABSENT = 'none.shop.svc.cluster.local';
const ADDRESS = '0a000001';

/** A process that hears of changes. */
function watched(): ImageHouse {
  const made = new ImageHouse();
  made.house.freshness.start();
  made.house.freshness.setFollowed(true);
  return made;
}

test('what a predecessor knew of a Service is not taken over where this process has heard of a change', async (t) => {
  const path = join(await scratch(t), 'image');
  const before = watched();
  before.learn(NAME, a(NAME, '10.0.0.1', 30));
  before.learn(ABSENT, nxdomain('cluster.local'));
  await before.save(path);
  const after = watched();
  after.house.freshness.serviceChanged('shop', 'none', 'service');
  await after.load(path);
  assert.equal(after.cached(NAME), `${ADDRESS} 5`);
  assert.equal(after.cached(ABSENT), '');
});

test('what is out of date is in no image', async (t) => {
  const path = join(await scratch(t), 'image');
  const before = watched();
  before.learn(NAME, a(NAME, '10.0.0.1', 30));
  before.house.freshness.serviceChanged('shop', 'web', 'endpoints');
  const { entries } = await before.save(path);
  assert.equal(entries, 0);
});

test('nor does it live long where it is loaded in a break of the watch, for nobody tells what changed before that began', async (t) => {
  const path = join(await scratch(t), 'image');
  const before = watched();
  before.learn(NAME, a(NAME, '10.0.0.1', 30));
  await before.save(path);
  const after = watched();
  after.house.freshness.setFollowed(false);
  await after.load(path);
  assert.equal(after.cached(NAME), `${ADDRESS} 5`);
});

test('a change after it was loaded drops it as any other', async (t) => {
  const path = join(await scratch(t), 'image');
  const before = watched();
  before.learn(NAME, a(NAME, '10.0.0.1', 30));
  await before.save(path);
  const after = watched();
  await after.load(path);
  after.house.freshness.serviceChanged('shop', 'web', 'endpoints');
  assert.equal(after.cached(NAME), '');
});

test('a "no" that lived long because changes were heard of is loaded for no longer than without', async (t) => {
  const path = join(await scratch(t), 'image');
  const before = watched();
  before.learn(ABSENT, nxdomain('cluster.local'));
  await before.save(path);
  const after = new ImageHouse();
  await after.load(path);
  assert.equal(after.cached(ABSENT), 'NXDOMAIN');
  after.house.pass(5001);
  assert.equal(after.cached(ABSENT), '');
});

test('when changes are heard of for the first time, what was known before lives for five seconds', async () => {
  const { house } = new ImageHouse();
  house.freshness.start();
  house.ask({ name: NAME, type: 'A' });
  house.cluster.answer(a(NAME, '10.0.0.1', 30));
  house.freshness.setFollowed(true);
  await new Promise(setImmediate);
  assert.equal(house.ask({ name: NAME, type: 'A' }).reply.answers[0]!.ttl, 5);
  house.pass(3000);
  house.ask({ name: NAME, type: 'A' });
  assert.equal(house.cluster.asked.length, 1, 'asked ahead, for it is popular');
  house.pass(2001);
  assert.equal(house.ask({ name: NAME, type: 'A' }).replies.length, 0);
});

test('what went out of date between two images is so for the one who has read the first', async (t) => {
  const path = join(await scratch(t), 'image');
  const before = watched();
  before.learn(NAME, a(NAME, '10.0.0.1', 30));
  const first = await before.save(path);
  const after = new ImageHouse();
  await after.load(path);
  before.house.freshness.serviceChanged('shop', 'web', 'endpoints');
  const second = await before.save(path, { since: first });
  await after.load(path);
  assert.equal(after.cached(NAME), '');
  const client = after.house.ask({ name: NAME, type: 'A' });
  after.house.pass(1000);
  assert.equal(client.replies.length, 0, 'no bridge for who merely waits');
  after.house.cluster.answer(a(NAME, '10.0.0.2', 30));
  await before.save(path, { since: second });
  await after.load(path);
  assert.equal(after.cached(NAME), '0a000002 30');
});

test('what a predecessor knew of a Service that is gone is not taken over, nor kept when Services become known', async (t) => {
  const path = join(await scratch(t), 'image');
  const before = watched();
  const names = [NAME, 'db.shop.svc.cluster.local'];
  for (const name of names) before.learn(name, a(name, '10.0.0.1', 30));
  before.learn('shop.example.com', {
    answers: [
      { type: 'CNAME', name: 'shop.example.com', ttl: 300, data: NAME },
      { type: 'A', name: NAME, ttl: 300, data: '10.0.0.1' },
    ],
  });
  await before.save(path);
  for (const isKnownFirst of [true, false]) {
    const after = new ImageHouse();
    const { freshness, services } = after.house;
    freshness.start();
    if (!isKnownFirst) await after.load(path);
    services.put('shop', 'db');
    services.setFollowed(true);
    freshness.setFollowed(true);
    await new Promise(setImmediate);
    if (isKnownFirst) await after.load(path);
    assert.deepEqual(
      [...names, 'shop.example.com'].map((name) => after.cached(name)),
      ['', `${ADDRESS} 5`, ''],
    );
    assert.equal(after.house.cache.size, 1);
  }
});
