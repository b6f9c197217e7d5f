import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FLAGS } from '../../client/message.ts';
import { House } from './house.ts';

const NAME = 'www.example.com';
const SERVFAIL = 2;
const NXDOMAIN = 3;
const EDE_STALE = '000f00020003';
const EDE_STALE_NXDOMAIN = '000f00020013';
const a = (ttl: number, name = NAME) => [{ type: 'A', name, ttl, data: '192.0.2.1' } as const];
const soa = {
  type: 'SOA',
  name: 'cluster.local',
  ttl: 30,
  data: {
    mname: 'ns.cluster.local',
    rname: 'root.cluster.local',
    serial: 1,
    refresh: 1,
    retry: 1,
    expire: 1,
    minimum: 30,
  },
} as const;

/** A house that knew NAME, until its time was over. */
function houseWithExpired(ttl = 10): House {
  const house = new House();
  house.ask({ name: NAME, type: 'A' });
  house.outside.answer({ answers: a(ttl) });
  house.pass(ttl * 1000 + 1);
  return house;
}

test('an upstream that is slow gets its time, then the client the stale answer, marked and with TTL 30', () => {
  const house = houseWithExpired();
  const client = house.ask({ name: NAME, type: 'A', udpSize: 1232 });
  house.pass(1700);
  assert.equal(client.replies.length, 0, 'within 1.8 s the fresh answer is waited for');
  house.pass(200);
  assert.equal(client.reply.answers[0]!.ttl, 30);
  assert.equal(client.reply.opt!.options, EDE_STALE);
  const next = house.ask({ name: NAME, type: 'A' });
  assert.equal(next.replies.length, 1, 'others do not wait for the same silence');
  house.outside.answer({ answers: a(60) });
  assert.equal(client.replies.length, 1);
  assert.equal(house.ask({ name: NAME, type: 'A' }).reply.answers[0]!.ttl, 60, 'the late answer is kept');
});

test('a fresh answer that comes in time is preferred to the stale one', () => {
  const house = houseWithExpired();
  const client = house.ask({ name: NAME, type: 'A' });
  house.pass(100);
  house.outside.answer({ answers: a(60) });
  assert.equal(client.reply.answers[0]!.ttl, 60);
});

test('in cluster zones 100 ms are waited and the stale TTL is 5', () => {
  const house = new House();
  const name = 'web.default.svc.cluster.local';
  house.ask({ name, type: 'A' });
  house.cluster.answer({ answers: a(10, name) });
  house.pass(10_001);
  const client = house.ask({ name, type: 'A' });
  house.pass(120);
  assert.equal(client.reply.answers[0]!.ttl, 5);
});

test('SERVFAIL, REFUSED and silence are bridged by what is stale, and not asked again for a second', () => {
  for (const end of [
    (house: House) => house.outside.answer({ flags: SERVFAIL }),
    (house: House) => house.outside.answer({ flags: 5 }),
    (house: House) => house.outside.fail('timeout'),
    (house: House) => house.outside.fail('unreachable'),
  ]) {
    const house = houseWithExpired();
    const client = house.ask({ name: NAME, type: 'A' });
    end(house);
    assert.equal(client.reply.rcode, 0);
    assert.equal(house.ask({ name: NAME, type: 'A' }).replies.length, 1);
    assert.equal(house.outside.asked.length, 0, 'not asked within the second');
    house.pass(1001);
    house.ask({ name: NAME, type: 'A' });
    assert.equal(house.outside.asked.length, 1);
  }
});

test('all upstreams down: stale at once, else SERVFAIL with EDE 22', () => {
  const house = houseWithExpired();
  house.outside.isAllDown = true;
  assert.equal(house.ask({ name: NAME, type: 'A' }).reply.answers[0]!.ttl, 30);
  const unknown = house.ask({ name: 'other.example.com', type: 'A', udpSize: 1232 });
  house.outside.asked.at(-1)!.onFailure('all-down');
  assert.equal(unknown.reply.rcode, SERVFAIL);
  assert.equal(unknown.reply.opt!.options.slice(0, 4) + unknown.reply.opt!.options.slice(8, 12), '000f0016');
});

