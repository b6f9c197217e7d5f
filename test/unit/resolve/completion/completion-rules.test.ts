import assert from 'node:assert/strict';
import { test } from 'node:test';
import { COMPLETION_WAITERS, WAITERS } from '../../../../src/core/limits.ts';
import type { Message } from '../../../../src/wire/codec.ts';
import { nameFromText } from '../../../../src/wire/name.ts';
import { a, aaaa, brief, NODATA, POD, SERVFAIL, SearchingWorld, SILENT, TEAM1 } from './searching-world.ts';

const WWW = `www.example.com.${TEAM1}`;
const TARGET = `${WWW}.>www.example.com.`;
const V4 = `NOERROR ${TARGET} www.example.com. A=c0000201`;
const V6 = `NOERROR ${TARGET} www.example.com. AAAA=20010db8000000000000000000000001`;
const ABSENT = 'NXDOMAIN SOA';

const DUAL = { 'www.example.com A': a('www.example.com'), 'www.example.com AAAA': aaaa('www.example.com') };
const V4_ONLY = { 'www.example.com A': a('www.example.com'), 'www.example.com AAAA': NODATA };

async function briefs(world: SearchingWorld, name: string, options = {}): Promise<string[]> {
  return (await world.both(name, options)).map(brief);
}

test('rule 1: what was decided for A holds for AAAA, seconds later and whatever the cache has forgotten', async () => {
  const world = new SearchingWorld(V4_ONLY);
  assert.equal(brief(await world.ask(WWW, 'A')), V4);
  world.house.cache.dropBelow(Uint8Array.of(0));
  world.house.pass(4000);
  assert.equal(brief(await world.ask(WWW, 'AAAA')), 'NOERROR');
});

test('rule 2: the first candidate that exists is the answer, and those behind it are not asked for', async () => {
  const world = new SearchingWorld({
    'web.team2.svc.cluster.local A': a('web.team2.svc.cluster.local', '10.96.0.7'),
    'web.team2.svc.cluster.local AAAA': NODATA,
    'web.team2 A': a('web.team2'),
  });
  const name = `web.team2.${TEAM1}`;
  assert.deepEqual(await briefs(world, name), [
    `NOERROR ${name}.>web.team2.svc.cluster.local. web.team2.svc.cluster.local. A=0a600007`,
    'NOERROR SOA',
  ]);
  assert.ok(!world.take().some((asked) => asked.startsWith('web.team2 ')));
});

test('rule 2: a candidate that exists without addresses ends the search for some resolvers, so all are told "no" and walk', async () => {
  const world = new SearchingWorld({
    ...DUAL,
    'www.example.com.svc.cluster.local A': NODATA,
    'www.example.com.svc.cluster.local AAAA': NODATA,
  });
  assert.deepEqual(await briefs(world, WWW), [ABSENT, ABSENT]);
  assert.ok(!world.take().includes('www.example.com A'));
});

test('rule 2: nothing is passed over whose look-up fails', async () => {
  const world = new SearchingWorld({ ...DUAL, 'www.example.com.svc.cluster.local AAAA': SERVFAIL });
  assert.deepEqual(await briefs(world, WWW), [ABSENT, ABSENT]);
});

test('rule 2: the first name itself counts before all others', async () => {
  const own = `web.${TEAM1}`;
  const world = new SearchingWorld({
    [`${own} A`]: a(own, '10.96.0.1'),
    [`${own} AAAA`]: NODATA,
    'web.svc.cluster.local A': a('web.svc.cluster.local', '10.96.0.2'),
  });
  assert.deepEqual(await briefs(world, own), [`NOERROR ${own}. A=0a600001`, 'NOERROR SOA']);
  assert.deepEqual(await briefs(world, own), [`NOERROR ${own}. A=0a600001`, 'NOERROR SOA']);
});

test('rule 2: where the first name itself fails, so do both queries as without completion', async () => {
  const world = new SearchingWorld({ ...DUAL, [`${WWW} A`]: SERVFAIL });
  assert.deepEqual(await briefs(world, WWW), ['SERVFAIL', ABSENT]);
});

test('rule 3: the type that the target has not gets NOERROR, also where its server says NXDOMAIN to it', async () => {
  const world = new SearchingWorld({ 'www.example.com A': a('www.example.com') });
  assert.deepEqual(await briefs(world, WWW), [V4, 'NOERROR SOA']);
});

