import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CLUSTER, House } from '../house.ts';

const NAME = 'web.shop.svc.cluster.local';
const NXDOMAIN = 3;

type Sections = Parameters<House['cluster']['answer']>[0];

const A = (data: string, name = NAME, ttl = 30) => ({ type: 'A', name, ttl, data }) as const;
const SOA = {
  type: 'SOA',
  name: 'cluster.local',
  ttl: 30,
  data: {
    mname: 'ns.dns.cluster.local',
    rname: 'h.cluster.local',
    serial: 1,
    refresh: 1,
    retry: 1,
    expire: 1,
    minimum: 30,
  },
} as const;
const GOOD: Sections = { answers: [A('10.0.0.1')] };
const ABSENT: Sections = { flags: NXDOMAIN, authorities: [SOA] };

/** Of which the watch has been followed for a while. */
function leasing(options: ConstructorParameters<typeof House>[1] = {}): House {
  const house = new House(2 << 20, { hasLease: true, ...options });
  house.freshness.start();
  house.freshness.setFollowed(true);
  house.pass(10_000);
  return house;
}

/** Asks, and gives the answer where it is asked upstream. */
function look(house: House, sections: Sections = GOOD, name = NAME, type = 'A') {
  const client = house.ask({ name, type });
  const isAsked = house.cluster.asked.length > 0;
  if (isAsked) house.cluster.answer(sections);
  return { reply: client.reply, isAsked };
}

/** Asks once more when what is known is over, twice in all. */
function confirm(house: House, sections: Sections = GOOD, name = NAME, type = 'A'): void {
  assert.equal(look(house, sections, name, type).isAsked, true);
  house.pass(30_001);
  assert.equal(look(house, sections, name, type).isAsked, true);
}

/** How long, in ms, an answer is given before the cluster DNS is asked again; looks every second. */
function life(house: House, name = NAME, type = 'A', mostMs = 700_000): number {
  for (let passedMs = 0; passedMs < mostMs; passedMs += 1000) {
    house.pass(1000);
    const { replies } = house.ask({ name, type });
    if (replies.length === 0) return passedMs;
  }
  return mostMs;
}

test('an answer that was given twice lives on for ten minutes, and tells clients five seconds at most', () => {
  const house = leasing();
  confirm(house);
  house.pass(30_001);
  const { reply, isAsked } = look(house);
  assert.equal(isAsked, false);
  assert.equal(reply.answers[0]!.ttl, 5);
  house.pass(3000);
  assert.equal(look(house).reply.answers[0]!.ttl, 2);
  // What is asked near its end is asked ahead, for somebody asks each second.
  const asked: number[] = [];
  for (let s = 34; s < 700; s++) {
    house.pass(1000);
    const { replies } = house.ask({ name: NAME, type: 'A' });
    if (house.cluster.asked.length > 0) asked.push(s);
    assert.equal(replies.length, 1, `no client waits, ${s}`);
    for (; house.cluster.asked.length > 0; ) house.cluster.answer(GOOD);
  }
  assert.equal(asked.length, 1, `${asked}`);
  assert.ok(asked[0]! >= 590 && asked[0]! <= 630, `${asked}`);
});

test('so does a "no", of a name and of a type', () => {
  const house = leasing();
  // With an address of the other family it is no alias.
  look(house);
  look(house);
  confirm(house, { authorities: [SOA] }, NAME, 'AAAA');
  confirm(house, { flags: NXDOMAIN, authorities: [SOA] }, 'none.shop.svc.cluster.local');
  house.pass(60_000);
  assert.equal(look(house, GOOD, NAME, 'AAAA').isAsked, false);
  const { reply, isAsked } = look(house, GOOD, 'none.shop.svc.cluster.local');
  assert.deepEqual([isAsked, reply.rcode, reply.authorities[0]!.ttl], [false, NXDOMAIN, 5]);
});

test('a change ends it at once, and the answer after it is confirmed anew', () => {
  const house = leasing();
  confirm(house);
  house.pass(100_000);
  assert.equal(look(house).isAsked, false);
  house.freshness.serviceChanged('shop', 'web', 'endpoints');
  house.cluster.asked.length = 0;
  house.pass(20_000);
  assert.equal(look(house, { answers: [A('10.0.0.2')] }).isAsked, true);
  house.pass(30_001);
  assert.equal(look(house, { answers: [A('10.0.0.2')] }).isAsked, true);
  house.pass(100_000);
  assert.equal(look(house).isAsked, false);
});

test('a gap of the watch ends it, and what was confirmed before one counts no more after it', () => {
  const house = leasing();
  confirm(house);
  house.pass(40_000);
  assert.equal(look(house).isAsked, false);
  house.freshness.setFollowed(false);
  house.pass(5001);
  assert.equal(look(house, { answers: [A('10.0.0.1')] }).isAsked, true);
  house.freshness.setFollowed(true);
  house.pass(30_001);
  assert.equal(look(house).isAsked, true);
});

test('an answer that was confirmed before a gap and not asked for during it is asked for after it', () => {
  const house = leasing();
  confirm(house);
  house.freshness.setFollowed(false);
  house.freshness.setFollowed(true);
  house.pass(31_000);
  assert.equal(look(house).isAsked, true);
});

test('two equal answers count only when the second is asked more than five seconds after the last change', () => {
  const house = leasing();
  look(house);
  house.freshness.serviceChanged('shop', 'web', 'endpoints');
  house.cluster.asked.length = 0;
  for (let i = 0; i < 6; i++) {
    house.pass(1001);
    look(house);
  }
  // Those were five seconds of one each; the last one lives for its 30.
  house.pass(30_001);
  assert.equal(look(house).isAsked, true, 'not confirmed by what was asked within them');
  house.pass(30_001);
  assert.equal(look(house).isAsked, false);
});

