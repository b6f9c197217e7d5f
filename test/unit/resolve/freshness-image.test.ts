import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { a, ImageHouse, nxdomain, scratch } from '../cache/image-house.ts';

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
