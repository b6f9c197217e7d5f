import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { NO_AAAA } from '../../../src/cache/cache-traffic.ts';
import { ANSWERED, HELD } from '../../../src/resolve/responder.ts';
import { encodeName, extendedErrors, FLAGS, type Message } from '../../client/message.ts';
import { CLUSTER, House, type HouseOptions, type PlayedClient } from './house.ts';

const NXDOMAIN = 3;
const SERVFAIL = 2;
const FROM = 'foo.example.com';
const TO = 'svc.ns.svc.cluster.local';
const A = { type: 'A', name: TO, ttl: 20, data: '10.0.0.1' } as const;
const SOA = {
  type: 'SOA',
  name: 'cluster.local',
  ttl: 5,
  data: { mname: 'ns.cluster.local', rname: 'a.cluster.local', serial: 1, refresh: 1, retry: 1, expire: 1, minimum: 5 },
} as const;

type Sections = Parameters<House['cluster']['answer']>[0];
type Question = Partial<Parameters<House['ask']>[0]>;

/** `foo.example.com` stands for a Service of the cluster. */
function withAlias(more: HouseOptions = {}): House {
  const outside = { aliases: [{ from: `${FROM}.`, to: `${TO}.` }], ...more.outside };
  return new House(undefined, { ...more, outside });
}

/** Aliases are begun and ended in turns of their own. */
async function turns(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
}

async function asking(house: House, question: Question = {}): Promise<PlayedClient> {
  const client = house.ask({ name: FROM, type: 'A', ...question });
  await turns();
  return client;
}

/** Asks; where that reaches the cluster DNS, it says `sections`. */
async function ask(house: House, sections: Sections, question?: Question): Promise<Message> {
  const client = await asking(house, question);
  while (house.cluster.asked.length > 0) house.cluster.answer(sections);
  await turns();
  return client.reply;
}

const rows = (records: Message['answers']) => records.map(({ owner, type, ttl, data }) => [owner, type, ttl, data]);
const hex = (name: string) => encodeName(name).toString('hex');
const cname = (ttl: number) => [`${FROM}.`, 5, ttl, hex(TO)];
const address = (ttl: number) => [`${TO}.`, 1, ttl, '0a000001'];