test('a stale answer is given for an hour and no longer', () => {
  const house = houseWithExpired();
  house.outside.isAllDown = true;
  house.pass(3_598_000);
  assert.equal(house.ask({ name: NAME, type: 'A' }).replies.length, 1);
  house.pass(2001);
  assert.equal(house.ask({ name: NAME, type: 'A' }).replies.length, 0);
});

test('a failure is remembered for one second, for its question only', () => {
  const house = new House();
  house.ask({ name: NAME, type: 'A' });
  house.outside.fail('timeout');
  assert.equal(house.ask({ name: NAME, type: 'A' }).reply.rcode, SERVFAIL);
  house.ask({ name: NAME, type: 'AAAA' });
  assert.equal(house.outside.asked.length, 1);
  house.pass(1001);
  house.ask({ name: NAME, type: 'A' });
  assert.equal(house.outside.asked.length, 2);
});

test('a failed refresh ahead of time leaves the live answer where it is', () => {
  const house = new House();
  house.ask({ name: NAME, type: 'A' });
  house.outside.answer({ answers: a(100) });
  for (let i = 0; i < 3; i++) house.ask({ name: NAME, type: 'A' });
  house.pass(91_000);
  assert.equal(house.ask({ name: NAME, type: 'A' }).reply.answers[0]!.ttl, 9);
  assert.equal(house.outside.asked.length, 1, 'asked ahead');
  house.outside.answer({ flags: SERVFAIL });
  assert.equal(house.ask({ name: NAME, type: 'A' }).reply.rcode, 0);
  house.pass(1100);
  house.ask({ name: NAME, type: 'A' });
  assert.equal(house.outside.asked.length, 1, 'and asked again a second later');
});

test('a popular entry is refreshed before its end, once, and no client waits', () => {
  const house = new House();
  house.ask({ name: NAME, type: 'A' });
  house.outside.answer({ answers: a(100) });
  house.pass(89_000);
  house.ask({ name: NAME, type: 'A' });
  house.ask({ name: NAME, type: 'A' });
  assert.equal(house.outside.asked.length, 0, 'more than a tenth is left');
  house.pass(1500);
  for (let i = 0; i < 5; i++) assert.equal(house.ask({ name: NAME, type: 'A' }).replies.length, 1);
  assert.equal(house.outside.asked.length, 1);
  house.outside.answer({ answers: a(100) });
  assert.equal(house.ask({ name: NAME, type: 'A' }).reply.answers[0]!.ttl, 100);
});

test('an entry that was asked for but once is left to end', () => {
  const house = new House();
  house.ask({ name: NAME, type: 'A' });
  house.outside.answer({ answers: a(100) });
  house.pass(95_000);
  house.ask({ name: NAME, type: 'A' });
  assert.equal(house.outside.asked.length, 0);
});

test('nothing negative is served stale, but what can never exist while the whole cluster DNS is down', () => {
  const house = new House();
  const impossible = 'www.example.com.cluster.local';
  const possible = 'web.default.svc.cluster.local';
  for (const name of [impossible, possible]) {
    house.ask({ name, type: 'A' });
    house.cluster.answer({ flags: NXDOMAIN, authorities: [soa] });
  }
  house.pass(6000);
  house.cluster.isAllDown = true;
  const kept = house.ask({ name: impossible, type: 'A', udpSize: 1232 }).reply;
  assert.equal(kept.rcode, NXDOMAIN);
  assert.equal(kept.opt!.options, EDE_STALE_NXDOMAIN);
  house.cluster.asked.length = 0;
  const asked = house.ask({ name: possible, type: 'A' });
  house.cluster.fail('all-down');
  assert.equal(asked.reply.rcode, SERVFAIL);
  house.cluster.isAllDown = false;
  house.pass(2000);
  assert.equal(
    house.ask({ name: impossible, type: 'AAAA' }).replies.length,
    0,
    'with the cluster DNS alive it is asked',
  );
});

test('FORMERR from upstream reaches the client and is not kept', () => {
  const house = new House();
  const client = house.ask({ name: NAME, type: 'A' });
  house.outside.answer({ flags: 1 });
  assert.equal(client.reply.rcode, 1);
  house.ask({ name: NAME, type: 'A', flags: FLAGS.RD });
  assert.equal(house.outside.asked.length, 1);
});
