import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KnownServices } from '../../../../src/search/known-services.ts';
import { RCODE_NXDOMAIN, RCODE_SERVFAIL } from '../../../../src/wire/constants.ts';
import { CLUSTER, House, type PlayedClient } from '../house.ts';
import { Cluster, NXDOMAIN, turn, withExpiredCut, withNamespace, Z } from './played-cluster.ts';

const rcodeOf = (client: PlayedClient): number => client.reply.rcode;

test('a name below an unknown namespace is asked together with that, and with its NXDOMAIN nothing below it is asked again', async () => {
  const cluster = new Cluster([]);
  const first = await cluster.ask(`www.example.com.svc.${Z}`);
  assert.deepEqual(first.asked, [`com.svc.${Z} A`, `www.example.com.svc.${Z} A`]);
  for (const name of [`www.example.com.svc.${Z}`, `api.other.COM.svc.${Z}`, `other.com.svc.${Z}`]) {
    for (const type of ['A', 'AAAA', 'SRV', 'TXT']) {
      const { client, asked } = await cluster.ask(name, type);
      assert.deepEqual([asked, rcodeOf(client)], [[], RCODE_NXDOMAIN], `${name} ${type}`);
    }
  }
});

test('a service that does not exist answers all names below it, in its namespace alone', async () => {
  const cluster = new Cluster([`team1.svc.${Z}`, `team2.svc.${Z}`]);
  await cluster.ask(`team1.svc.${Z}`);
  await cluster.ask(`team2.svc.${Z}`);
  const first = await cluster.ask(`www.example.com.team1.svc.${Z}`, 'MX');
  assert.deepEqual(first.asked, [`com.team1.svc.${Z} A`, `www.example.com.team1.svc.${Z} MX`]);
  assert.deepEqual((await cluster.ask(`api.other.com.team1.svc.${Z}`, 'MX')).asked, []);
  assert.equal((await cluster.ask(`www.example.com.team2.svc.${Z}`, 'MX')).asked.length, 2);
});

test('a label before the zone that is neither svc nor pod answers all names below it', async () => {
  const cluster = new Cluster([]);
  await cluster.ask(`www.example.com.${Z}`);
  const { client, asked } = await cluster.ask(`other.com.${Z}`, 'AAAA');
  assert.deepEqual([asked, rcodeOf(client)], [[], RCODE_NXDOMAIN]);
});

test('the answer has the SOA of the cut, names written out, and as much time as that has left', () => {
  const house = new House(2 << 20, { hasSearch: true });
  const ask = house.ask({ name: `com.${Z}`, type: 'A' });
  house.cluster.answerBytes(
    compressedDenial(house.cluster.asked[0]!.message.subarray(0, house.cluster.asked[0]!.questionEnd)),
  );
  assert.equal(ask.reply.rcode, RCODE_NXDOMAIN);
  house.pass(2000);
  const { reply } = house.ask({ name: `WWW.Example.com.${Z}`, type: 'AAAA' });
  assert.equal(reply.rcode, RCODE_NXDOMAIN);
  assert.equal(reply.flags & 0x0400, 0x0400);
  assert.deepEqual(reply.answers, []);
  const [soa, ...others] = reply.authorities;
  assert.deepEqual(others, []);
  // The cluster's "no" lives 5 s without a watch.
  assert.deepEqual([soa!.owner, soa!.type, soa!.ttl], [`${Z}.`, 6, 3]);
  assert.deepEqual(soa!.data, ask.reply.authorities[0]!.data);
  // No Service ever makes it exist: for half a minute it still answers, and no answer for longer than the zone's own.
  house.pass(23_000);
  assert.equal(house.ask({ name: `www.example.com.${Z}`, type: 'AAAA' }).reply.authorities[0]!.ttl, 5);
  house.pass(4000);
  assert.equal(house.ask({ name: `www.example.com.${Z}`, type: 'AAAA' }).reply.authorities[0]!.ttl, 1);
  house.pass(2000);
  assert.equal(house.ask({ name: `www.example.com.${Z}`, type: 'AAAA' }).replies.length, 0);
});