suite('an alias', () => {
  test('is answered with a CNAME and what the other name gives, asked of that one’s own upstream', async () => {
    const house = withAlias();
    const client = await asking(house);
    assert.deepEqual([house.outside.asked.length, house.cluster.asked.length], [0, 1]);
    assert.equal(client.replies.length, 0);
    house.cluster.answer({ flags: FLAGS.AA | FLAGS.AD, answers: [A] });
    await turns();
    assert.deepEqual(rows(client.reply.answers), [cname(20), address(20)]);
    assert.equal(client.reply.flags & (FLAGS.AA | FLAGS.AD), 0, 'nobody vouches for the CNAME');
  });

  test('is a hit from then on, in any case of letters, while its TTLs count down', async () => {
    const house = withAlias();
    await ask(house, { answers: [A] });
    house.pass(7000);
    assert.deepEqual(rows(house.ask({ name: 'FOO.Example.com', type: 'A' }).reply.answers), [cname(13), address(13)]);
    assert.equal(house.cluster.asked.length, 0);
  });

  test('lives as long as the shorter of its own record and what it leads to', async () => {
    const more = { cluster: { cache: { ...CLUSTER, positiveMaxSeconds: 3600 } } };
    const house = withAlias(more);
    assert.deepEqual(rows((await ask(house, { answers: [{ ...A, ttl: 300 }] })).answers), [cname(30), address(300)]);
    house.pass(30_001);
    assert.deepEqual(rows((await ask(house, {})).answers), [cname(30), address(270)], 'and is made anew from memory');
  });

  test('is not kept longer than its target lets it, whatever its zone has as the least', async () => {
    const cache = { ...CLUSTER, positiveMinSeconds: 60, positiveMaxSeconds: 3600, negativeMinSeconds: 60 };
    const house = withAlias({ outside: { cache, aliases: [{ from: `${FROM}.`, to: `${TO}.` }] } });
    assert.deepEqual(rows((await ask(house, { answers: [A] })).answers), [cname(20), address(20)]);
    house.pass(20_001);
    assert.deepEqual(rows((await ask(house, { answers: [{ ...A, data: '10.0.0.2' }] })).answers)[1]?.[3], '0a000002');
  });

  test('takes its target out of the cache, where it is there', async () => {
    const house = withAlias();
    house.ask({ name: TO, type: 'A' });
    house.cluster.answer({ answers: [A] });
    house.pass(5000);
    assert.deepEqual(rows((await ask(house, {})).answers), [cname(15), address(15)]);
    assert.equal(house.cluster.asked.length, 0);
  });

  test('is asked for once, however many ask at a time, for it or for its target', async () => {
    const house = withAlias();
    const clients = [await asking(house), await asking(house), house.ask({ name: TO, type: 'A' })];
    assert.equal(house.cluster.asked.length, 1);
    house.cluster.answer({ answers: [A] });
    await turns();
    const counts = clients.map(({ reply }) => reply.answers.length);
    assert.deepEqual(counts, [2, 2, 1]);
    assert.deepEqual([house.flights.count, house.flights.waiters], [0, 0]);
  });

  test('is the CNAME alone to whoever asks for that', async () => {
    const house = withAlias();
    const reply = await ask(house, {}, { type: 'CNAME' });
    assert.deepEqual(rows(reply.answers), [cname(30)]);
    house.pass(1000);
    assert.deepEqual(rows(house.ask({ name: FROM, type: 'CNAME' }).reply.answers), [cname(29)], 'and a hit then');
  });

  test('answers every other type as its target does', async () => {
    const house = withAlias();
    const srv = {
      type: 'SRV',
      name: TO,
      ttl: 9,
      data: { priority: 0, weight: 1, port: 80, target: `a.${TO}` },
    } as const;
    const reply = await ask(house, { answers: [srv] }, { type: 'SRV' });
    assert.deepEqual(
      reply.answers.map(({ owner, type }) => [owner, type]),
      [
        [`${FROM}.`, 5],
        [`${TO}.`, 33],
      ],
    );
    assert.ok(reply.answers[1]?.data.endsWith(hex(`a.${TO}`)));
  });

  test('holds for that very name, class IN, and no other', async () => {
    const house = withAlias();
    for (const question of [{ name: `a.${FROM}` }, { name: 'example.com' }, { class: 4 }])
      await asking(house, question);
    assert.deepEqual([house.outside.asked.length, house.cluster.asked.length], [3, 0]);
  });

  test('may lead to a name of its own zone, of a zone without upstreams, and of hosts entries', async () => {
    const aliases = [
      { from: `${FROM}.`, to: 'www.example.com.' },
      { from: 'here.example.com.', to: 'localhost.' },
      { from: 'db.example.com.', to: 'db.example.net.' },
    ];
    const hosts = [{ address: '192.0.2.7', names: ['db.example.net.'] }];
    const house = withAlias({ outside: { aliases, hosts } });
    const client = await asking(house);
    house.outside.answer({ answers: [{ ...A, name: 'www.example.com' }] });
    await turns();
    assert.equal(client.reply.answers[1]?.data, '0a000001');
    assert.equal((await ask(house, {}, { name: 'here.example.com' })).answers[1]?.data, '7f000001');
    assert.equal((await ask(house, {}, { name: 'db.example.com' })).answers[1]?.data, 'c0000207');
  });

  test('has no AAAA where its zone has none, nor where its target’s zone has none', async () => {
    for (const more of [
      { outside: { hasAaaa: false, aliases: [{ from: `${FROM}.`, to: `${TO}.` }] } },
      { cluster: { hasAaaa: false } },
    ]) {
      const house = withAlias(more);
      const reply = await ask(house, {}, { type: 'AAAA' });
      assert.deepEqual([reply.rcode, reply.answers.filter(({ type }) => type === 28)], [0, []]);
      assert.equal(reply.authorities[0]?.type, 6);
      const counted = ['.', 'cluster.local.'].map((zone) => house.cacheTraffic.read(house.zones.id(zone), NO_AAAA));
      assert.deepEqual(counted.toSorted(), [0, 1]);
    }
  });
});

