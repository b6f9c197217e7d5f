import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeQuestion, FLAGS } from '../../client/message.ts';
import { House } from './house.ts';

const NAME = 'www.example.com';
const A = (data: string, ttl = 300, name = NAME) => ({ type: 'A', name, ttl, data }) as const;
const SOA = (ttl: number, minimum: number, zone = 'example.com') =>
  ({
    type: 'SOA',
    name: zone,
    ttl,
    data: { mname: 'ns.example.com', rname: 'root.example.com', serial: 1, refresh: 1, retry: 1, expire: 1, minimum },
  }) as const;
const NXDOMAIN = 3;
const BUDGET = 8 << 20;

/** Asks once and answers it, so that it is cached. */
function learn(house: House, sections: Parameters<House['outside']['answer']>[0], name = NAME, type = 'A'): void {
  house.ask({ name, type });
  house.outside.answer(sections);
}

test('an answer is asked for once and then given from the cache, with the TTL counted down', () => {
  const house = new House();
  const first = house.ask({ name: NAME, type: 'A' });
  assert.equal(house.outside.asked.length, 1);
  house.outside.answer({ answers: [A('192.0.2.1', 300)] });
  assert.equal(first.reply.answers[0]!.ttl, 300);
  house.pass(10_500);
  const again = house.ask({ name: NAME, type: 'A' }).reply;
  assert.equal(house.outside.asked.length, 0, 'not asked again');
  assert.equal(again.answers[0]!.ttl, 290);
  assert.equal(again.answers[0]!.data, 'c0000201');
});

test('an answer is not given when its time is over, and its last second says TTL 1', () => {
  const house = new House();
  learn(house, { answers: [A('192.0.2.1', 5)] });
  house.pass(4999);
  assert.equal(house.ask({ name: NAME, type: 'A' }).reply.answers[0]!.ttl, 1);
  house.outside.asked.length = 0;
  house.pass(2);
  assert.equal(house.ask({ name: NAME, type: 'A' }).replies.length, 0);
});

test('the lowest TTL of all records is how long the whole answer lives', () => {
  const house = new House();
  learn(house, { answers: [A('192.0.2.1', 300), A('192.0.2.2', 40)] });
  house.pass(40_001);
  house.ask({ name: NAME, type: 'A' });
  assert.equal(house.outside.asked.length, 1);
});

test('the reply repeats the question as the client spelt it, and its ID, RD and CD', () => {
  const house = new House();
  learn(house, { answers: [A('192.0.2.1')] });
  const { reply } = house.ask({ name: 'wWw.ExAmPlE.cOm', type: 'A', id: 0xbeef });
  assert.equal(reply.id, 0xbeef);
  assert.equal(Buffer.from(reply.question, 'hex').toString('latin1', 1, 4), 'wWw');
  assert.equal(reply.flags & FLAGS.RD, FLAGS.RD);
});

test('DO, CD and the class are different questions', () => {
  const house = new House();
  learn(house, { answers: [A('192.0.2.1')] });
  house.ask({ name: NAME, type: 'A', dnssecOk: true });
  house.ask({ name: NAME, type: 'A', flags: FLAGS.RD | FLAGS.CD });
  house.ask({ name: NAME, type: 'A', class: 4 });
  assert.equal(house.outside.asked.length, 3);
});

test('NXDOMAIN answers every type of the name, for the lesser of SOA TTL and MINIMUM', () => {
  const house = new House();
  learn(house, { flags: NXDOMAIN, authorities: [SOA(20, 10)] });
  const { reply } = house.ask({ name: NAME, type: 'AAAA' });
  assert.equal(reply.rcode, NXDOMAIN);
  assert.equal(reply.authorities[0]!.ttl, 10);
  house.pass(10_001);
  house.ask({ name: NAME, type: 'AAAA' });
  assert.equal(house.outside.asked.length, 1);
});

test('NXDOMAIN that the cluster DNS says to TXT does not speak of the name: it says so of namespaces that exist', () => {
  const house = new House();
  const name = 'shop.svc.cluster.local';
  house.ask({ name, type: 'TXT' });
  house.cluster.answer({ flags: NXDOMAIN, authorities: [SOA(30, 30, 'cluster.local')] });
  assert.equal(house.ask({ name, type: 'TXT' }).reply.rcode, NXDOMAIN);
  assert.equal(house.ask({ name, type: 'A' }).replies.length, 0, 'A is asked');
});

