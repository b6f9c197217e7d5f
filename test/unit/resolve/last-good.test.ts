import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { KEPT_LAST_GOOD } from '../../../src/cache/cache-traffic.ts';
import { extendedErrors, FLAGS, type Message } from '../../client/message.ts';
import { CLUSTER, House } from './house.ts';

const NXDOMAIN = 3;
const NAME = 'web.shop.svc.cluster.local';
const KEPT_SECONDS = 60;
/** What a client sees of a kept answer. */
const SHORT_SECONDS = CLUSTER.staleTtlSeconds;
const A = { type: 'A', name: NAME, ttl: 10, data: '10.0.0.1' } as const;
const AAAA = { type: 'AAAA', name: NAME, ttl: 10, data: 'fd00::1' } as const;
const SOA = {
  type: 'SOA',
  name: 'cluster.local',
  ttl: 5,
  data: { mname: 'ns.cluster.local', rname: 'a.cluster.local', serial: 1, refresh: 1, retry: 1, expire: 1, minimum: 5 },
} as const;
const GONE = { flags: NXDOMAIN, authorities: [SOA] };
const EMPTY = { authorities: [SOA] };

function keeping(policy: Partial<typeof CLUSTER> = {}): House {
  const cache = { ...CLUSTER, keepLastGoodSeconds: KEPT_SECONDS, ...policy };
  return new House(undefined, { cluster: { cache } });
}

type Sections = Parameters<House['cluster']['answer']>[0];

/** Asks; where that reaches the upstream, it says `sections`. */
function ask(house: House, sections: Sections, type = 'A', more: { dnssecOk?: boolean; flags?: number } = {}): Message {
  const client = house.ask({ name: NAME, type, udpSize: 1232, ...more });
  while (house.cluster.asked.length > 0) house.cluster.answer(sections);
  return client.reply;
}

const addresses = (reply: Message) => reply.answers.map(({ data }) => data);
const keptOf = (house: House) => house.cacheTraffic.read(house.zones.id('cluster.local.'), KEPT_LAST_GOOD);

