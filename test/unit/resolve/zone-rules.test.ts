import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { FROM_HOSTS, NO_AAAA, REFUSED } from '../../../src/cache/cache-traffic.ts';
import { HOST_ADDRESSES } from '../../../src/core/limits.ts';
import { extendedErrors, FLAGS, type Message } from '../../client/message.ts';
import { House } from './house.ts';

const NXDOMAIN = 3;
const RCODE_REFUSED = 5;
const SOA = 6;
const NAME = 'www.example.com';
const DENIAL = {
  type: 'SOA',
  name: 'example.com',
  ttl: 30,
  data: { mname: 'ns.example.com', rname: 'a.example.com', serial: 1, refresh: 1, retry: 1, expire: 1, minimum: 30 },
} as const;

/** The rows of a reply that a stub resolver acts on. */
const said = ({ rcode, answers, authorities }: Message) => ({
  rcode,
  data: answers.map(({ data }) => data).sort(),
  denials: authorities.map(({ type, owner }) => `${type} ${owner}`),
});
const nothing = (zone: string) => ({ rcode: 0, data: [], denials: [`${SOA} ${zone}`] });

suite('a zone without AAAA', () => {
  const off = () => new House(undefined, { outside: { hasAaaa: false } });

  test('answers AAAA with NODATA and a SOA, and asks nobody', () => {
    const house = off();
    assert.deepEqual(said(house.ask({ name: NAME, type: 'AAAA' }).reply), nothing('.'));
    assert.equal(house.outside.asked.length, 0);
    assert.equal(house.cacheTraffic.read(house.zones.id('.'), NO_AAAA), 1);
  });

  test('says NODATA to AAAA, never NXDOMAIN, of a name that does not exist', () => {
    const house = off();
    house.ask({ name: NAME, type: 'A' });
    house.outside.answer({ flags: NXDOMAIN, authorities: [DENIAL] });
    assert.equal(house.ask({ name: NAME, type: 'A' }).reply.rcode, NXDOMAIN, 'A is kept');
    assert.deepEqual(said(house.ask({ name: NAME, type: 'AAAA' }).reply), nothing('.'));
  });

  test('leaves other types, other zones and other classes alone', () => {
    const house = off();
    house.ask({ name: NAME, type: 'A' });
    house.ask({ name: NAME, type: 'HTTPS' });
    house.ask({ name: NAME, type: 'AAAA', class: 4 });
    house.ask({ name: 'web.shop.svc.cluster.local', type: 'AAAA' });
    assert.deepEqual([house.outside.asked.length, house.cluster.asked.length], [3, 1]);
  });

  test('gives the truth to a client that checks signatures, for it would see a forgery', () => {
    const house = off();
    assert.equal(house.ask({ name: NAME, type: 'AAAA', dnssecOk: true }).reply.rcode, 0);
    assert.equal(house.outside.asked.length, 0, 'DO alone only says that signatures are understood');
    house.ask({ name: NAME, type: 'AAAA', dnssecOk: true, flags: FLAGS.RD | FLAGS.CD });
    assert.equal(house.outside.asked.length, 1);
  });
});

