import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CLUSTER, House, type PlayedUpstream } from '../house.ts';

const NAME = 'web.shop.svc.cluster.local';
const ADDRESS = '1.0.0.10.in-addr.arpa';
const SERVFAIL = 2;
const NXDOMAIN = 3;
const REFUSED = 5;

interface Learnt {
  readonly house: House;
  readonly upstream: PlayedUpstream;
  readonly ask: () => ReturnType<House['ask']>;
}

/** A cluster with the Service shop/web and others, and a cached answer about it. */
function learnt(type: 'A' | 'PTR'): Learnt {
  const house = new House(2 << 20, { more: [{ zone: 'in-addr.arpa.' }] });
  for (const service of ['web', 'db']) house.services.put('shop', service);
  house.services.setFollowed(true);
  house.freshness.start();
  house.freshness.setFollowed(true);
  const upstream = type === 'A' ? house.cluster : house.outside;
  const name = type === 'A' ? NAME : ADDRESS;
  const ask = () => house.ask({ name, type });
  ask();
  const record = type === 'A' ? { type, name, ttl: 30, data: '10.0.0.1' } : { type, name, ttl: 30, data: NAME };
  upstream.answer({ answers: [record] });
  assert.equal(ask().reply.answers.length, 1);
  return { house, upstream, ask };
}

function remove(house: House): void {
  house.services.delete('shop', 'web');
  house.freshness.serviceChanged('shop', 'web', 'service');
}

for (const type of ['A', 'PTR'] as const) {
  test(`a cluster DNS that says it fails is not bridged by an answer that a change dropped: ${type}`, () => {
    const { house, upstream, ask } = learnt(type);
    house.freshness.serviceChanged('shop', 'web', 'endpoints');
    for (const rcode of [SERVFAIL, REFUSED]) {
      const client = ask();
      house.pass(500);
      upstream.answer({ flags: 0x0180 | rcode });
      assert.deepEqual([client.reply.rcode, client.reply.answers.length], [rcode, 0]);
      assert.equal(ask().reply.rcode, rcode, 'nor by one who asks next');
      house.pass(1001);
    }
  });

  test(`it bridges silence, for everyone and for as long as it lasts: ${type}`, () => {
    const { house, upstream, ask } = learnt(type);
    house.freshness.serviceChanged('shop', 'web', 'endpoints');
    for (let i = 0; i < 3; i++) {
      const client = ask();
      upstream.fail('timeout');
      assert.equal(client.reply.answers.length, 1);
      assert.equal(ask().reply.answers.length, 1, 'nobody is asked for a second');
      house.pass(1001);
    }
    const client = ask();
    upstream.answer({ flags: 0x0180 | SERVFAIL });
    assert.equal(client.reply.rcode, SERVFAIL);
  });

  test(`nothing is said of a Service that is gone, whatever becomes of the cluster DNS: ${type}`, () => {
    for (const before of [[], ['endpoints'], ['service']] as const) {
      const { house, upstream, ask } = learnt(type);
      for (const what of before) house.freshness.serviceChanged('shop', 'web', what);
      remove(house);
      const client = ask();
      upstream.fail('timeout');
      assert.equal(client.reply.answers.length, 0, 'silent');
      upstream.isAllDown = true;
      const next = ask();
      if (upstream.asked.length > 0) upstream.fail('all-down');
      assert.equal(next.reply.rcode, SERVFAIL, 'all down');
    }
  });
}

test('a Service that came again under its name does not bring back what was said before it went', () => {
  const { house, upstream, ask } = learnt('A');
  remove(house);
  house.services.put('shop', 'web');
  house.freshness.serviceChanged('shop', 'web', 'service');
  const client = ask();
  upstream.fail('timeout');
  assert.equal(client.reply.rcode, SERVFAIL);
});

test('where Services may not be watched, or are not all known yet, none of them is taken to be gone', () => {
  for (const known of [[], ['db']]) {
    const house = new House();
    for (const service of known) house.services.put('shop', service);
    house.freshness.start();
    house.ask({ name: NAME, type: 'A' });
    house.cluster.answer({ answers: [{ type: 'A', name: NAME, ttl: 30, data: '10.0.0.1' }] });
    house.freshness.serviceChanged('shop', 'web', 'endpoints');
    const client = house.ask({ name: NAME, type: 'A' });
    house.cluster.fail('timeout');
    assert.equal(client.reply.answers.length, 1, `${known.length} known`);
  }
});

const ABSENT: Parameters<PlayedUpstream['answer']>[0] = {
  flags: 0x0180 | NXDOMAIN,
  authorities: [
    {
      type: 'SOA',
      name: 'cluster.local',
      ttl: 5,
      data: { mname: 'ns', rname: 'h', serial: 1, refresh: 1, retry: 1, expire: 1, minimum: 5 },
    },
  ],
};

/** Just after a change, a replica of the cluster DNS that has not heard of it gives the answer of before; another one says that there is no such name. */
function answeredLate(house: House, waitMs: number): number {
  house.ask({ name: NAME, type: 'A' });
  house.cluster.answer({ answers: [{ type: 'A', name: NAME, ttl: 30, data: '10.0.0.1' }] });
  house.pass(waitMs);
  const client = house.ask({ name: NAME, type: 'A' });
  house.cluster.answer(ABSENT);
  return client.reply.rcode;
}

function keeping(): House {
  const house = new House(2 << 20, { cluster: { cache: { ...CLUSTER, keepLastGoodSeconds: 30 } } });
  for (const service of ['web', 'db']) house.services.put('shop', service);
  house.services.setFollowed(true);
  house.freshness.start();
  house.freshness.setFollowed(true);
  return house;
}

test('the last good answer of a Service that is gone is not kept', () => {
  const house = keeping();
  remove(house);
  assert.equal(answeredLate(house, 60), NXDOMAIN);
});

test('of one that has changed it is kept for as long as the zone says, and no longer', () => {
  for (const waitMs of [60, 1010]) {
    const house = keeping();
    house.freshness.serviceChanged('shop', 'web', 'endpoints');
    assert.equal(answeredLate(house, waitMs), 0);
    const codes: number[] = [];
    for (let second = 0; second < 40; second++) {
      house.pass(1000);
      const client = house.ask({ name: NAME, type: 'A' });
      if (client.replies.length === 0) house.cluster.answer(ABSENT);
      codes.push(client.reply.rcode);
    }
    assert.deepEqual(codes, [...Array(29).fill(0), ...Array(11).fill(NXDOMAIN)], `${waitMs}`);
  }
});