suite('the last good answer', () => {
  for (const [no, sections] of [
    ['NXDOMAIN', GONE],
    ['an empty answer', EMPTY],
    ['an empty answer without SOA', {}],
  ] as const) {
    test(`goes on when all at once there is ${no}, with a short TTL and a reason`, () => {
      const house = keeping();
      ask(house, { answers: [A] });
      house.pass(10_001);
      const reply = ask(house, sections);
      assert.deepEqual([reply.rcode, addresses(reply)], [0, ['0a000001']]);
      assert.equal(reply.answers[0]!.ttl, SHORT_SECONDS);
      assert.deepEqual(extendedErrors(reply), [3]);
      assert.equal(keptOf(house), 1);
      assert.deepEqual(addresses(house.ask({ name: NAME, type: 'A' }).reply), ['0a000001'], 'and is a hit');
    });
  }

  test('goes on for so long and no longer, from the first "no" on; meanwhile the upstream is asked again and again', () => {
    const house = keeping();
    ask(house, { answers: [A] });
    house.pass(10_001);
    const startMs = house.clock.nowMs();
    let asked = 0;
    while (addresses(ask(house, GONE)).length > 0) {
      house.pass(SHORT_SECONDS * 1000 + 1);
      asked++;
    }
    const lastedMs = house.clock.nowMs() - startMs;
    assert.ok(lastedMs >= (KEPT_SECONDS - SHORT_SECONDS) * 1000 && lastedMs <= (KEPT_SECONDS + SHORT_SECONDS) * 1000);
    assert.equal(asked, KEPT_SECONDS / SHORT_SECONDS);
    assert.equal(keptOf(house), asked);
    assert.equal(ask(house, { answers: [A] }).rcode, NXDOMAIN, 'the "no" is kept now, as any other');
  });

  test('is never given after that, not even while all upstreams are down', () => {
    const house = keeping();
    ask(house, { answers: [A] });
    house.pass(10_001);
    ask(house, GONE);
    house.pass(KEPT_SECONDS * 1000);
    house.cluster.isAllDown = true;
    const client = house.ask({ name: NAME, type: 'A' });
    house.cluster.fail('timeout');
    assert.equal(client.reply.rcode, 2);
  });

  test('bridges silence, too, while it is kept', () => {
    const house = keeping();
    ask(house, { answers: [A] });
    house.pass(10_001);
    ask(house, GONE);
    house.pass(SHORT_SECONDS * 1000 + 1);
    const client = house.ask({ name: NAME, type: 'A' });
    house.cluster.fail('timeout');
    assert.deepEqual(addresses(client.reply), ['0a000001']);
  });

  test('is replaced by a good one at once, and the time begins anew with the next "no"', () => {
    const house = keeping();
    ask(house, { answers: [A] });
    house.pass(10_001);
    ask(house, GONE);
    house.pass(SHORT_SECONDS * 1000 + 1);
    const reply = ask(house, { answers: [{ ...A, data: '10.0.0.2' }] });
    assert.deepEqual([addresses(reply), extendedErrors(reply)], [['0a000002'], []]);
    house.pass(10_001);
    ask(house, GONE);
    house.pass((KEPT_SECONDS - 1) * 1000);
    assert.deepEqual(addresses(ask(house, GONE)), ['0a000002']);
  });

  test('is kept by a prefetch that finds nothing, too', () => {
    const house = keeping();
    ask(house, { answers: [A] });
    ask(house, {});
    house.pass(9500);
    assert.equal(house.ask({ name: NAME, type: 'A' }).replies.length, 1);
    assert.equal(house.cluster.asked.length, 1, 'a prefetch');
    house.cluster.answer(GONE);
    house.pass(2000);
    assert.deepEqual(addresses(house.ask({ name: NAME, type: 'A' }).reply), ['0a000001']);
  });

  test('is not hidden by what is said to other types: they hear NODATA, for the name exists', () => {
    const house = keeping();
    ask(house, { answers: [A] });
    house.pass(10_001);
    for (const type of ['AAAA', 'TXT']) {
      const reply = ask(house, GONE, type);
      assert.deepEqual([reply.rcode, reply.answers, reply.authorities.length], [0, [], 1], type);
    }
    assert.deepEqual(addresses(ask(house, GONE)), ['0a000001']);
    house.pass(SHORT_SECONDS * 1000 + 1);
    assert.equal(ask(house, GONE, 'AAAA').rcode, 0);
    assert.deepEqual(addresses(ask(house, GONE)), ['0a000001']);
  });

  test('of A and of AAAA end together', () => {
    const house = keeping();
    ask(house, { answers: [A] });
    ask(house, { answers: [AAAA] }, 'AAAA');
    house.pass(10_001);
    assert.equal(addresses(ask(house, GONE)).length, 1);
    assert.equal(addresses(ask(house, GONE, 'AAAA')).length, 1);
    house.pass(KEPT_SECONDS * 1000);
    assert.equal(ask(house, GONE).rcode, NXDOMAIN);
    assert.equal(ask(house, GONE, 'AAAA').rcode, NXDOMAIN);
  });

  test('is one of its question: with DO or CD it is another', () => {
    const house = keeping();
    ask(house, { answers: [A] });
    house.pass(10_001);
    assert.equal(ask(house, GONE, 'A', { dnssecOk: true }).rcode, NXDOMAIN);
    assert.equal(ask(house, GONE, 'A', { flags: FLAGS.RD | FLAGS.CD }).rcode, NXDOMAIN);
    assert.equal(ask(house, GONE).rcode, 0);
  });

  test('must have been good lately', () => {
    const house = keeping({ staleSeconds: 0 });
    ask(house, { answers: [A] });
    house.pass(10_000 + KEPT_SECONDS * 1000);
    assert.equal(ask(house, GONE).rcode, NXDOMAIN);
  });

  test('is not kept where the zone does not say so, nor of names that never had one', () => {
    const off = keeping({ keepLastGoodSeconds: 0 });
    ask(off, { answers: [A] });
    off.pass(10_001);
    assert.equal(ask(off, GONE).rcode, NXDOMAIN);
    assert.equal(ask(keeping(), GONE).rcode, NXDOMAIN);
  });

  test('keeps its addresses in turn', () => {
    const house = keeping();
    ask(house, { answers: [A, { ...A, data: '10.0.0.2' }] });
    house.pass(10_001);
    ask(house, GONE);
    const [one, other] = [addresses(ask(house, GONE)), addresses(ask(house, GONE))];
    assert.deepEqual(one, other.toReversed());
  });
});
