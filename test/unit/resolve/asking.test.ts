import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeMessage as decodeWire } from '../../../src/wire/codec.ts';
import { encodeQuestion, FLAGS } from '../../client/message.ts';
import { House, PlayedClient } from './house.ts';

const NAME = 'www.example.com';
const FORMERR = 1;
const NOTIMP = 4;
const answers = [{ type: 'A', name: NAME, ttl: 60, data: '192.0.2.1' } as const];

test('identical questions in flight are asked once, whatever the case of their names', () => {
  const house = new House();
  const clients = [NAME, 'WWW.example.com', NAME].map((name) => house.ask({ name, type: 'A' }));
  assert.equal(house.outside.asked.length, 1);
  house.outside.answer({ answers });
  for (const client of clients) assert.equal(client.reply.answers[0]!.data, 'c0000201');
  assert.equal(Buffer.from(clients[1]!.reply.question, 'hex').toString('latin1', 1, 4), 'WWW', 'each in its own case');
  assert.equal(house.flights.count, 0);
  assert.equal(house.flights.waiters, 0);
});

test('what is asked upstream: RD as the client has it, AD, our own OPT with its DO, and no option of its', () => {
  const house = new House();
  const ecs = Buffer.from([0, 8, 0, 7, 0, 1, 24, 0, 192, 0, 2]);
  house.ask({ name: NAME, type: 'A', udpSize: 4000, dnssecOk: true, options: ecs });
  const { message, end } = house.outside.asked[0]!;
  const query = decodeWire(message.subarray(0, end));
  assert.equal(query.flag_ad, true);
  assert.equal(query.flag_rd, true);
  const opt = query.additionals[0] as unknown as { udpPayloadSize: number; flag_do: boolean; options: unknown[] };
  assert.deepEqual([opt.udpPayloadSize, opt.flag_do, opt.options], [1232, true, []]);
});

test('without RD the cache is asked, and then the question passed on: neither shared nor kept', () => {
  const house = new House();
  house.ask({ name: NAME, type: 'A', flags: 0 });
  house.ask({ name: NAME, type: 'A', flags: 0 });
  house.ask({ name: NAME, type: 'A' });
  assert.equal(house.outside.asked.length, 3);
  assert.equal(decodeWire(house.outside.asked[0]!.message).flag_rd, false);
  house.outside.answer({ answers });
  assert.equal(house.cache.size, 0);
  house.outside.answer({ answers });
  house.outside.answer({ answers });
  assert.equal(house.ask({ name: NAME, type: 'A', flags: 0 }).replies.length, 1, 'answered from the cache');
});

test('a connection whose next question is answered while its answer goes out changes nothing for those behind it', () => {
  const house = new House();
  // A connection that was not read for a while goes on with its questions as soon as it has an answer.
  const client = new PlayedClient(house.traffic, true);
  const other = new PlayedClient(house.traffic, true);
  const send = client.send.bind(client);
  client.send = (reply) => {
    send(reply);
    house.sendAs(other, encodeQuestion({ name: 'localhost', type: 'A' }));
  };
  house.sendAs(client, encodeQuestion({ name: NAME, type: 'A' }));
  const behind = house.ask({ name: NAME, type: 'A' });
  house.outside.answer({ answers: [{ type: 'A', name: NAME, ttl: 0, data: '192.0.2.1' }] });
  assert.equal(other.reply.answers[0]!.data, '7f000001');
  assert.deepEqual(
    behind.reply.answers.map(({ data }) => data),
    ['c0000201'],
  );
});

test('names go to the upstreams of their longest zone', () => {
  const house = new House();
  house.ask({ name: 'web.default.svc.CLUSTER.local', type: 'A' });
  house.ask({ name: 'cluster.local.example.com', type: 'A' });
  assert.deepEqual([house.cluster.asked.length, house.outside.asked.length], [1, 1]);
});

