import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { TRIMMED } from '../../../src/cache/cache-traffic.ts';
import { CACHED_RECORDS, CNAME_CHAIN } from '../../../src/core/limits.ts';
import { extendedErrors, FLAGS } from '../../client/message.ts';
import { optRecord, type WrittenRecord, writeMessage } from '../../wire/message-writer.ts';
import { House } from './house.ts';

const NAME = 'www.example.com';
const A = (name = NAME, data = '192.0.2.1') => ({ type: 'A', name, ttl: 300, data }) as const;
const CNAME = (name: string, data: string) => ({ type: 'CNAME', name, ttl: 300, data }) as const;
const SOA = {
  type: 'SOA',
  name: 'example.com',
  ttl: 60,
  data: { mname: 'ns.example.com', rname: 'a.example.com', serial: 1, refresh: 1, retry: 1, expire: 1, minimum: 60 },
} as const;
const EVIL = A('bank.test', '6.6.6.6');

const owners = (section: readonly { owner: string }[]) => section.map(({ owner }) => owner);
const trimmedOf = (house: House) => house.cacheTraffic.read(house.zones.id('.'), TRIMMED);

/** The oldest question answered with these records, written by hand: OPT wherever it is put. */
function answerWith(house: House, answers: WrittenRecord[], additionals: WrittenRecord[], flags = 0x8180): void {
  const questions = [{ name: NAME.split('.'), type: 1, class: 1 }];
  house.outside.answerBytes(writeMessage({ id: 0, flags, questions, answers, authorities: [], additionals }));
}

const written = (owner: string): WrittenRecord => ({
  owner: owner.split('.'),
  type: 1,
  class: 1,
  ttl: 60,
  data: [Uint8Array.of(192, 0, 2, 1)],
});

suite('records that do not belong to the question', () => {
  test('reach neither the client nor the cache, and are counted', () => {
    const house = new House();
    const first = house.ask({ name: NAME, type: 'A' });
    house.outside.answer({ answers: [EVIL, A()], authorities: [{ ...SOA, name: 'bank.test' }], additionals: [EVIL] });
    for (const { reply } of [first, house.ask({ name: NAME, type: 'A' })]) {
      assert.deepEqual([owners(reply.answers), reply.authorities, reply.additionals], [[`${NAME}.`], [], []]);
      assert.deepEqual(reply.answers[0]!.data, 'c0000201');
    }
    assert.equal(house.outside.asked.length, 0, 'the second came from the cache');
    assert.equal(trimmedOf(house), 1);
  });

  test('make no answer of a CNAME loop, which is not kept', () => {
    const house = new House();
    house.ask({ name: NAME, type: 'A' });
    house.outside.answer({ answers: [CNAME(NAME, 'b.test'), CNAME('b.test', NAME), EVIL] });
    assert.equal(house.cache.size, 0);
  });

  test('are no answer: it is passed on empty, and not kept', () => {
    const house = new House();
    const { reply } = (() => {
      const client = house.ask({ name: NAME, type: 'A' });
      house.outside.answer({ answers: [EVIL, { ...A(), type: 'AAAA', data: '2001:db8::1' }] });
      return client;
    })();
    assert.deepEqual([reply.rcode, reply.answers], [0, []]);
    assert.equal(house.cache.size, 0);
  });

  test('do not make a "no" of another zone one of this name', () => {
    const house = new House();
    house.ask({ name: NAME, type: 'A' });
    house.outside.answer({ flags: 3, authorities: [{ ...SOA, name: 'bank.test' }] });
    assert.equal(house.cache.size, 0, 'without its own SOA it is not kept');
  });

  test('cost the extended error nothing that comes with the answer', () => {
    const house = new House();
    const ede = Uint8Array.of(0, 15, 0, 2, 0, 3);
    for (const additionals of [[optRecord(1232, 0, ede), written('bank.test')], [optRecord(1232, 0, ede)]]) {
      const client = house.ask({ name: NAME, type: 'A', udpSize: 1232, flags: 0 });
      answerWith(house, [written('bank.test'), written(NAME)], additionals);
      assert.deepEqual(extendedErrors(client.reply), [3]);
      assert.equal(client.reply.answers.length, 1);
    }
  });

  test('are left out of an error, too, whose code stays', () => {
    const house = new House();
    const client = house.ask({ name: NAME, type: 'A' });
    house.outside.answer({ flags: 5, answers: [EVIL] });
    assert.deepEqual([client.reply.rcode, client.reply.answers], [5, []]);
  });
});