suite('a target', () => {
  test('that does not exist makes NXDOMAIN, with the CNAME in front and its SOA, kept as long as that says', async () => {
    const house = withAlias();
    const reply = await ask(house, { flags: NXDOMAIN, authorities: [SOA] });
    assert.deepEqual([reply.rcode, rows(reply.answers)], [NXDOMAIN, [cname(5)]]);
    assert.deepEqual(
      reply.authorities.map(({ owner, type, ttl }) => [owner, type, ttl]),
      [['cluster.local.', 6, 5]],
    );
    house.pass(4000);
    assert.equal(house.ask({ name: FROM, type: 'A' }).reply.rcode, NXDOMAIN);
    house.pass(1001);
    assert.deepEqual(rows((await ask(house, { answers: [A] })).answers), [cname(20), address(20)]);
  });

  test('without records of that type makes NODATA, which says nothing of other types', async () => {
    const house = withAlias();
    const reply = await ask(house, { authorities: [SOA] }, { type: 'AAAA' });
    assert.deepEqual([reply.rcode, rows(reply.answers), reply.authorities.length], [0, [cname(5)], 1]);
    assert.deepEqual(rows((await ask(house, { answers: [A] })).answers), [cname(20), address(20)]);
  });

  test('that fails makes SERVFAIL, for a second, with the reason', async () => {
    const house = withAlias();
    const client = await asking(house, { udpSize: 1232 });
    house.cluster.fail('timeout');
    await turns();
    assert.deepEqual([client.reply.rcode, extendedErrors(client.reply)], [SERVFAIL, [22]]);
    assert.equal(house.ask({ name: FROM, type: 'A' }).reply.rcode, SERVFAIL, 'is remembered');
    house.pass(1001);
    assert.equal((await ask(house, { answers: [A] })).answers.length, 2);
  });

  test('that fails leaves what was known before, as stale as it is', async () => {
    const house = withAlias();
    await ask(house, { answers: [A] });
    house.pass(20_001);
    const client = await asking(house, { udpSize: 1232 });
    house.cluster.fail('timeout');
    await turns();
    assert.deepEqual(
      rows(client.reply.answers).map(([owner, type]) => [owner, type]),
      [
        [`${FROM}.`, 5],
        [`${TO}.`, 1],
      ],
    );
    assert.deepEqual(extendedErrors(client.reply), [3]);
  });

  test('that is stale is given, but not kept so', async () => {
    const house = withAlias();
    house.ask({ name: TO, type: 'A' });
    house.cluster.answer({ answers: [A] });
    house.pass(20_001);
    house.cluster.isAllDown = true;
    const reply = await ask(house, {}, { udpSize: 1232 });
    assert.deepEqual(rows(reply.answers), [cname(5), address(5)]);
    assert.deepEqual(extendedErrors(reply), [3]);
    house.cluster.isAllDown = false;
    house.cluster.asked.length = 0;
    house.flush.flush(encodeName(TO), 'update');
    const fresh = await ask(house, { answers: [{ ...A, data: '10.0.0.2' }] });
    assert.equal(fresh.answers[1]?.data, '0a000002');
  });

  test('that is dropped, or whose zone is, takes its aliases with it, and what is just being asked', async () => {
    for (const zone of [TO, 'svc.cluster.local', 'cluster.local']) {
      const house = withAlias();
      await ask(house, { answers: [A] });
      house.flush.flush(encodeName(zone), 'update');
      const late = await asking(house);
      assert.equal(house.cluster.asked.length, 1, zone);
      house.flush.flush(encodeName(zone), 'update');
      house.cluster.answer({ answers: [A] });
      await turns();
      assert.equal(late.reply.answers.length, 2);
      assert.equal((await asking(house)).outcome, HELD);
      house.flush.flush(encodeName('example.net'), 'update');
      house.cluster.answer({ answers: [A] });
      await turns();
      assert.equal(house.ask({ name: FROM, type: 'A' }).outcome, ANSWERED, 'and nothing else does');
    }
  });

  test('that points back is answered as it is, and not kept', async () => {
    const house = withAlias();
    const loop: Sections = { answers: [{ type: 'CNAME', name: TO, ttl: 20, data: FROM }] };
    assert.equal((await ask(house, loop)).answers.length, 2);
    assert.equal((await asking(house)).outcome, HELD, 'is no hit');
  });
});

