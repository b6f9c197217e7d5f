import assert from 'node:assert/strict';
import { suite, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ask } from '../client/ask.ts';
import { extendedErrors, type Message } from '../client/message.ts';
import { type Agent, startAgent } from '../servers/agent.ts';
import { assertIdle } from '../servers/idle.ts';
import { NAMED_PROGRAMS, type Named, startNamed } from '../servers/named.ts';
import { skipWithout } from '../servers/programs.ts';

const SERVFAIL = 2;
const STALE_ANSWER = 3;
const NO_REACHABLE_AUTHORITY = 22;

/** Ends one second after it came. */
const SHORT_LIVED = 'ttl1.example.test';
/** Far past it, so that a busy machine makes no difference. */
const PAST_ITS_END_MS = 2000;
/** Without waiting for an upstream, whose first try alone is 1 s; nearly all of it is for machines that are busy. */
const AT_ONCE_MS = 900;

suite('an upstream process that ends, hangs and comes back', {
  skip: skipWithout(...NAMED_PROGRAMS),
  concurrency: 4,
}, () => {
  for (const transport of ['tcp', 'udp+tcp'] as const) {
    test(`${transport}: killed: what is cached is answered, what has ended is stale, the rest is SERVFAIL at once; then it is back`, async (t) => {
      const { named, agent } = await start(t, transport);
      await askFor(agent, 'one.example.test');
      await askFor(agent, SHORT_LIVED);
      await named.end();
      await sleep(PAST_ITS_END_MS);

      assert.equal((await askFor(agent, 'one.example.test')).rcode, 0);
      assertStale(await askFor(agent, SHORT_LIVED));
      for (let i = 0; i < 5; i++) await askFor(agent, `down-${i}.wild.example.test`);
      const { reply, elapsedMs } = await timed(() => askFor(agent, 'new.wild.example.test'));
      assert.equal(reply.rcode, SERVFAIL);
      assert.deepEqual(extendedErrors(reply), [NO_REACHABLE_AUTHORITY]);
      assert.ok(elapsedMs < AT_ONCE_MS, `${elapsedMs} ms`);

      await named.restart();
      await assertBack(agent);
      await assertIdle(agent);
    });

    test(`${transport}: stopped in mid-air: stale answers come within the timer and later at once; then it goes on`, async (t) => {
      const { named, agent } = await start(t, transport);
      await askFor(agent, SHORT_LIVED);
      await sleep(PAST_ITS_END_MS);
      await named.pause();
      const first = await timed(() => askFor(agent, SHORT_LIVED));
      assertStale(first.reply);
      // 100 ms in the cluster's zone, and the machine's own delays.
      assert.ok(first.elapsedMs < AT_ONCE_MS, `${first.elapsedMs} ms`);

      const { reply } = await timed(() => askFor(agent, 'hang.wild.example.test'));
      assert.equal(reply.rcode, SERVFAIL);
      await askFor(agent, 'hang2.wild.example.test');
      const later = await timed(() => askFor(agent, 'hang3.wild.example.test'));
      assert.equal(later.reply.rcode, SERVFAIL);
      assert.deepEqual(extendedErrors(later.reply), [NO_REACHABLE_AUTHORITY]);
      assert.ok(later.elapsedMs < AT_ONCE_MS, `${later.elapsedMs} ms`);

      named.resume();
      await assertBack(agent);
      await assertIdle(agent);
    });
  }

  test('a restart while nobody asks costs the client nothing', async (t) => {
    const { named, agent } = await start(t, 'tcp');
    for (let i = 0; i < 3; i++) {
      assert.equal((await askFor(agent, `before-${i}.wild.example.test`)).rcode, 0);
      await named.restart();
      assert.equal((await askFor(agent, `after-${i}.wild.example.test`)).rcode, 0);
    }
  });

  for (const fault of ['end', 'pause'] as const) {
    test(`with two upstreams, the ${fault} of one of them is seen by no client`, async (t) => {
      const [bad, good] = await Promise.all([startNamed(), startNamed()]);
      const upstreams = [bad, good].flatMap(({ host, port }) => ['--cluster-dns', `tcp://${host}:${port}`]);
      const agent = await startAgent([
        '--cluster-domain',
        'example.test',
        '--upstream',
        `${good.host}:${good.port}`,
        ...upstreams,
      ]);
      t.after(async () => {
        await agent.stop();
        await Promise.all([bad.stop(), good.stop()]);
      });
      for (let i = 0; i < 10; i++) assert.equal((await askFor(agent, `calm-${i}.wild.example.test`)).rcode, 0);
      await bad[fault]();
      for (let i = 0; i < 30; i++) assert.equal((await askFor(agent, `${i}.wild.example.test`)).rcode, 0);
      await assertIdle(agent);
    });
  }
});

/** BIND, and an agent for which example.test is the cluster's zone. */
async function start(t: TestContext, transport: string): Promise<{ named: Named; agent: Agent }> {
  const named = await startNamed();
  const upstream = `${transport}://${named.host}:${named.port}`;
  const agent = await startAgent([
    '--cluster-domain',
    'example.test',
    '--cluster-dns',
    upstream,
    '--upstream',
    upstream,
  ]);
  t.after(async () => {
    await agent.stop();
    await named.stop();
  });
  return { named, agent };
}

function askFor(agent: Agent, name: string): Promise<Message> {
  return ask(agent, { name, type: 'A', dnssecOk: false });
}

async function timed(askOnce: () => Promise<Message>): Promise<{ reply: Message; elapsedMs: number }> {
  const startMs = performance.now();
  const reply = await askOnce();
  return { reply, elapsedMs: performance.now() - startMs };
}

function assertStale(reply: Message): void {
  assert.equal(reply.rcode, 0);
  assert.deepEqual(extendedErrors(reply), [STALE_ANSWER]);
  assert.deepEqual(
    reply.answers.map(({ ttl, data }) => [ttl, data]),
    [[5, 'c0000215']],
  );
}

/** Fresh answers again, by traffic and probes alone. */
async function assertBack(agent: Agent): Promise<void> {
  const endMs = performance.now() + 15_000;
  for (let i = 0; ; i++) {
    const { rcode } = await askFor(agent, `back-${i}.wild.example.test`);
    if (rcode === 0) break;
    assert.ok(performance.now() < endMs, `the upstream is back, the agent does not ask it\n${agent.child.output}`);
    await sleep(100);
  }
  await sleep(PAST_ITS_END_MS);
  const reply = await askFor(agent, SHORT_LIVED);
  assert.deepEqual(extendedErrors(reply), []);
  assert.deepEqual(
    reply.answers.map(({ data }) => data),
    ['c0000215'],
  );
}