test('a cut that did not exist before is asked alone when its time is over, once for A and AAAA, and answers both', async () => {
  const cluster = new Cluster([]);
  await cluster.ask(`www.example.com.svc.${Z}`);
  cluster.house.pass(6000);
  const clients = ['A', 'AAAA'].map((type) => cluster.house.ask({ name: `api.other.com.svc.${Z}`, type }));
  assert.deepEqual(await cluster.settle(), [`com.svc.${Z} A`]);
  assert.deepEqual(clients.map(rcodeOf), [RCODE_NXDOMAIN, RCODE_NXDOMAIN]);
});

test('a cut that has come to exist sends the name on', async () => {
  const exists = new Set<string>();
  const cluster = new Cluster([], {}, exists);
  await cluster.ask(`pod-0.web.team1.svc.${Z}`);
  for (const name of ['', 'web.', 'pod-0.web.']) exists.add(`${name}team1.svc.${Z}`);
  cluster.house.pass(6000);
  const { client, asked } = await cluster.ask(`pod-0.web.team1.svc.${Z}`);
  assert.deepEqual(asked, [`pod-0.web.team1.svc.${Z} A`, `team1.svc.${Z} A`]);
  assert.equal(client.reply.answers.length, 1);
});

test('a cut that exists is not asked for again', async () => {
  const cluster = new Cluster([`team1.svc.${Z}`, `web.team1.svc.${Z}`, `pod-0.web.team1.svc.${Z}`]);
  await cluster.ask(`web.team1.svc.${Z}`);
  const { asked } = await cluster.ask(`pod-0.web.team1.svc.${Z}`);
  assert.deepEqual(asked, [`pod-0.web.team1.svc.${Z} A`]);
  cluster.house.pass(60_000);
  assert.deepEqual((await cluster.ask(`pod-0.web.team1.svc.${Z}`)).asked, [`pod-0.web.team1.svc.${Z} A`]);
});

test('a cut that answers late, or not at all, holds up nobody: the name is asked by itself', async () => {
  const { house } = await withExpiredCut();
  const client = house.ask({ name: `api.other.com.svc.${Z}`, type: 'A' });
  assert.equal(house.cluster.asked.length, 1);
  house.pass(300);
  assert.equal(house.cluster.asked.length, 2);
  house.cluster.asked.push(house.cluster.asked.shift()!);
  house.cluster.answer(NXDOMAIN);
  assert.equal(rcodeOf(client), RCODE_NXDOMAIN);
  // The late one is kept, and nothing else comes of it.
  house.cluster.answer(NXDOMAIN);
  await turn();
  assert.equal(client.replies.length, 1);
  assert.equal(rcodeOf(house.ask({ name: `third.com.svc.${Z}`, type: 'A' })), RCODE_NXDOMAIN);
});

test('a cut that fails sends the name on, and a failure is no cut', async () => {
  const { house } = await withExpiredCut();
  const client = house.ask({ name: `api.other.com.svc.${Z}`, type: 'A' });
  house.cluster.answer({ flags: 0x0182 });
  await turn();
  assert.equal(house.cluster.asked.length, 1);
  house.cluster.answer({ flags: 0x0182 });
  assert.equal(rcodeOf(client), RCODE_SERVFAIL);
  // For the second that a failure lasts, the cut is not asked for again.
  house.ask({ name: `third.com.svc.${Z}`, type: 'A' });
  assert.equal(house.cluster.asked.length, 1);
});