test('NXDOMAIN at the end of a CNAME chain speaks of the chain, not of the name', () => {
  const house = new House();
  const cname = { type: 'CNAME', name: NAME, ttl: 60, data: 'gone.example.com' } as const;
  learn(house, { flags: NXDOMAIN, answers: [cname], authorities: [SOA(20, 10)] });
  assert.equal(house.ask({ name: NAME, type: 'A' }).reply.rcode, NXDOMAIN, 'the same question is answered');
  house.ask({ name: NAME, type: 'TXT' });
  assert.equal(house.outside.asked.length, 1, 'another type is asked');
});

test('a name that came to exist is not hidden by what was known before', () => {
  const house = new House();
  learn(house, { answers: [A('192.0.2.1', 60)] });
  learn(house, { flags: NXDOMAIN, authorities: [SOA(30, 30)] }, NAME, 'TXT');
  assert.equal(house.ask({ name: NAME, type: 'A' }).reply.rcode, 0, 'NXDOMAIN never hides a live positive entry');
  house.ask({ name: NAME, type: 'MX', dnssecOk: true });
  house.outside.answer({ answers: [] });
  assert.equal(house.ask({ name: NAME, type: 'MX' }).reply.rcode, NXDOMAIN);
});

test('an answer to type 0 is not taken for one to every type', () => {
  const house = new House();
  const query = encodeQuestion({ name: NAME, type: 'A' });
  query[query.length - 3] = 0;
  house.send(query);
  house.outside.answer({ authorities: [SOA(30, 30)] });
  house.ask({ name: NAME, type: 'A' });
  assert.equal(house.outside.asked.length, 1);
});

test('NODATA is kept for its type alone; without a SOA nothing negative is kept', () => {
  const house = new House();
  learn(house, { authorities: [SOA(30, 30)] }, NAME, 'AAAA');
  assert.equal(house.ask({ name: NAME, type: 'AAAA' }).replies.length, 1);
  house.ask({ name: NAME, type: 'A' });
  house.outside.answer({ answers: [] });
  house.ask({ name: NAME, type: 'A' });
  assert.equal(house.outside.asked.length, 1);
  house.outside.answer({ flags: NXDOMAIN });
  house.ask({ name: NAME, type: 'A' });
  assert.equal(house.outside.asked.length, 1);
});

test('TTL 0 is given to all who waited and not kept', () => {
  const house = new House();
  const waiting = [1, 2, 3].map(() => house.ask({ name: NAME, type: 'A' }));
  assert.equal(house.outside.asked.length, 1, 'asked once');
  house.outside.answer({ answers: [A('192.0.2.1', 0)] });
  for (const client of waiting) assert.equal(client.reply.answers[0]!.ttl, 0);
  house.ask({ name: NAME, type: 'A' });
  assert.equal(house.outside.asked.length, 1);
});

test('a zone bounds how long its answers live', () => {
  const house = new House();
  house.ask({ name: 'web.default.svc.cluster.local', type: 'A' });
  house.cluster.answer({ answers: [A('10.0.0.1', 600, 'web.default.svc.cluster.local')] });
  house.pass(1);
  assert.equal(house.ask({ name: 'web.default.svc.cluster.local', type: 'A' }).reply.answers[0]!.ttl, 30);
  house.ask({ name: 'no.default.svc.cluster.local', type: 'A' });
  house.cluster.answer({ flags: NXDOMAIN, authorities: [SOA(30, 30, 'cluster.local')] });
  assert.equal(house.ask({ name: 'no.default.svc.cluster.local', type: 'A' }).reply.authorities[0]!.ttl, 5);
});

test('addresses rotate from reply to reply, and a CNAME stays in front', () => {
  const house = new House();
  const cname = { type: 'CNAME', name: NAME, ttl: 60, data: 'a.example.com' } as const;
  const addresses = ['192.0.2.1', '192.0.2.2', '192.0.2.3'].map((data) => A(data, 60, 'a.example.com'));
  learn(house, { answers: [cname, ...addresses] });
  const firsts = new Set<string>();
  for (let i = 0; i < 3; i++) {
    const { answers } = house.ask({ name: NAME, type: 'A' }).reply;
    assert.equal(answers[0]!.type, 5);
    assert.deepEqual(
      answers
        .slice(1)
        .map((record) => record.data)
        .sort(),
      ['c0000201', 'c0000202', 'c0000203'],
    );
    firsts.add(answers[1]!.data);
  }
  assert.equal(firsts.size, 3, 'each was first once');
});