test('rule 4: "nothing of this type" is not said before the other type is known to be there', async () => {
  const world = new SearchingWorld({ 'www.example.com A': SILENT, 'www.example.com AAAA': NODATA });
  const [v4, v6] = await world.both(WWW);
  assert.deepEqual([v4.replies.length, v6.replies.length], [0, 0]);
  world.world.set('www.example.com A', a('www.example.com'));
  await world.settle();
  assert.deepEqual([brief(v4), brief(v6)], [V4, 'NOERROR SOA']);
});

test('rule 4: "nothing of this type" is said also where nothing more can be asked', async () => {
  const world = new SearchingWorld({ 'www.example.com A': NODATA, 'www.example.com AAAA': aaaa('www.example.com') });
  await briefs(world, WWW);
  world.house.cache.dropBelow(nameFromText(`${WWW}.`)!);
  const usual = WAITERS.value;
  WAITERS.value = 0;
  try {
    assert.equal(brief(await world.ask(WWW, 'A')), 'NOERROR');
  } finally {
    WAITERS.value = usual;
  }
});

test('rule 5: where nobody more may wait for a target that is asked for again, the answer is "no", and no silence', async () => {
  const world = new SearchingWorld({ ...V4_ONLY, 'www.example.com A': a('www.example.com', '192.0.2.1', 0) });
  await briefs(world, WWW);
  const usual = COMPLETION_WAITERS.value;
  COMPLETION_WAITERS.value = 0;
  try {
    assert.equal(brief(await world.ask(WWW, 'A')), ABSENT);
  } finally {
    COMPLETION_WAITERS.value = usual;
  }
});

test('rule 4: of two types one of which fails, that one gets SERVFAIL and the other its addresses', async () => {
  const world = new SearchingWorld({ 'www.example.com A': a('www.example.com'), 'www.example.com AAAA': SERVFAIL });
  assert.deepEqual(await briefs(world, WWW), [V4, 'SERVFAIL']);
});

test('rule 4: one that fails beside one that is not there is "no" for both', async () => {
  const world = new SearchingWorld({ 'www.example.com A': SERVFAIL, 'www.example.com AAAA': NODATA });
  assert.deepEqual(await briefs(world, WWW), [ABSENT, ABSENT]);
});

test('rule 5: a slow name is answered "no" before resolvers give up, and completed once its answer is known', async () => {
  const world = new SearchingWorld({ 'www.example.com A': SILENT, 'www.example.com AAAA': NODATA });
  const [v4, v6] = await world.both(WWW);
  world.house.pass(700);
  assert.equal(v4.replies.length, 0);
  world.house.pass(200);
  await world.settle();
  assert.deepEqual([brief(v4), brief(v6)], [ABSENT, ABSENT]);
  // The resolver walks, and its last question joins the one that is on its way.
  world.world.set('www.example.com A', a('www.example.com'));
  const bare = await world.ask('www.example.com', 'A');
  assert.equal(brief(bare), 'NOERROR www.example.com. A=c0000201');
  assert.equal(world.take().filter((asked) => asked === 'www.example.com A').length, 1);
  world.house.pass(5000);
  assert.equal(brief(await world.ask(WWW, 'A')), V4);
});

test('rule 5: where an upstream is silent for good, the query is answered all the same', async () => {
  const world = new SearchingWorld({ [`${WWW} A`]: SILENT, [`${WWW} AAAA`]: SILENT });
  const [v4] = await world.both(WWW);
  world.house.pass(900);
  await world.settle();
  assert.equal(v4.replies.length, 0);
  for (const { length } of [world.house.cluster.asked])
    for (let i = 0; i < length; i++) world.house.cluster.fail('timeout');
  await world.settle();
  assert.equal(brief(v4), 'SERVFAIL');
});

test('rule 6: the CNAME comes first, and the letters are those of the query, whoever asked before', async () => {
  const world = new SearchingWorld(DUAL);
  await briefs(world, WWW);
  for (const typed of ['wWw.eXample.COM', 'WWW.example.com', 'www.example.com']) {
    for (const client of await world.both(`${typed}.${TEAM1}`)) {
      const [reply] = client.replies;
      const { answers } = client.reply;
      assert.deepEqual(
        answers.slice(0, 1).map(({ type }) => type),
        [5],
      );
      assert.ok(hasLettersTwice(reply!, typed));
    }
  }
});