test('a live answer is never hidden by what is said of a name above it', async () => {
  const cluster = new Cluster([`team1.svc.${Z}`, `pod-0.web.team1.svc.${Z}`]);
  await cluster.ask(`pod-0.web.team1.svc.${Z}`);
  // No endpoint was ready a moment ago.
  assert.equal(rcodeOf((await cluster.ask(`web.team1.svc.${Z}`)).client), RCODE_NXDOMAIN);
  assert.equal((await cluster.ask(`pod-0.web.team1.svc.${Z}`)).client.reply.answers.length, 1);
  const { client, asked } = await cluster.ask(`pod-0.web.team1.svc.${Z}`, 'AAAA');
  assert.deepEqual([asked, rcodeOf(client)], [[`pod-0.web.team1.svc.${Z} AAAA`], 0]);
});

test('the last good answer is not hidden either, where such are kept', async () => {
  const policy = { ...CLUSTER, keepLastGoodSeconds: 60 };
  const exists = new Set([`team1.svc.${Z}`, `pod-0.web.team1.svc.${Z}`]);
  const cluster = new Cluster([], { cluster: { cache: policy } }, exists);
  await cluster.ask(`pod-0.web.team1.svc.${Z}`);
  exists.clear();
  cluster.house.pass(31_000);
  await cluster.ask(`web.team1.svc.${Z}`);
  const { client } = await cluster.ask(`pod-0.web.team1.svc.${Z}`);
  assert.equal(client.reply.answers.length, 1);
});

test('what would be no cut answers nothing else', async () => {
  for (const [absent, name] of [
    [`_tcp.web.team1.svc.${Z}`, `_http._tcp.web.team1.svc.${Z}`],
    [`dns.${Z}`, `ns.dns.${Z}`],
    [`_zone.web.team1.svc.${Z}`, `az1._zone.web.team1.svc.${Z}`],
    [`team1.pod.${Z}`, `10-0-0-1.team1.pod.${Z}`],
    [`pod.${Z}`, `10-0-0-1.team1.pod.${Z}`],
    [`svc.${Z}`, `web.team1.svc.${Z}`],
    [Z, `web.team1.svc.${Z}`],
  ] as const) {
    const cluster = new Cluster([`team1.svc.${Z}`]);
    await cluster.ask(absent);
    const { asked } = await cluster.ask(name, 'SRV');
    assert.ok(asked.includes(`${name} SRV`), name);
  }
});

test('NXDOMAIN behind a CNAME is no cut: it speaks of the name that it leads to', async () => {
  const name = `alias.team1.svc.${Z}`;
  const { house } = await withNamespace('team1');
  house.ask({ name, type: 'A' });
  house.cluster.answer({ ...NXDOMAIN, answers: [{ name, type: 'CNAME', class: 'IN', ttl: 30, data: 'gone.example' }] });
  house.ask({ name: `x.${name}`, type: 'A' });
  assert.equal(house.cluster.asked.length, 1);
});

test('what is not class IN, has DO, CD or no RD, or asks for SOA or DS, is asked as ever', async () => {
  const cluster = new Cluster([]);
  await cluster.ask(`www.example.com.${Z}`);
  const name = `api.example.com.${Z}`;
  for (const question of [
    { name, type: 'A', class: 4 },
    { name, type: 'A', dnssecOk: true },
    { name, type: 'A', flags: 0x0110 },
    { name, type: 'A', flags: 0 },
    { name, type: 'SOA' },
    { name, type: 'DS' },
  ]) {
    const client = cluster.house.ask(question);
    assert.equal(client.replies.length, 0);
    assert.equal(cluster.house.cluster.asked.length, 1);
    await cluster.settle();
  }
});

test('other zones, also inside the cluster zone, and --search off, are left alone', async () => {
  const outside = new House(2 << 20, { hasSearch: true, more: [{ zone: `corp.${Z}.` }] });
  for (const house of [outside, new House()]) {
    house.ask({ name: `corp.${Z}`, type: 'A' });
    house.ask({ name: `b.corp.${Z}`, type: 'A' });
    const upstream = house === outside ? house.outside : house.cluster;
    assert.equal(upstream.asked.length, 2);
    upstream.answer(NXDOMAIN);
    upstream.answer(NXDOMAIN);
    assert.equal(house.ask({ name: `a.b.corp.${Z}`, type: 'A' }).replies.length, 0);
    assert.equal(upstream.asked.length, 1);
  }
});

