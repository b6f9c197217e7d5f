import assert from 'node:assert/strict';
import { after, afterEach, before, suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type AskOptions, ask } from '../client/ask.ts';
import { extendedErrors, FLAGS } from '../client/message.ts';
import { type Agent, startAgent } from '../servers/agent.ts';
import { honest, type Liar, startLiar } from '../servers/liar.ts';
import { NAMED_PROGRAMS, type Named, startNamed } from '../servers/named.ts';
import { skipWithout } from '../servers/programs.ts';

/** What is asked again and what is not, counted between the agent and BIND. */
suite('what the cache keeps of a real server’s answers', { skip: skipWithout(...NAMED_PROGRAMS) }, () => {
  let named: Named;
  let between: Liar;
  let agent: Agent;
  let asked = 0;
  before(async () => {
    named = await startNamed();
    between = await startLiar(named);
    const upstream = `tcp://${between.host}:${between.port}`;
    agent = await startAgent(['--cluster-dns', upstream, '--upstream', upstream]);
  });
  afterEach(() => between.behave(honest));
  after(async () => {
    await agent.stop();
    between.stop();
    await named.stop();
  });

  const freshName = () => `${asked++}.any.wild.example.test`;
  const question = (options: AskOptions) => ask(agent, options);
  /** How many questions reach the upstream while `act` runs; those that are asked again because the machine is slow do not count. */
  const upstreamQuestions = async (act: () => Promise<unknown>): Promise<number> => {
    const { count, repeats } = between;
    await act();
    return between.count - count - (between.repeats - repeats);
  };

  test('an answer is asked for once, whatever the spelling, and over UDP and TCP alike', async () => {
    const name = freshName();
    const count = await upstreamQuestions(async () => {
      await question({ name, type: 'A' });
      await question({ name: name.toUpperCase(), type: 'A' });
      await question({ name, type: 'A', overTcp: true });
      await question({ name, type: 'A', udpSize: 4096 });
    });
    assert.equal(count, 1);
  });

  test('DO, CD, class and type are entries of their own', async () => {
    const name = freshName();
    const ways: Omit<AskOptions, 'name'>[] = [
      { type: 'A' },
      { type: 'AAAA' },
      { type: 'A', dnssecOk: true },
      { type: 'A', flags: FLAGS.RD | FLAGS.CD },
      { type: 'A', class: 4 },
    ];
    const count = await upstreamQuestions(async () => {
      for (const way of ways) await question({ name, ...way });
    });
    assert.equal(count, ways.length);
  });

  test('a hundred clients that ask the same at once are one question', async () => {
    const name = freshName();
    between.behave(({ send, truth }) => void sleep(30).then(() => send(truth)));
    const before = between.count;
    await Promise.all(Array.from({ length: 100 }, (_, at) => question({ name, type: 'A', overTcp: at % 2 === 0 })));
    // More than one: asked again over another connection, since this one seems to be stalled.
    const count = between.count - before;
    assert.ok(count >= 1 && count <= 4, `${count} questions`);
  });

  test('RD=0 is passed on, and its answer is not kept', async () => {
    const name = freshName();
    const count = await upstreamQuestions(async () => {
      await question({ name, type: 'A', flags: 0 });
      await question({ name, type: 'A', flags: 0 });
    });
    assert.equal(count, 2);
    await question({ name, type: 'A' });
    assert.equal(await upstreamQuestions(() => question({ name, type: 'A', flags: 0 })), 0);
  });

  test('NXDOMAIN speaks of every type; NODATA of its own', async () => {
    const absent = `absent-${Date.now()}.example.test`;
    const count = await upstreamQuestions(async () => {
      for (const type of ['A', 'AAAA', 'TXT', 'MX']) assert.equal((await question({ name: absent, type })).rcode, 3);
    });
    assert.equal(count, 1);
    const types = ['AAAA', 'TXT', 'SRV'];
    const nodata = await upstreamQuestions(async () => {
      for (const type of [...types, ...types]) await question({ name: 'real.wild.example.test', type });
    });
    assert.equal(nodata, types.length);
  });

  test('an NXDOMAIN behind an alias speaks of the target: another type is asked', async () => {
    const count = await upstreamQuestions(async () => {
      for (const type of ['A', 'CNAME', 'A', 'CNAME']) await question({ name: 'tonxdomain.example.test', type });
    });
    assert.equal(count, 2);
    assert.equal((await question({ name: 'tonxdomain.example.test', type: 'CNAME' })).rcode, 0);
  });

  test('TTL 0 is given to who asked and not kept', async () => {
    const ask = () => question({ name: 'ttl0.example.test', type: 'A' });
    assert.equal((await ask()).answers[0]!.ttl, 0);
    assert.equal(await upstreamQuestions(ask), 1);
  });

  test('TTLs count down, every record of an answer by the same seconds', async () => {
    const ask = () => question({ name: 'mixedttl.example.test', type: 'A' });
    const first = (await ask()).answers.map((record) => record.ttl);
    assert.deepEqual(first, [30, 600]);
    await sleep(1100);
    const later = (await ask()).answers.map((record) => record.ttl);
    const passed = first[0]! - later[0]!;
    assert.ok(passed >= 1 && passed <= 10, `${passed} s`);
    assert.equal(first[1]! - later[1]!, passed);
  });

  test('an answer that has ended is asked for again', async () => {
    const ask = () => question({ name: 'ttl1.example.test', type: 'A' });
    await ask();
    await sleep(1100);
    assert.equal(await upstreamQuestions(ask), 1);
  });

  test('addresses rotate from reply to reply, aliases stay in front', async () => {
    const firsts = new Set<string>();
    for (let i = 0; i < 12; i++) {
      const { answers } = await question({ name: 'any.wildalias.example.test', type: 'A' });
      assert.equal(answers.length, 3);
      assert.equal(answers[0]!.type, 5);
      firsts.add(answers[1]!.data);
    }
    assert.equal(firsts.size, 2);
  });

  test('an entry that is asked often is refreshed before its end, and its clients never wait', async () => {
    const ask = () => question({ name: 'ttl2.example.test', type: 'A' });
    for (let tries = 0; tries < 10; tries++) {
      const sinceMs = performance.now();
      for (let i = 0; i < 4; i++) await ask();
      await sleep(1200);
      await ask();
      // In its last second, or this machine was too busy.
      const isInTime = performance.now() - sinceMs < 1900;
      await sleep(1000);
      // Two seconds from the first answer on it would have ended; three, and so has the next one.
      const count = await upstreamQuestions(ask);
      if (isInTime && performance.now() - sinceMs < 3000) return assert.equal(count, 0);
      await sleep(2100);
    }
    assert.fail('never in time');
  });

  test('a SERVFAIL is kept for a second, and never hides the good answer that has ended', async () => {
    const servfail = (truth: Buffer) => {
      const failed = Buffer.from(truth);
      failed[3] = (failed[3]! & 0xf0) | 2;
      return failed;
    };
    const name = freshName();
    between.behave(({ send, truth }) => send(servfail(truth)));
    assert.equal((await question({ name, type: 'A' })).rcode, 2);
    assert.equal(await upstreamQuestions(() => question({ name, type: 'A' })), 0);
    between.behave(honest);
    await sleep(1200);
    assert.equal((await question({ name, type: 'A' })).rcode, 0);

    await question({ name: 'ttl1.example.test', type: 'AAAA' });
    await question({ name: 'ttl1.example.test', type: 'A' });
    await sleep(1200);
    between.behave(({ send, truth }) => send(servfail(truth)));
    const reply = await question({ name: 'ttl1.example.test', type: 'A', dnssecOk: false });
    assert.equal(reply.rcode, 0);
    assert.deepEqual(
      reply.answers.map(({ data }) => data),
      ['c0000215'],
    );
    assert.deepEqual(extendedErrors(reply), [3]);
  });

  test('TTLs that reach too far are brought to the zone’s bound by when they are asked again', async () => {
    // A reply says what the upstream said; what is kept no longer than an hour must not promise more.
    for (const name of ['ttlday.example.test', 'ttlmax.example.test']) {
      await question({ name, type: 'A' });
      const { ttl } = (await question({ name, type: 'A' })).answers[0]!;
      assert.ok(ttl <= 3600, `${name}: ${ttl}`);
    }
    const { authorities } = await question({ name: `absent-${Date.now()}.example.test`, type: 'A' });
    assert.ok(authorities[0]!.ttl <= 120);
  });
});