test('an answer too large for the client is cut at whole records, and TCP gets all of it', () => {
  const house = new House();
  const answers = Array.from({ length: 100 }, (_, i) => A(`192.0.2.${i}`));
  learn(house, { answers });
  const plain = house.ask({ name: NAME, type: 'A' });
  assert.ok(plain.reply.isTruncated && plain.reply.length <= 512 && plain.reply.answers.length > 0);
  const wide = house.ask({ name: NAME, type: 'A', udpSize: 4096 });
  assert.ok(wide.reply.isTruncated && wide.reply.length <= 1232);
  const stream = house.ask({ name: NAME, type: 'A', isStream: true }).reply;
  assert.equal(stream.isTruncated, false);
  assert.equal(stream.answers.length, 100);
});

test('AD is kept, and given only to clients that ask for it', () => {
  const house = new House();
  learn(house, { flags: 0x0180 | FLAGS.AD, answers: [A('192.0.2.1')] });
  assert.equal(house.ask({ name: NAME, type: 'A' }).reply.flags & FLAGS.AD, 0);
  assert.equal(house.ask({ name: NAME, type: 'A', flags: FLAGS.RD | FLAGS.AD }).reply.flags & FLAGS.AD, FLAGS.AD);
});

test('OPT is answered with OPT of our own, and what the upstream explained is repeated', () => {
  const house = new House();
  const ede = {
    type: 'OPT',
    name: '.',
    udpPayloadSize: 4096,
    flags: 0,
    options: [{ code: 15, data: Buffer.from([0, 4]) }],
  };
  learn(house, { answers: [A('192.0.2.1')], additionals: [ede as never] });
  assert.equal(house.ask({ name: NAME, type: 'A' }).reply.opt, undefined);
  const { opt } = house.ask({ name: NAME, type: 'A', udpSize: 1400 }).reply;
  assert.equal(opt!.udpSize, 1232);
  assert.equal(opt!.options, '000f00020004');
});

test('a reply that was cut on its way is passed on and not kept', () => {
  const house = new House();
  const client = house.ask({ name: NAME, type: 'A' });
  house.outside.answer({ flags: 0x0180 | FLAGS.TC, answers: [A('192.0.2.1')] });
  assert.equal(client.reply.isTruncated, true);
  house.ask({ name: NAME, type: 'A' });
  assert.equal(house.outside.asked.length, 1);
});

test('a step of the wall clock changes nothing', (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 86_400_000 });
  const house = new House();
  learn(house, { answers: [A('192.0.2.1', 300)] });
  t.mock.timers.setTime(0);
  assert.equal(house.ask({ name: NAME, type: 'A' }).reply.answers[0]!.ttl, 300);
});

test('a full cache stays within its budget, and gives up first what is asked least', () => {
  const house = new House(BUDGET);
  const hot = 'hot.example.com';
  learn(house, { answers: [A('192.0.2.9', 3000, hot)] }, hot);
  for (let i = 0; i < 60_000; i++) {
    const name = `n${i}.example.com`;
    const answers = Array.from({ length: 1 + (i % 7) }, (_, k) => A(`10.0.0.${k}`, 300, name));
    learn(house, { answers }, name);
    if (i % 50 === 0) assert.equal(house.ask({ name: hot, type: 'A' }).replies.length, 1, `after ${i}`);
    assert.ok(house.cache.usedBytes <= BUDGET);
  }
  assert.equal(house.flights.count, 0);
  assert.ok(house.cache.size > 10_000);
});

test('answers of every size, in turn, find room', () => {
  const house = new House(BUDGET);
  for (let round = 0; round < 3; round++) {
    for (let records = 1; records < 1000; records += 7) {
      const name = `n${records}-${round}.example.com`;
      const answers = Array.from({ length: records }, (_, k) => A(`10.0.${k >> 8}.${k & 255}`, 300, name));
      learn(house, { answers }, name);
      assert.equal(house.ask({ name, type: 'A', isStream: true }).reply.answers.length, records);
    }
  }
  assert.equal(house.cache.rejected, 0);
  assert.ok(house.cache.usedBytes <= BUDGET);
});