test('while all upstreams are down a known cut goes on to say no, with its extended error', async () => {
  const { house } = await withExpiredCut();
  house.cluster.isAllDown = true;
  const { reply } = house.ask({ name: `new.com.svc.${Z}`, type: 'A', udpSize: 1232 });
  assert.equal(reply.rcode, RCODE_NXDOMAIN);
  assert.match(reply.opt!.options, /^000f00020013/);
  assert.equal(reply.authorities[0]!.ttl, 5);
});

test('while all upstreams are down, what the name itself had goes before a cut whose time is over as well', async () => {
  const name = `pod-0.web.team1.svc.${Z}`;
  const cluster = await withNamespace('team1', name);
  await cluster.ask(name);
  // No endpoint was ready a moment ago.
  await cluster.ask(`web.team1.svc.${Z}`);
  cluster.house.pass(31_000);
  cluster.house.cluster.isAllDown = true;
  const { reply } = cluster.house.ask({ name, type: 'A', udpSize: 1232 });
  assert.deepEqual([reply.rcode, reply.answers.length], [0, 1]);
  assert.equal(rcodeOf(cluster.house.ask({ name: `pod-1.web.team1.svc.${Z}`, type: 'A' })), RCODE_NXDOMAIN);
});

test('with the Services known, what lies below one that does not exist is not asked for', async () => {
  const services = new KnownServices();
  services.put('team1', 'web');
  services.setFollowed(true);
  const cluster = new Cluster([`team1.svc.${Z}`, `web.team1.svc.${Z}`], { services });
  // The first has to be asked: only from the cluster DNS we know how it says no.
  assert.equal((await cluster.ask(`x.db.team1.svc.${Z}`, 'MX')).asked.length, 2);
  await cluster.ask(`team9.svc.${Z}`);
  for (const name of [`y.db.team1.svc.${Z}`, `www.example.com.team1.svc.${Z}`, `_http._tcp.web.team9.svc.${Z}`]) {
    const { client, asked } = await cluster.ask(name, 'TXT');
    assert.deepEqual([asked, rcodeOf(client)], [[], RCODE_NXDOMAIN], name);
    assert.deepEqual([client.reply.authorities[0]!.owner, client.reply.authorities[0]!.ttl], [`${Z}.`, 5]);
  }
  const { client, asked } = await cluster.ask(`web.team1.svc.${Z}`);
  assert.deepEqual([asked, client.reply.answers.length], [[`web.team1.svc.${Z} A`], 1]);
  assert.deepEqual((await cluster.ask(`pod-0.web.team1.svc.${Z}`)).asked, [`pod-0.web.team1.svc.${Z} A`]);
});

test('the own name of a Service that is not known is asked for, and its "no" is kept', async () => {
  const cluster = await withNamespace('team1');
  cluster.services.setFollowed(true);
  const name = `db.team1.svc.${Z}`;
  const first = await cluster.ask(name);
  assert.deepEqual([first.asked.includes(`${name} A`), rcodeOf(first.client)], [true, RCODE_NXDOMAIN]);
  const { client, asked } = await cluster.ask(name, 'AAAA');
  assert.deepEqual([asked, rcodeOf(client)], [[], RCODE_NXDOMAIN]);
});

test('what the cluster DNS has at the name of a Service that is not known is found, and what it has below that', async () => {
  const cluster = await withNamespace('team1', `www.team1.svc.${Z}`, `pod-0.www.team1.svc.${Z}`);
  cluster.services.setFollowed(true);
  assert.equal((await cluster.ask(`www.team1.svc.${Z}`)).client.reply.answers.length, 1);
  assert.equal((await cluster.ask(`pod-0.www.team1.svc.${Z}`)).client.reply.answers.length, 1);
});

