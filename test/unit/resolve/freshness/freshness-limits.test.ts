import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CHANGED_SERVICES, ENTRY_LINKS, GROUP_LINKS, RE_ASKED_NAMES, RE_ASKS } from '../../../../src/core/limits.ts';
import { House } from '../house.ts';

function watched(options: ConstructorParameters<typeof House>[1] = {}): House {
  const house = new House(2 << 20, options);
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

test('an answer that cannot be noted lives for a second; when others have gone there is room again', async () => {
  const house = watched();
  const most = 1024;
  const hits = await limited(ENTRY_LINKS, most, async () => {
    for (let i = 0; i < most; i++) learn(house, i);
    learn(house, most);
    assert.equal(house.ask({ name: nameOf(most), type: 'A' }).reply.answers[0]!.ttl, 1);
    house.pass(999);
    assert.equal(house.ask({ name: nameOf(most), type: 'A' }).replies.length, 1);
    house.pass(1);
    assert.equal(house.ask({ name: nameOf(most), type: 'A' }).replies.length, 0);
    house.cluster.fail('overload');
    // Nothing was there to be swept out then; soon there is.
    for (let i = 0; i < most; i++) house.freshness.serviceChanged('shop', `s${i}`, 'service');
    house.cluster.asked.length = 0;
    house.pass(31_000);
    learn(house, most);
    assert.equal(house.ask({ name: nameOf(most), type: 'A' }).reply.answers[0]!.ttl, 30);
  });
  assert.equal(hits, 1);
});

test('an answer that cannot be noted is not leased, for no change would end that', async () => {
  const house = watched({ hasLease: true });
  const most = 1024;
  await limited(ENTRY_LINKS, most, () => {
    for (let i = 0; i < most; i++) learn(house, i);
    house.pass(10_000);
    for (let i = 0; i < 3; i++) {
      learn(house, most);
      house.pass(2000);
    }
    house.freshness.serviceChanged('shop', `s${most}`, 'service');
    assert.equal(house.ask({ name: nameOf(most), type: 'A' }).replies.length, 0);
  });
});

test('names of one Service are noted up to a number; then those before are forgotten, and none is missed by a change', async () => {
  const house = watched();
  const below = (i: number): string => `p${i}.${nameOf(1)}`;
  const isCached = (name: string): boolean => {
    const { replies } = house.ask({ name, type: 'A' });
    if (replies.length > 0) return true;
    house.cluster.fail('overload');
    return false;
  };
  const hits = await limited(GROUP_LINKS, 16, () => {
    learn(house, 2);
    for (let i = 0; i < 40; i++) {
      house.ask({ name: below(i), type: 'A' });
      house.cluster.answer({ answers: [{ type: 'A', name: below(i), ttl: 30, data: '10.0.0.1' }] });
    }
  });
  assert.equal(hits, 2);
  assert.ok(house.freshness.notes.size <= 17, `${house.freshness.notes.size}`);
  assert.deepEqual(
    [0, 31, 32, 39].map((i) => isCached(below(i))),
    [false, false, true, true],
  );
  assert.equal(isCached(nameOf(2)), true);
  house.freshness.serviceChanged('shop', 's1', 'endpoints');
  assert.deepEqual(
    [32, 39].map((i) => isCached(below(i))),
    [false, false],
  );
});

test('a popular alias that a second Service drops is asked for again after that change too', () => {
  const house = watched();
  const name = 'shop.example.com';
  const answer = (): void =>
    house.outside.answer({
      answers: [
        { type: 'CNAME', name, ttl: 300, data: nameOf(1) },
        { type: 'CNAME', name: nameOf(1), ttl: 300, data: nameOf(2) },
        { type: 'A', name: nameOf(2), ttl: 300, data: '10.0.0.1' },
      ],
    });
  house.ask({ name, type: 'A' });
  answer();
  for (const service of [1, 2]) {
    for (let i = 0; i < 3; i++) house.ask({ name, type: 'A' });
    house.freshness.serviceChanged('shop', `s${service}`, 'service');
    house.pass(110);
    assert.ok(house.outside.asked.length > 0, `${service}`);
    while (house.outside.asked.length > 0) answer();
    house.pass(410);
    while (house.outside.asked.length > 0) answer();
  }
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

test('changes that are not remembered shorten what is said of Services, and of nothing else', async () => {
  const house = watched();
  const ttls: number[] = [];
  await limited(CHANGED_SERVICES, 8, () => {
    for (let i = 0; i < 20; i++) house.freshness.serviceChanged('shop', `s${i}`, 'service');
    for (const name of [nameOf(0), 'www.example.com']) {
      // Without RD, so that nothing is kept.
      const client = house.ask({ name, type: 'A', flags: 0 });
      const upstream = name === nameOf(0) ? house.cluster : house.outside;
      upstream.answer({ answers: [{ type: 'A', name, ttl: 30, data: '192.0.2.1' }] });
      ttls.push(client.reply.answers[0]!.ttl);
    }
  });
  assert.deepEqual(ttls, [1, 30]);
});
