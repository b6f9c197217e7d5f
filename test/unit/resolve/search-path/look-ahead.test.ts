import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LOOK_AHEADS } from '../../../../src/core/limits.ts';
import { RCODE_NXDOMAIN } from '../../../../src/wire/constants.ts';
import { Cluster, NXDOMAIN, turn, withNamespace, Z } from './played-cluster.ts';

test('once the first name of a search path is known to be absent, the others and the bare name are looked up, and their answers are at hand', async () => {
  const cluster = await withNamespace('team1', 'www.example.com');
  const first = await cluster.ask(`www.example.com.team1.svc.${Z}`);
  assert.deepEqual(
    first.asked,
    [
      `com.team1.svc.${Z} A`,
      `www.example.com.team1.svc.${Z} A`,
      `com.svc.${Z} A`,
      `www.example.com.svc.${Z} A`,
      `com.${Z} A`,
      `www.example.com.${Z} A`,
      'www.example.com A',
    ].sort(),
  );
  for (const name of [`www.example.com.svc.${Z}`, `www.example.com.${Z}`]) {
    const { client, asked } = await cluster.ask(name);
    assert.deepEqual([asked, client.reply.rcode], [[], RCODE_NXDOMAIN]);
  }
  const { client, asked } = await cluster.ask('www.example.com');
  assert.deepEqual([asked, client.reply.answers.length], [[], 1]);
  cluster.house.pass(5000);
  assert.equal(cluster.house.resolver.ahead.count().used, 3);
});

test('a second name with the same end costs one question in all: the bare one', async () => {
  const cluster = await withNamespace('team1', 'www.example.com', 'www.other.com');
  await cluster.ask(`www.example.com.team1.svc.${Z}`);
  assert.deepEqual((await cluster.ask(`www.other.com.team1.svc.${Z}`)).asked, ['www.other.com A']);
});

test('A and AAAA are each looked up as they were asked, and other types not at all', async () => {
  const cluster = await withNamespace('team1', 'www.example.com', 'www.other.com');
  await cluster.ask(`www.example.com.team1.svc.${Z}`);
  assert.deepEqual((await cluster.ask(`www.other.com.team1.svc.${Z}`)).asked, ['www.other.com A']);
  assert.deepEqual((await cluster.ask(`www.other.com.team1.svc.${Z}`, 'AAAA')).asked, ['www.other.com AAAA']);
  assert.deepEqual((await cluster.ask(`www.other.com.team1.svc.${Z}`, 'MX')).asked, []);
});

test('it stops at the first name that exists, so that a name of the cluster is not asked outside', async () => {
  const cluster = await withNamespace('team1', `team2.svc.${Z}`, `web.team2.svc.${Z}`);
  await cluster.ask(`web.team2.team1.svc.${Z}`);
  const { client, asked } = await cluster.ask(`web.team2.svc.${Z}`);
  assert.deepEqual([asked, client.reply.answers.length], [[], 1]);
  assert.equal(cluster.isAsked('web.team2'), false);
});

test('a single label never leaves the cluster', async () => {
  const cluster = await withNamespace('team1');
  cluster.services.setFollowed(true);
  const { asked } = await cluster.ask(`redis.team1.svc.${Z}`);
  assert.deepEqual(asked, [`redis.${Z} A`, `redis.svc.${Z} A`, `redis.team1.svc.${Z} A`]);
  assert.equal(cluster.isAsked('redis'), false);
});

test('a name with five dots was asked as it is before it was searched, and is not again', async () => {
  const cluster = await withNamespace('team1');
  await cluster.ask(`a.b.c.d.e.example.team1.svc.${Z}`);
  assert.equal(cluster.isAsked('a.b.c.d.e.example'), false);
  await cluster.ask(`b.c.d.e.example.team1.svc.${Z}`);
  assert.equal(cluster.isAsked('b.c.d.e.example'), true);
});

test('only below a namespace that exists: all other names of a search path look as if they were the first of another', async () => {
  const cluster = new Cluster([]);
  await cluster.ask(`www.example.com.svc.${Z}`);
  await cluster.ask(`www.example.com.svc.${Z}`);
  assert.deepEqual([cluster.isAsked('www.example'), cluster.house.resolver.ahead.begun], [false, 0]);
});

test('the names of a path that is gone down lead to no path of their own', async () => {
  const cluster = await withNamespace('team1', `team2.svc.${Z}`);
  await cluster.ask(`team2.svc.${Z}`);
  // In team1 somebody looks for a.gone.team2, of which the second name seems to be what somebody in team2 looks for.
  await cluster.ask(`a.gone.team2.team1.svc.${Z}`);
  await cluster.ask(`a.gone.team2.svc.${Z}`);
  assert.equal(cluster.isAsked('a.gone'), false);
  assert.equal(cluster.house.resolver.ahead.begun, 1);
});

test('names with underscores, and queries that are not to be answered from other names, are not gone ahead of', async () => {
  const cluster = await withNamespace('team1');
  await cluster.ask(`_http._tcp.example.com.team1.svc.${Z}`);
  cluster.house.ask({ name: `www.example.com.team1.svc.${Z}`, type: 'A', dnssecOk: true });
  cluster.house.ask({ name: `www.example.com.team1.svc.${Z}`, type: 'A', flags: 0 });
  await cluster.settle();
  assert.equal(cluster.house.resolver.ahead.begun, 0);
});

test('a name that the resolver asks in the same moment is one question with that which is asked ahead', async () => {
  const { house } = await withNamespace('team1');
  house.ask({ name: `com.team1.svc.${Z}`, type: 'A' });
  house.cluster.answer(NXDOMAIN);
  house.ask({ name: `www.example.com.team1.svc.${Z}`, type: 'A' });
  await turn();
  const before = house.cluster.asked.length;
  house.ask({ name: `www.example.com.svc.${Z}`, type: 'A' });
  assert.equal(house.cluster.asked.length, before);
  assert.equal(house.resolver.ahead.count().used, 1);
});

test('what nobody asks is not counted as used, and paths are bounded in number', async () => {
  const { house } = await withNamespace('team1');
  house.ask({ name: `com.team1.svc.${Z}`, type: 'A' });
  house.cluster.answer(NXDOMAIN);
  const before = LOOK_AHEADS.hits;
  for (let i = 0; i <= LOOK_AHEADS.value; i++) house.ask({ name: `n${i}.com.team1.svc.${Z}`, type: 'A' });
  assert.deepEqual([house.resolver.ahead.begun, LOOK_AHEADS.hits - before], [LOOK_AHEADS.value, 1]);
  for (let i = 0; i < 50; i++) await turn();
  while (house.cluster.asked.length > 0) house.cluster.answer(NXDOMAIN);
  for (let i = 0; i < 50; i++) await turn();
  house.pass(5000);
  assert.equal(house.resolver.ahead.count().used, 0);
});

test('where hardly anybody asks what was asked ahead, nobody is gone ahead of for half a minute', async () => {
  const cluster = await withNamespace('team1');
  cluster.services.setFollowed(true);
  // Fully qualified, as a monitor may ask them.
  const absent = (i: number) => cluster.ask(`n${i}.team1.svc.${Z}`);
  for (let i = 0; i < 40; i++) await absent(i);
  cluster.house.pass(5000);
  await absent(40);
  assert.equal(cluster.house.resolver.ahead.pauses, 1);
  assert.deepEqual((await absent(41)).asked, [`n41.team1.svc.${Z} A`]);
  cluster.house.pass(31_000);
  assert.equal((await absent(42)).asked.length, 3);
});