test('an answer in another order is the same, another address, code or number of addresses is not', () => {
  const pair = [A('10.0.0.1'), A('10.0.0.2')];
  const cases: [first: Sections, second: Sections, isSame: boolean][] = [
    [{ answers: pair }, { answers: pair.toReversed() }, true],
    [{ answers: pair }, { answers: pair.map((record) => ({ ...record, ttl: 20 })) }, true],
    [{ answers: pair }, { answers: [A('10.0.0.1')] }, false],
    [{ answers: pair }, { answers: [A('10.0.0.1'), A('10.0.0.3')] }, false],
    [{ authorities: [SOA] }, { flags: NXDOMAIN, authorities: [SOA] }, false],
    [ABSENT, { ...ABSENT, authorities: [{ ...SOA, data: { ...SOA.data, serial: 2 } }] }, true],
  ];
  for (const [first, second, isSame] of cases) {
    const house = leasing();
    const type = first.answers === undefined ? 'SRV' : 'A';
    look(house, first, NAME, type);
    house.pass(30_001);
    look(house, second, NAME, type);
    house.pass(30_001);
    assert.equal(look(house, GOOD, NAME, type).isAsked, !isSame, JSON.stringify([first, second]));
  }
});

test('no lease for a CNAME, for names that are of no Service, with DO or CD, or without --lease', () => {
  const cname: Sections = {
    answers: [{ type: 'CNAME', name: NAME, ttl: 30, data: 'db.shop.svc.cluster.local' }, A('10.0.0.1')],
  };
  const plain = leasing();
  confirm(plain, cname);
  assert.ok(life(plain) <= 30_000);
  const names = leasing();
  confirm(names, GOOD, '10-0-0-1.shop.pod.cluster.local');
  assert.ok(life(names, '10-0-0-1.shop.pod.cluster.local') <= 30_000);
  const without = leasing({ hasLease: false });
  confirm(without);
  assert.ok(life(without) <= 30_000);
  const signed = leasing();
  for (const options of [{ dnssecOk: true }, { flags: 0x0110 }]) {
    for (let i = 0; i < 3; i++) {
      signed.ask({ name: NAME, type: 'A', ...options });
      assert.equal(signed.cluster.asked.length, 1);
      signed.cluster.answer(GOOD);
      signed.pass(30_001);
    }
  }
});

test('a last good answer that is kept is not leased', () => {
  const house = leasing({ cluster: { cache: { ...CLUSTER, keepLastGoodSeconds: 3600 } } });
  look(house);
  house.pass(30_001);
  for (let i = 0; i < 3; i++) {
    assert.equal(look(house, { flags: NXDOMAIN, authorities: [SOA] }).isAsked, true);
    house.pass(5001);
  }
});

test('NXDOMAIN of a Service that there is is not leased: the cluster DNS may have just started', () => {
  const house = leasing();
  house.services.put('shop', 'web');
  confirm(house, { flags: NXDOMAIN, authorities: [SOA] });
  assert.ok(life(house) <= 5000);
});

test('"no address" of a Service of which nothing is known is not leased: it may be an alias to one that is not there yet', () => {
  const house = leasing();
  const none: Sections = { authorities: [SOA] };
  confirm(house, none);
  confirm(house, none, NAME, 'AAAA');
  assert.ok(life(house) <= 5000);
  assert.ok(life(house, NAME, 'AAAA') <= 5000);
});

test('nor is that of one that is an alias, of which the other family is known', () => {
  const house = leasing();
  const target = 'db.other.svc.cluster.local';
  const alias = { type: 'CNAME', name: NAME, ttl: 30, data: target } as const;
  const positive: Sections = { answers: [alias, A('10.0.0.1', target)] };
  for (let i = 0; i < 2; i++) {
    look(house, positive);
    assert.equal(look(house, { authorities: [SOA] }, NAME, 'AAAA').isAsked, true);
    house.pass(30_001);
  }
  look(house, positive);
  look(house, { authorities: [SOA] }, NAME, 'AAAA');
  assert.ok(life(house, NAME, 'AAAA') <= 5000);
});

test('what may be leased is asked for a second time at the first hit after a second, and one that differs is not hurried', () => {
  const house = leasing();
  look(house);
  house.pass(1001);
  assert.equal(house.ask({ name: NAME, type: 'A' }).replies.length, 1, 'nobody waits');
  assert.equal(house.cluster.asked.length, 1);
  house.cluster.answer({ answers: [A('10.0.0.2')] });
  house.pass(2000);
  assert.equal(look(house).isAsked, false, 'it differed');
  house.pass(28_001);
  assert.equal(look(house, { answers: [A('10.0.0.2')] }).isAsked, true);
  house.pass(300_000);
  assert.equal(look(house).isAsked, false);
});

test('nothing is confirmed within ten seconds of the beginning of the watch', () => {
  const house = new House(2 << 20, { hasLease: true });
  house.freshness.start();
  house.freshness.setFollowed(true);
  look(house);
  for (let s = 0; s < 9; s++) {
    house.pass(1000);
    assert.equal(look(house).isAsked, false);
  }
  house.pass(1001);
  assert.equal(house.ask({ name: NAME, type: 'A' }).replies.length, 1);
  assert.equal(house.cluster.asked.length, 1);
  house.cluster.answer(GOOD);
  assert.equal(house.freshness.lease!.granted, 1);
});
