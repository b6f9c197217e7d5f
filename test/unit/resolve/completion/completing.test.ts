import assert from 'node:assert/strict';
import { test } from 'node:test';
import { COMPLETIONS, COMPLETIONS_ASKING } from '../../../../src/core/limits.ts';
import { a, aaaa, brief, NODATA, POD, SearchingWorld, SILENT, TEAM1, USUAL_POD } from './searching-world.ts';

const WWW = `www.example.com.${TEAM1}`;
const TARGET = `${WWW}.>www.example.com.`;
const V4 = `NOERROR ${TARGET} www.example.com. A=c0000201`;
const V4_ONLY = { 'www.example.com A': a('www.example.com'), 'www.example.com AAAA': NODATA };
const DUAL = { 'www.example.com A': a('www.example.com'), 'www.example.com AAAA': aaaa('www.example.com') };
const ABSENT = 'NXDOMAIN SOA';

test('an outside name is answered with the first query of the search, for both types', async () => {
  const world = new SearchingWorld(DUAL);
  const [v4, v6] = await world.both(WWW);
  assert.equal(brief(v4), V4);
  assert.equal(brief(v6), `NOERROR ${TARGET} www.example.com. AAAA=20010db8000000000000000000000001`);
});

test('the second time nothing is asked, and nobody waits', async () => {
  const world = new SearchingWorld(V4_ONLY);
  await world.both(WWW);
  world.take();
  const clients = ['A', 'AAAA'].map((type) => world.house.ask({ from: POD, name: WWW, type }));
  assert.equal(brief(clients[0]!), V4);
  assert.equal(brief(clients[1]!), 'NOERROR SOA');
  assert.deepEqual(world.take(), []);
});

test('all candidates are in the cache: the first query of another pod is answered in the same call', async () => {
  const world = new SearchingWorld(DUAL);
  for (const name of [WWW, 'www.example.com.svc.cluster.local', 'www.example.com.cluster.local', 'www.example.com']) {
    for (const type of ['A', 'AAAA']) await world.ask(name, type, { from: '10.9.9.9' });
  }
  world.take();
  assert.equal(brief(world.house.ask({ from: POD, name: WWW, type: 'A' })), V4);
  assert.deepEqual(world.take(), []);
});

test('the natural "no" that the cache has does not hide completion, nor completion that', async () => {
  const world = new SearchingWorld(DUAL);
  const stranger = { from: '10.9.9.9' };
  assert.equal(brief(await world.ask(WWW, 'A', stranger)), ABSENT);
  assert.equal(brief(await world.ask(WWW, 'A')), V4);
  assert.equal(brief(await world.ask(WWW, 'A', stranger)), ABSENT);
  assert.equal(brief(await world.ask(WWW, 'A')), V4);
});

test('TTLs count down with what the target has, and that of the CNAME is short', async () => {
  const world = new SearchingWorld(DUAL);
  await world.both(WWW);
  world.house.pass(3000);
  const { answers } = (await world.ask(WWW, 'A')).reply;
  assert.deepEqual(
    answers.map(({ ttl }) => ttl),
    [5, 27],
  );
  world.house.pass(25_000);
  world.world.set(`${WWW} A`, NODATA);
  const late = (await world.ask(WWW, 'A')).reply;
  assert.deepEqual(late.answers, []);
});

test('a target with TTL 0 is given to those who wait, and asked again for the next', async () => {
  const world = new SearchingWorld({
    'www.example.com A': a('www.example.com', '192.0.2.1', 0),
    'www.example.com AAAA': NODATA,
  });
  const [v4, v6] = await world.both(WWW);
  assert.equal(brief(v4), V4);
  assert.equal(brief(v6), 'NOERROR SOA');
  assert.equal(world.take().filter((asked) => asked === 'www.example.com A').length, 1);
  assert.equal(brief(await world.ask(WWW, 'A')), V4);
  assert.deepEqual(world.take(), ['www.example.com A']);
});

test('an ExternalName of another namespace leads outside by two CNAMEs', async () => {
  const name = 'ext.team2.svc.cluster.local';
  const cname = { name, type: 'CNAME' as const, ttl: 5, data: 'db.example.net' };
  const world = new SearchingWorld({
    [`${name} A`]: { answers: [cname, { name: 'db.example.net', type: 'A', ttl: 5, data: '192.0.2.9' }] },
    [`${name} AAAA`]: { answers: [cname] },
  });
  const asked = `ext.team2.${TEAM1}`;
  const [v4, v6] = await world.both(asked);
  assert.equal(brief(v4), `NOERROR ${asked}.>${name}. ${name}.>db.example.net. db.example.net. A=c0000209`);
  assert.equal(brief(v6), 'NOERROR SOA');
});

test('a name with as many dots as ndots was asked as it is already, and its search is not completed', async () => {
  const world = new SearchingWorld({ 'a.b.c.d.e.example A': a('a.b.c.d.e.example'), ...DUAL });
  assert.equal(brief(await world.ask(`a.b.c.d.e.example.${TEAM1}`, 'A')), ABSENT);
  const two = new SearchingWorld(DUAL, { ndots: '2' });
  assert.equal(brief(await two.ask(WWW, 'A')), ABSENT);
  const three = new SearchingWorld(DUAL, { ndots: '3' });
  assert.equal(brief(await three.ask(WWW, 'A')), V4);
});