test('a namespace in which all was answered by the Services is asked for once, so that search paths can be gone ahead', async () => {
  const cluster = await withNamespace('team1', `team2.svc.${Z}`);
  cluster.services.setFollowed(true);
  // From what was said of team1 it is known how the zone says no.
  assert.deepEqual((await cluster.ask(`www.example.com.team1.svc.${Z}`, 'MX')).asked, []);
  assert.deepEqual((await cluster.ask(`www.example.com.team2.svc.${Z}`)).asked, [`team2.svc.${Z} A`]);
  cluster.house.pass(60_000);
  assert.equal((await cluster.ask(`www.example.com.team2.svc.${Z}`)).asked.includes('www.example.com A'), true);
});

test('where the cluster DNS says no in the name of another zone, Services that are not known are asked for', async () => {
  const services = new KnownServices();
  services.setFollowed(true);
  const house = new House(2 << 20, { hasSearch: true, services });
  const soa = { ...NXDOMAIN.authorities![0]!, name: 'local' } as const;
  for (let i = 0; i < 3; i++) {
    const client = house.ask({ name: `n${i}.db.team${i}.svc.${Z}`, type: 'TXT' });
    assert.equal(client.replies.length, 0);
    while (house.cluster.asked.length > 0) house.cluster.answer({ ...NXDOMAIN, authorities: [soa] });
  }
});

test('a Service that is known is not hidden by what was said of its namespace before there was one', async () => {
  const services = new KnownServices();
  services.setFollowed(true);
  const exists = new Set<string>();
  const cluster = new Cluster([], { services }, exists);
  await cluster.ask(`new.svc.${Z}`);
  services.put('new', 'web');
  exists.add(`web.new.svc.${Z}`).add(`pod-0.web.new.svc.${Z}`);
  assert.equal((await cluster.ask(`web.new.svc.${Z}`)).client.reply.answers.length, 1);
  assert.equal((await cluster.ask(`pod-0.web.new.svc.${Z}`)).client.reply.answers.length, 1);
});

test('Services that are no more followed are asked for', async () => {
  const services = new KnownServices();
  services.setFollowed(true);
  const cluster = new Cluster([`team1.svc.${Z}`], { services });
  await cluster.ask(`team1.svc.${Z}`);
  assert.deepEqual((await cluster.ask(`x.db.team1.svc.${Z}`, 'TXT')).asked, []);
  services.setFollowed(false);
  const { asked } = await cluster.ask(`x.db.team1.svc.${Z}`, 'TXT');
  assert.deepEqual(asked, [`db.team1.svc.${Z} A`, `x.db.team1.svc.${Z} TXT`]);
});

/** CoreDNS's NXDOMAIN to this question below the zone: each name of the SOA leads back to the question. */
function compressedDenial(query: Uint8Array): Uint8Array {
  const question = query.subarray(12);
  const zoneAt = 12 + question[0]! + 1;
  const pointer = [0xc0, zoneAt];
  const rdata = [...[2, 0x6e, 0x73, 3, 0x64, 0x6e, 0x73], ...pointer, 10, ...Buffer.from('hostmaster'), ...pointer];
  const numbers = [0x65, 0, 0, 1, 0, 0, 0x1c, 0x20, 0, 0, 7, 8, 0, 1, 0x51, 0x80, 0, 0, 0, 30];
  const header = [0, 0, 0x85, 0x83, 0, 1, 0, 0, 0, 1, 0, 0];
  const length = rdata.length + numbers.length;
  return Uint8Array.from([
    ...header,
    ...question,
    ...pointer,
    0,
    6,
    0,
    1,
    0,
    0,
    0,
    30,
    0,
    length,
    ...rdata,
    ...numbers,
  ]);
}
