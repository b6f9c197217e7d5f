import assert from 'node:assert/strict';
import { after, afterEach, before, suite, test } from 'node:test';
import { ask, frame } from '../client/ask.ts';
import { type Agent, startAgent } from '../servers/agent.ts';
import { assertIdle, assertMetrics } from '../servers/idle.ts';
import { honest, type Liar, type Lie, startLiar } from '../servers/liar.ts';
import type { Metrics } from '../servers/metrics.ts';
import { NAMED_PROGRAMS, type Named, startNamed } from '../servers/named.ts';
import { skipWithout } from '../servers/programs.ts';

/** What the connections to an upstream go through, and what of it clients see: nothing. */
suite('TCP connections to an upstream that fail in every way', { skip: skipWithout(...NAMED_PROGRAMS) }, () => {
  let named: Named;
  let liar: Liar;
  let agent: Agent;
  let asked = 0;
  before(async () => {
    named = await startNamed();
    liar = await startLiar(named);
    const upstream = `tcp://${liar.host}:${liar.port}`;
    agent = await startAgent(['--cluster-dns', upstream, '--upstream', upstream]);
  });
  after(async () => {
    await agent.stop();
    liar.stop();
    await named.stop();
  });
  afterEach(() => liar.behave(honest));

  const assertAnswers = async (count = 1) => {
    const names = Array.from({ length: count }, () => `${asked++}.wild.example.test`);
    const replies = await Promise.all(names.map((name) => ask(agent, { name, type: 'A' })));
    for (const [at, reply] of replies.entries()) {
      assert.equal(reply.rcode, 0);
      assert.deepEqual(
        reply.answers.map(({ owner, data }) => [owner, data]),
        [[`${names[at]}.`, 'c000021e']],
      );
    }
  };
  /** Does `lie` to the first query and tells the truth to those after it. */
  const once = (lie: (means: Lie) => void) => {
    let isDone = false;
    liar.behave((means) => {
      if (isDone) return honest(means);
      isDone = true;
      lie(means);
    });
  };

  test('a connection that the other end closed while idle costs the client nothing', async () => {
    await assertAnswers();
    for (let i = 0; i < 5; i++) {
      liar.closeConnections();
      await assertAnswers();
    }
  });

  test('a connection that is closed in place of an answer is replaced', async () => {
    once(({ close }) => close());
    await assertAnswers();
  });

  test('half a frame and an end', async () => {
    once(({ truth, write, close }) => {
      write(frame(truth).subarray(0, 20));
      close();
    });
    await assertAnswers();
  });

  test('a connection that is reset with twenty questions on it loses none of them', async () => {
    let held = 0;
    liar.behave(() => {
      if (++held < 20) return;
      liar.behave(honest);
      liar.closeConnections();
    });
    await assertAnswers(20);
  });

  test('half a frame and silence', async () => {
    once(({ truth, write }) => write(frame(truth).subarray(0, 20)));
    await assertAnswers();
  });

  test('frames of no length and of the greatest length before the answer', async () => {
    once(({ truth, write, send }) => {
      write(Buffer.from([0, 0]));
      write(frame(Buffer.alloc(65_535, 0x2a)));
      send(truth);
    });
    await assertAnswers();
  });

  test('a length that never comes true does not hold up other questions for ever', async () => {
    once(({ write }) => write(Buffer.from([0xff, 0xff, 1, 2, 3])));
    await assertAnswers(10);
  });

  test('an answer that comes a byte at a time', async () => {
    liar.behave(({ truth, write }) => {
      for (const byte of frame(truth)) write(Buffer.from([byte]));
    });
    await assertAnswers(5);
  });

  test('answers in the reverse of the order in which they were asked', async () => {
    const held: Lie[] = [];
    liar.behave((means) => {
      held.push(means);
      if (held.length < 20) return;
      liar.behave(honest);
      for (const { send, truth } of held.reverse()) send(truth);
    });
    await assertAnswers(20);
  });

  test('however much is asked, connections stay few, and are two at the most when it is calm again', async () => {
    for (let i = 0; i < 40; i++) await assertAnswers(50);
    const open = (metrics: Metrics) => metrics.sum('signpost_upstream_connections', { proto: 'tcp' });
    await assertMetrics(agent, (metrics) => open(metrics) <= 8, 'more connections than there may be', 0);
    await assertMetrics(agent, (metrics) => open(metrics) <= 2, 'more connections than are wanted', 20_000);
    await assertAnswers();
  });

  test('nothing is left in the tables', () => assertIdle(agent));
});