test('an answer with the SOA of its zone beside it is still an answer', () => {
  const house = new House();
  house.ask({ name: NAME, type: 'A' });
  house.outside.answer({ answers: [A()], authorities: [SOA] });
  assert.equal(house.cache.denials, 0);
  house.pass(59_000);
  assert.equal(house.ask({ name: NAME, type: 'A' }).replies.length, 1);
});

test('a zone without AAAA has none in the additional section, but for those who check signatures', () => {
  const house = new House(undefined, { outside: { hasAaaa: false } });
  const srv = {
    type: 'SRV',
    name: NAME,
    ttl: 60,
    data: { target: 'one.test', port: 80, priority: 0, weight: 0 },
  } as const;
  const additionals = [A('one.test'), { type: 'AAAA', name: 'one.test', ttl: 60, data: '2001:db8::1' }] as const;
  const types = (flags: number) => {
    const client = house.ask({ name: NAME, type: 'SRV', dnssecOk: true, flags });
    house.outside.answer({ answers: [srv], additionals: [...additionals] });
    return client.reply.additionals.map(({ type }) => type);
  };
  assert.deepEqual(types(FLAGS.RD), [1]);
  assert.deepEqual(types(FLAGS.RD | FLAGS.CD), [1, 28]);
  assert.equal(trimmedOf(house), 0);
});

suite('what one answer may bring into the cache', () => {
  test('CNAME records that lead back are passed on, not kept', () => {
    const house = new House();
    const client = house.ask({ name: NAME, type: 'A' });
    house.outside.answer({ answers: [CNAME(NAME, 'b.test'), CNAME('b.test', NAME)] });
    assert.equal(client.reply.answers.length, 2);
    assert.equal(house.cache.size, 0);
  });

  test('a chain that nobody follows to its end is passed on, not kept, and counted', () => {
    const house = new House();
    const hits = CNAME_CHAIN.hits;
    const links = Array.from({ length: CNAME_CHAIN.value + 1 }, (_, i) =>
      CNAME(i === 0 ? NAME : `n${i}.test`, `n${i + 1}.test`),
    );
    const client = house.ask({ name: NAME, type: 'A', isStream: true });
    house.outside.answer({ answers: [...links, A(`n${links.length}.test`)] });
    assert.equal(client.reply.answers.length, links.length + 1);
    assert.deepEqual([house.cache.size, CNAME_CHAIN.hits - hits], [0, 1]);
  });

  test('more records than are counted down are passed on, not kept, and counted', () => {
    const house = new House();
    const hits = CACHED_RECORDS.hits;
    const ask = (count: number) => {
      const client = house.ask({ name: '.', type: 'A', isStream: true });
      const record = Uint8Array.of(0, 0, 1, 0, 1, 0, 0, 0, 60, 0, 0);
      const head = Uint8Array.of(0, 0, 0x81, 0x80, 0, 1, count >> 8, count & 255, 0, 0, 0, 0, 0, 0, 1, 0, 1);
      const message = new Uint8Array(head.length + count * record.length);
      message.set(head);
      for (let i = 0; i < count; i++) message.set(record, head.length + i * record.length);
      house.outside.answerBytes(message);
      assert.equal(client.reply.answers.length, count);
    };
    ask(CACHED_RECORDS.value + 1);
    assert.deepEqual([house.cache.size, CACHED_RECORDS.hits - hits], [0, 1]);
    ask(CACHED_RECORDS.value);
    assert.equal(house.cache.size, 1);
  });
});
