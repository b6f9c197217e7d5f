import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ENTRY_LINKS, RE_ASKED_NAMES, RE_ASKS } from '../../../src/core/limits.ts';
import { House } from './house.ts';

function watched(): House {
  const house = new House();
  house.freshness.start();
  house.freshness.setFollowed(true);
  return house;
}

/** Holds a limit at `value` for as long as `during` takes; how often it was hit. */
async function limited(limit: { value: number; hits: number }, value: number, during: () => void | Promise<void>) {
  const before = { ...limit };
  limit.value = value;
  try {
    await during();
    return limit.hits - before.hits;
  } finally {
    limit.value = before.value;
  }
}

const nameOf = (service: number): string => `s${service}.shop.svc.cluster.local`;

function learn(house: House, service: number, address = '10.0.0.1', hits = 0): void {
  house.ask({ name: nameOf(service), type: 'A' });
  house.cluster.answer({ answers: [{ type: 'A', name: nameOf(service), ttl: 30, data: address }] });
  for (let i = 0; i < hits; i++) house.ask({ name: nameOf(service), type: 'A' });
}

test('an answer that cannot be noted lives for a moment; when others have gone there is room again', async () => {
  const house = watched();
  const most = 1024;
  const hits = await limited(ENTRY_LINKS, most, async () => {
    for (let i = 0; i < most; i++) learn(house, i);
    learn(house, most);
    assert.equal(house.ask({ name: nameOf(most), type: 'A' }).reply.answers[0]!.ttl, 1);
    // Nothing was there to be swept out then; soon there is.
    for (let i = 0; i < most; i++) house.freshness.serviceChanged('shop', `s${i}`, 'service');
    house.cluster.asked.length = 0;
    house.pass(31_000);
    learn(house, most);
    assert.equal(house.ask({ name: nameOf(most), type: 'A' }).reply.answers[0]!.ttl, 30);
  });
  assert.equal(hits, 1);
});

test('of many popular names whose Services change at once, so many are asked for again, and the others when a client asks', async () => {
  const house = watched();
  const hits = await limited(RE_ASKED_NAMES, 10, () => {
    for (let i = 0; i < 30; i++) learn(house, i, '10.0.0.1', 3);
    for (let i = 0; i < 30; i++) house.freshness.serviceChanged('shop', `s${i}`, 'service');
  });
  assert.equal(house.cluster.asked.length, 10);
  assert.equal(hits, 20);
});

test('so many questions in a second are asked on that account, and the rest at the next steps', async () => {
  const house = watched();
  const hits = await limited(RE_ASKS, 5, () => {
    for (let i = 0; i < 8; i++) learn(house, i, '10.0.0.1', 3);
    for (let i = 0; i < 8; i++) house.freshness.serviceChanged('shop', `s${i}`, 'service');
    assert.equal(house.cluster.asked.length, 5);
    for (let ms = 0; ms < 5000; ms += 5) {
      while (house.cluster.asked.length > 0) house.cluster.answer({ answers: [] });
      house.pass(5);
    }
  });
  assert.ok(hits >= 3);
  const { asked } = house.freshness.reAsking;
  assert.ok(asked >= 8 && asked <= 30, `${asked}`);
});

test('a popular answer that lives for a second is asked for ahead in the second half of it alone', () => {
  const house = new House();
  const asked = (): number => house.cluster.asked.length;
  house.ask({ name: nameOf(1), type: 'A' });
  house.cluster.answer({ answers: [{ type: 'A', name: nameOf(1), ttl: 1, data: '10.0.0.1' }] });
  for (let i = 0; i < 10; i++) house.ask({ name: nameOf(1), type: 'A' });
  assert.equal(asked(), 0);
  house.pass(501);
  for (let i = 0; i < 10; i++) assert.equal(house.ask({ name: nameOf(1), type: 'A' }).replies.length, 1);
  assert.equal(asked(), 1);
});