suite('clients of an alias', () => {
  test('with DO get the target’s signatures, apart from those without', async () => {
    const house = withAlias();
    const rrsig = {
      type: 'RRSIG',
      name: TO,
      ttl: 20,
      data: {
        typeCovered: 'A',
        algorithm: 8,
        labels: 5,
        originalTTL: 20,
        expiration: 2,
        inception: 1,
        keyTag: 3,
        signersName: 'cluster.local',
        signature: Buffer.alloc(8, 1),
      },
    } as const;
    const signed = await ask(house, { flags: FLAGS.AD, answers: [A, rrsig] }, { dnssecOk: true });
    assert.deepEqual(
      signed.answers.map(({ type }) => type),
      [5, 1, 46],
    );
    assert.equal(signed.flags & FLAGS.AD, 0);
    assert.equal((await ask(house, { answers: [A] })).answers.length, 2);
  });

  test('over UDP are told to come back over TCP where it is too much', async () => {
    const house = withAlias();
    const answers = Array.from({ length: 40 }, (_, i) => ({ ...A, data: `10.0.1.${i}` }));
    const cut = await ask(house, { answers });
    assert.ok(cut.isTruncated && cut.length <= 512);
    assert.equal(cut.answers[0]?.type, 5, 'the CNAME is in front of what is left');
    assert.equal(house.ask({ name: FROM, type: 'A', isStream: true }).reply.answers.length, 41);
  });

  test('see its addresses rotate', async () => {
    const house = withAlias();
    await ask(house, { answers: [A, { ...A, data: '10.0.0.2' }] });
    const firsts = [1, 2].map(() => house.ask({ name: FROM, type: 'A' }).reply.answers[1]?.data);
    assert.deepEqual(firsts.toSorted(), ['0a000001', '0a000002']);
  });

  test('that do not want recursion are asked for apart, and nothing of it is kept', async () => {
    const house = withAlias();
    assert.equal((await ask(house, { answers: [A] }, { flags: 0 })).answers.length, 2);
    await asking(house);
    assert.equal(house.cluster.asked.length, 1);
  });

  test('do not notice its end, where there are several: it is refreshed before', async () => {
    const house = withAlias();
    await ask(house, { answers: [A] });
    for (let i = 0; i < 2; i++) house.ask({ name: FROM, type: 'A' });
    house.pass(18_500);
    assert.equal(house.ask({ name: FROM, type: 'A' }).reply.answers.length, 2);
    await turns();
    assert.equal(house.cluster.asked.length, 1, 'its target is asked for, too');
    house.cluster.answer({ answers: [{ ...A, data: '10.0.0.2' }] });
    await turns();
    house.pass(1501);
    assert.equal(house.ask({ name: FROM, type: 'A' }).reply.answers[1]?.data, '0a000002');
  });
});