/** In the question, and in the CNAME's target. */
function hasLettersTwice(reply: Buffer, typed: string): boolean {
  const labels = typed.split('.').map((label) => String.fromCharCode(label.length) + label);
  return reply.toString('latin1').split(labels.join('')).length >= 3;
}

test('rule 6: each gets its own letters back, also of two who wait for one answer', async () => {
  // Nothing is kept of a TTL of 0, so the target is asked for again.
  const world = new SearchingWorld({ ...V4_ONLY, 'www.example.com A': a('www.example.com', '192.0.2.1', 0) });
  await briefs(world, WWW);
  const names = ['wWw.eXample.COM', 'WWW.example.com'];
  const clients = names.map((name) => world.house.ask({ from: POD, name: `${name}.${TEAM1}`, type: 'A' }));
  await world.settle();
  for (const [i, { reply, replies }] of clients.entries()) {
    assert.equal(reply.answers.length, 2);
    assert.ok(hasLettersTwice(replies[0]!, names[i]!), names[i]!);
  }
});

function many(name: string, count: number, ttl = 30): Message {
  const data = (i: number): string => `2001:db8::${(i + 1).toString(16)}`;
  return {
    answers: Array.from({ length: count }, (_, i) => ({ name, type: 'AAAA' as const, ttl, data: data(i) })),
  };
}

test('rule 7: where one of the two answers is more than 512 octets, both are "no"; who takes more gets both', async () => {
  const world = new SearchingWorld({
    'www.example.com A': a('www.example.com'),
    'www.example.com AAAA': many('www.example.com', 16),
  });
  assert.deepEqual(await briefs(world, WWW), [ABSENT, ABSENT]);
  assert.equal((await briefs(world, WWW, { udpSize: 1232 }))[0], V4);
  const [, overTcp] = await world.both(WWW, { isStream: true });
  assert.equal(overTcp.reply.answers.length, 17);
  assert.deepEqual(await briefs(world, WWW), [ABSENT, ABSENT]);
});

test('rule 7: at every length, both types have one fate, and no answer is longer than 512 octets', async () => {
  const fates = new Set<number>();
  for (let label = 1; label < 60; label += 3) {
    const typed = `${'a'.repeat(label)}.example.com`;
    const world = new SearchingWorld({ [`${typed} A`]: a(typed), [`${typed} AAAA`]: many(typed, 7) });
    const [v4, v6] = await world.both(`${typed}.${TEAM1}`);
    assert.equal(v4.reply.rcode, v6.reply.rcode);
    assert.ok(v6.reply.length <= 512);
    fates.add(v6.reply.rcode);
  }
  assert.deepEqual([...fates].sort(), [0, 3]);
});

test('rule 7: where one of the two answers has grown since, both are "no" from then on', async () => {
  const world = new SearchingWorld({ ...V4_ONLY, 'www.example.com AAAA': many('www.example.com', 1, 2) });
  assert.deepEqual(await briefs(world, WWW), [V4, V6]);
  world.house.pass(2500);
  world.world.set('www.example.com AAAA', many('www.example.com', 16));
  assert.equal(brief(await world.ask(WWW, 'AAAA')), ABSENT);
  assert.deepEqual(await briefs(world, WWW), [ABSENT, ABSENT]);
});

for (const type of ['MX', 'SRV', 'TXT', 'CNAME', 'HTTPS', 'SOA']) {
  test(`rule 8: ${type} is answered as it is asked`, async () => {
    const world = new SearchingWorld(DUAL);
    await briefs(world, WWW);
    const answer = brief(await world.ask(WWW, type));
    assert.equal(answer, ABSENT);
  });
}

const LEFT_ALONE = {
  'without RD': { flags: 0 },
  'with CD': { flags: 0x0110 },
  'with DO': { dnssecOk: true, udpSize: 1232 },
  'of another class': { class: 3 },
  'of an unknown client': { from: '10.1.0.6' },
} as const;
for (const [what, options] of Object.entries(LEFT_ALONE)) {
  test(`a query ${what} is answered as it is asked`, async () => {
    const world = new SearchingWorld(DUAL);
    await briefs(world, WWW);
    const client = await world.ask(WWW, 'A', options);
    assert.notEqual(client.reply.rcode, 0);
    assert.deepEqual(client.reply.answers, []);
    assert.equal(POD, '10.1.0.5');
  });
}
test('a dual-stack target gives both', async () => {
  assert.deepEqual(await briefs(new SearchingWorld(DUAL), WWW), [V4, V6]);
});