suite('hosts entries', () => {
  const hosts = [
    { address: '192.0.2.1', names: ['db.example.com.', 'store.example.com.'] },
    { address: '192.0.2.2', names: ['db.example.com.'] },
    { address: '192.0.2.1', names: ['late.example.com.'] },
    { address: '2001:db8::1', names: ['six.example.com.'] },
    { address: '127.0.1.1', names: ['node-1.example.com.'] },
  ];
  const withHosts = () => new House(undefined, { outside: { hosts } });

  test('answer A and AAAA, whatever the case of the name', () => {
    const house = withHosts();
    assert.deepEqual(said(house.ask({ name: 'Store.EXAMPLE.com', type: 'A' }).reply).data, ['c0000201']);
    const six = said(house.ask({ name: 'six.example.com', type: 'AAAA' }).reply);
    assert.deepEqual(six.data, ['20010db8000000000000000000000001']);
    assert.equal(house.outside.asked.length, 0);
    assert.equal(house.cacheTraffic.read(house.zones.id('.'), FROM_HOSTS), 2);
  });

  test('of one name take turns', () => {
    const house = withHosts();
    const first = () => house.ask({ name: 'db.example.com', type: 'A' }).reply.answers.map(({ data }) => data);
    const [one, other] = [first(), first()];
    assert.deepEqual(one.toSorted(), ['c0000201', 'c0000202']);
    assert.deepEqual(one, other.toReversed());
  });

  test('have no address of the other family, and nothing else: NODATA with a SOA', () => {
    const house = withHosts();
    for (const type of ['AAAA', 'TXT', 'MX', 'HTTPS']) {
      assert.deepEqual(said(house.ask({ name: 'db.example.com', type }).reply), nothing('.'), type);
    }
    assert.deepEqual(said(house.ask({ name: 'six.example.com', type: 'A' }).reply), nothing('.'));
    assert.equal(house.outside.asked.length, 0);
  });

  test('say nothing of names below and above them', () => {
    const house = withHosts();
    for (const name of ['a.db.example.com', 'example.com', 'xdb.example.com']) house.ask({ name, type: 'A' });
    assert.equal(house.outside.asked.length, 3);
  });

  test('answer the PTR of their addresses with the first name of the first line', () => {
    const house = withHosts();
    const ptr = (name: string) => house.ask({ name, type: 'PTR' }).reply.answers.map(({ data }) => nameOf(data));
    assert.deepEqual(ptr('1.2.0.192.in-addr.arpa'), ['db.example.com']);
    assert.deepEqual(ptr(`1.${'0.'.repeat(23)}8.b.d.0.1.0.0.2.ip6.arpa`), ['six.example.com']);
    assert.deepEqual(ptr('1.1.0.127.in-addr.arpa'), ['node-1.example.com'], 'in a zone that is local, too');
    assert.deepEqual(ptr('1.0.0.127.in-addr.arpa'), ['localhost']);
    house.ask({ name: '9.2.0.192.in-addr.arpa', type: 'PTR' });
    house.ask({ name: '1.2.0.192.in-addr.arpa', type: 'TXT' });
    assert.equal(house.outside.asked.length, 2, 'what they do not speak of is asked');
  });

  test('answer PTR whatever zone has the reverse name, and names in their own zone alone', () => {
    const cluster = { hosts: [{ address: '10.0.0.9', names: ['db.cluster.local.'] }] };
    const house = new House(undefined, { cluster, outside: { hosts }, more: [{ zone: '10.in-addr.arpa.' }] });
    assert.equal(house.ask({ name: '9.0.0.10.in-addr.arpa', type: 'PTR' }).reply.answers.length, 1);
    assert.deepEqual(said(house.ask({ name: 'db.cluster.local', type: 'TXT' }).reply), nothing('cluster.local.'));
    house.ask({ name: 'db.cluster.local.example.com', type: 'A' });
    assert.equal(house.outside.asked.length, 1);
  });

  test('win over a zone that has no AAAA', () => {
    const house = new House(undefined, { outside: { hosts, hasAaaa: false } });
    assert.equal(house.ask({ name: 'six.example.com', type: 'AAAA' }).reply.answers.length, 1);
  });

  test('are there and gone with the configuration', () => {
    const house = new House();
    house.apply({ outside: { hosts } });
    assert.equal(house.ask({ name: 'db.example.com', type: 'A' }).reply.answers.length, 2);
    house.apply({});
    assert.equal(house.ask({ name: 'db.example.com', type: 'A' }).replies.length, 0);
  });

  test('of more addresses than an answer has room for, so many are given', () => {
    const crowd = Array.from({ length: 5000 }, (_, i) => ({
      address: `10.1.${i >> 8}.${i & 255}`,
      names: ['crowd.test.'],
    }));
    const { value, hits } = HOST_ADDRESSES;
    const house = new House(undefined, { outside: { hosts: crowd } });
    assert.ok(HOST_ADDRESSES.hits > hits);
    assert.equal(house.ask({ name: 'crowd.test', type: 'A', isStream: true }).reply.answers.length, value);
  });

  test('may be ten thousand', () => {
    const many = Array.from({ length: 10_000 }, (_, i) => ({
      address: `10.0.${i >> 8}.${i & 255}`,
      names: [`host-${i}.example.com.`],
    }));
    const house = new House(undefined, { outside: { hosts: many } });
    for (const i of [0, 4711, 9999]) {
      assert.equal(house.ask({ name: `host-${i}.example.com`, type: 'A' }).reply.answers.length, 1);
    }
    house.ask({ name: 'host-10000.example.com', type: 'A' });
    assert.equal(house.outside.asked.length, 1);
  });
});

suite('a refuse list', () => {
  const refuse = ['ads.example.com.', 'corp.example.'];

  test('refuses every question at and below its names, says why, and asks nobody', () => {
    const house = new House(undefined, { outside: { refuse } });
    for (const name of ['ads.example.com', 'a.b.ADS.example.com', 'corp.example']) {
      for (const type of ['A', 'TXT', 'ANY']) {
        const { reply } = house.ask({ name, type, udpSize: 1232 });
        assert.equal(reply.rcode, RCODE_REFUSED, `${name} ${type}`);
        assert.deepEqual(extendedErrors(reply), [15]);
      }
    }
    assert.equal(house.outside.asked.length, 0);
    assert.equal(house.cacheTraffic.read(house.zones.id('.'), REFUSED), 9);
    assert.equal(house.zones.size, new House().zones.size, 'counted with the zone that refuses');
  });

  test('leaves the names beside and above it alone', () => {
    const house = new House(undefined, { outside: { refuse } });
    for (const name of ['example.com', 'xads.example.com', 'example', 'ads.example.com.org'])
      house.ask({ name, type: 'A' });
    assert.equal(house.outside.asked.length, 4);
  });

  test('does not reach into another zone of the configuration, and may be of the whole zone', () => {
    const house = new House(undefined, {
      outside: { refuse: ['com.', 'cluster.local.'] },
      more: [{ zone: 'example.com.' }, { zone: 'shut.example.', refuse: ['shut.example.'] }],
    });
    assert.equal(house.ask({ name: 'other.com', type: 'A' }).reply.rcode, RCODE_REFUSED);
    assert.equal(house.ask({ name: 'a.shut.example', type: 'A' }).reply.rcode, RCODE_REFUSED);
    house.ask({ name: NAME, type: 'A' });
    house.ask({ name: 'a.cluster.local', type: 'A' });
    assert.deepEqual([house.outside.asked.length, house.cluster.asked.length], [1, 1]);
  });
});

function nameOf(data: string): string {
  const bytes = Buffer.from(data, 'hex');
  const labels: string[] = [];
  for (let at = 0; bytes[at]! > 0; at += 1 + bytes[at]!)
    labels.push(bytes.toString('latin1', at + 1, at + 1 + bytes[at]!));
  return labels.join('.');
}