test('a single label is not asked as it is: the resolver may do so itself', async () => {
  const world = new SearchingWorld({ 'web A': a('web') });
  assert.deepEqual((await world.both(`web.${TEAM1}`)).map(brief), [ABSENT, ABSENT]);
  assert.ok(!world.take().includes('web A'));
});

test('what ends in a search suffix already leads to that very name', async () => {
  const name = 'web.team2.svc.cluster.local';
  const world = new SearchingWorld({ [`${name} A`]: a(name), [`${name} AAAA`]: NODATA });
  const asked = `${name}.${TEAM1}`;
  assert.equal(brief(await world.ask(asked, 'A')), `NOERROR ${asked}.>${name}. ${name}. A=c0000201`);
});

test("a pod's own suffixes come behind the cluster's, and before the name as it was typed", async () => {
  const world = new SearchingWorld({ 'wiki.corp.example A': a('wiki.corp.example') }, { searches: ['corp.example'] });
  const asked = `wiki.${TEAM1}`;
  assert.equal(
    brief(await world.ask(asked, 'A')),
    `NOERROR ${asked}.>wiki.corp.example. wiki.corp.example. A=c0000201`,
  );
});

test('without the suffixes of the cluster, the first of the pod is what is completed', async () => {
  const pod = { dnsPolicy: 'None', searches: ['one.test', 'two.test'], ndots: '2' };
  const world = new SearchingWorld({ 'web.two.test A': a('web.two.test') }, pod);
  assert.equal(
    brief(await world.ask('web.one.test', 'A')),
    'NOERROR web.one.test.>web.two.test. web.two.test. A=c0000201',
  );
  assert.equal(brief(await world.ask(`web.${TEAM1}`, 'A')), ABSENT);
});

test('pods of other namespaces get what their own search finds', async () => {
  const world = new SearchingWorld({ 'web.team2.svc.cluster.local A': a('web.team2.svc.cluster.local') });
  world.house.pods.set('2', { ...USUAL_POD, namespace: 'team2', addresses: ['10.1.0.6'] });
  world.house.pass(60_000);
  assert.equal(
    brief(await world.ask('web.team2.svc.cluster.local', 'A', { from: '10.1.0.6' })),
    'NOERROR web.team2.svc.cluster.local. A=c0000201',
  );
  assert.equal(brief(await world.ask(`web.${TEAM1}`, 'A')), ABSENT);
  assert.equal(brief(await world.ask(`web.${TEAM1}`, 'A', { from: '10.1.0.6' })), ABSENT);
});

test('a suffix that is only the end of a label is no suffix', async () => {
  const world = new SearchingWorld({ ...DUAL });
  assert.equal(brief(await world.ask(`www.example.com.x${TEAM1}`, 'A')), ABSENT);
  assert.equal(brief(await world.ask(TEAM1, 'A')), ABSENT);
});

test('a name that would be longer than any with another suffix is not completed', async () => {
  const long = `${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(60)}`;
  const world = new SearchingWorld({ [`${long} A`]: a(long) }, { searches: [`${'d'.repeat(60)}.${'e'.repeat(10)}`] });
  assert.equal(brief(await world.ask(`${long}.${TEAM1}`, 'A')), ABSENT);
});

test('where too much is being decided, queries are answered as they are asked', async () => {
  const world = new SearchingWorld({ ...V4_ONLY, 'slow.example.com A': SILENT });
  const usual = COMPLETIONS_ASKING.value;
  COMPLETIONS_ASKING.value = 1;
  try {
    await world.ask(`slow.example.com.${TEAM1}`, 'A');
    const hits = COMPLETIONS_ASKING.hits;
    assert.equal(brief(await world.ask(WWW, 'A')), ABSENT);
    assert.equal(COMPLETIONS_ASKING.hits, hits + 1);
  } finally {
    COMPLETIONS_ASKING.value = usual;
  }
});

test('as many names as there is room for are remembered, and the oldest gives way', async () => {
  const usual = COMPLETIONS.value;
  COMPLETIONS.value = 10;
  try {
    const world = new SearchingWorld(DUAL);
    for (let i = 0; i < 30; i++) await world.ask(`n${i}.${TEAM1}`, 'A');
    assert.equal(world.house.responder.completion!.decisions.size, 10);
    assert.equal(brief(await world.ask(WWW, 'A')), V4);
  } finally {
    COMPLETIONS.value = usual;
  }
});

test('a name of 256 octets is told to be malformed, not met with silence', async () => {
  const world = new SearchingWorld({});
  const labels = Buffer.concat(Array.from({ length: 4 }, () => Buffer.from(`\x3f${'a'.repeat(63)}`, 'latin1')));
  const head = Buffer.from([0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
  const client = world.house.send(Buffer.concat([head, labels, Buffer.from([0, 0, 1, 0, 1])]), false, POD);
  assert.equal(client.replies[0]![3]! & 15, 1);
});