test('a message under 12 bytes or with QR set is dropped; other bad ones are answered', () => {
  const house = new House();
  assert.equal(house.send(Buffer.alloc(11)).replies.length, 0);
  assert.equal(house.ask({ name: NAME, type: 'A', flags: FLAGS.QR }).replies.length, 0);
  const twoQuestions = encodeQuestion({ name: NAME, type: 'A' });
  twoQuestions[5] = 2;
  assert.equal(house.send(twoQuestions).reply.rcode, FORMERR);
  const stateful = Buffer.from([0, 7, 0x30, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  assert.equal(house.send(stateful).reply.rcode, NOTIMP, 'DSO');
  assert.equal(house.send(stateful).reply.flags & 0x7800, 0x3000, 'the opcode is repeated');
});

test('EDNS of another version is answered BADVERS', () => {
  const house = new House();
  const query = encodeQuestion({ name: NAME, type: 'A', udpSize: 1232 });
  query[query.length - 5] = 1;
  const bytes = house.send(query).replies[0]!;
  assert.equal(decodeWire(bytes).rcode, 'BADVERS');
});

test('unknown types, classes and EDNS options are asked and answered like others', () => {
  const house = new House();
  const client = house.ask({
    name: NAME,
    type: 'TYPE65280',
    udpSize: 1232,
    options: Buffer.from([0xfd, 0xe9, 0, 1, 7]),
  });
  house.outside.answer({ answers: [{ type: 'TYPE65280', name: NAME, ttl: 60, data: Buffer.from([1, 2]) }] });
  assert.equal(client.reply.answers[0]!.data, '0102');
  assert.equal(client.reply.opt!.options, '');
  assert.equal(house.ask({ name: NAME, type: 'TYPE65280' }).replies.length, 1);
});

test('CHAOS says who answers, ANY gets one HINFO, localhost and the reverse of loopback never leave', () => {
  const house = new House();
  const text = (name: string) =>
    Buffer.from(house.ask({ name, type: 'TXT', class: 3 }).reply.answers[0]!.data, 'hex').toString();
  assert.match(text('version.bind'), /signpost 1\.2\.3/);
  assert.match(text('ID.server'), /node-1/);
  assert.equal(house.ask({ name: NAME, type: 'ANY' }).reply.answers[0]!.type, 13);
  assert.equal(house.ask({ name: 'localhost', type: 'A' }).reply.answers[0]!.data, '7f000001');
  assert.equal(house.ask({ name: 'db.localhost', type: 'AAAA' }).reply.answers[0]!.data, `${'00'.repeat(15)}01`);
  assert.equal(house.ask({ name: 'localhost', type: 'MX' }).reply.rcode, 0);
  assert.equal(house.ask({ name: '1.0.0.127.in-addr.arpa', type: 'PTR' }).reply.answers.length, 1);
  assert.equal(house.ask({ name: '0.0.127.in-addr.arpa', type: 'PTR' }).reply.rcode, 0);
  assert.equal(house.ask({ name: '9.0.0.127.in-addr.arpa', type: 'PTR' }).reply.rcode, 3);
  const reverse6 = `1.${'0.'.repeat(31)}ip6.arpa`;
  assert.equal(house.ask({ name: reverse6, type: 'PTR' }).reply.answers.length, 1);
  assert.equal(house.outside.asked.length, 0);
});

test('a full table of questions gives SERVFAIL at once, and does not keep it', () => {
  const house = new House();
  for (let i = 0; i < 4096; i++) house.ask({ name: `n${i}.example.com`, type: 'A' });
  const { reply } = house.ask({ name: NAME, type: 'A', udpSize: 1232 });
  assert.equal(reply.rcode, 2);
  assert.match(Buffer.from(reply.opt!.options, 'hex').toString('latin1'), /too many/);
  house.outside.fail('timeout');
  house.ask({ name: NAME, type: 'A' });
  assert.equal(house.outside.asked.length, 4096, 'with room again it is asked');
});

test('a client that asks learns where its answer came from', () => {
  const house = new House();
  const options = Buffer.from([0xfd, 0xff, 0, 0]);
  const origin = (hex: string) => Buffer.from(hex, 'hex').toString('latin1', 4);
  const client = house.ask({ name: NAME, type: 'A', options });
  house.outside.answer({ answers });
  assert.equal(origin(client.reply.opt!.options), '192.0.2.1:53');
  assert.equal(origin(house.ask({ name: NAME, type: 'A', options }).reply.opt!.options), 'cache');
});

test('a reply that is no message gives SERVFAIL and is counted', () => {
  const house = new House();
  const client = house.ask({ name: NAME, type: 'A' });
  const message = Buffer.concat([encodeQuestion({ name: NAME, type: 'A', flags: 0x8180 }), Buffer.from([1, 2, 3])]);
  message[7] = 9;
  house.outside.answerBytes(message);
  assert.equal(client.reply.rcode, 2);
  assert.equal(house.delivery.malformed, 1);
});

test('what is used again after an answer knows nothing of it', () => {
  const house = new House();
  const cookie = Buffer.concat([Buffer.from([0, 10, 0, 200]), Buffer.alloc(200)]);
  const long = `${'a'.repeat(60)}.${'b'.repeat(60)}.${'c'.repeat(60)}.example.com`;
  for (const name of [long, 'Short.Example.com', 'x.test']) {
    const options = name === long ? { dnssecOk: true, options: cookie } : {};
    const [first, second] = [1, 2].map((id) => house.ask({ name, type: 'A', id, ...options }));
    assert.equal(house.outside.asked.length, 1);
    house.outside.answer({ answers: [{ type: 'A', name, ttl: 60, data: '192.0.2.7' }] });
    for (const [id, { reply }] of [
      [1, first!],
      [2, second!],
    ] as const) {
      assert.equal(reply.id, id);
      assert.equal(Buffer.from(reply.question, 'hex').subarray(0, -4).length, name.length + 2);
      assert.deepEqual([reply.opt?.dnssecOk, reply.answers.length], [name === long ? true : undefined, 1]);
    }
    assert.deepEqual([house.flights.count, house.flights.waiters], [0, 0]);
  }
});
