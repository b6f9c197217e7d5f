import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { after, before, suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ask, exchangeUdp, frame } from '../client/ask.ts';
import { encodeQuestion } from '../client/message.ts';
import { type Agent, startAgent } from '../servers/agent.ts';
import { assertIdle, assertMetrics } from '../servers/idle.ts';
import type { Metrics } from '../servers/metrics.ts';

/** For this process and, inherited, for the agent; 600 of them are for other things. */
const DESCRIPTORS = Number(/^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1] ?? 20_000);
const CONNECTIONS = Math.min(10_000, DESCRIPTORS - 600);
/** Below the bound of one client address. */
const CONNECTIONS_PER_ADDRESS = 1000;
const AT_ONCE = 250;
/** 2.4 KiB were measured; the rest is what compiled code and the heap's spare pages may add. */
const MOST_BYTES = 12 * 1024;
const IDLE_MS = 10_000;
/** Below what resolvers wait until they ask again, and far above what a busy machine takes. */
const UNNOTICED_MS = 3000;

const QUERY = frame(encodeQuestion({ name: 'localhost', type: 'A', id: 1 }));

/** One connection that has asked once. */
interface Idle {
  answeredMs: number;
  closedMs: number;
}

suite(`${CONNECTIONS} TCP connections that are idle`, () => {
  let agent: Agent;
  before(async () => {
    agent = await startAgent(['--cluster-dns', '127.0.0.1:9', '--upstream', '127.0.0.1:9'], {
      nodeFlags: ['--max-semi-space-size=1', '--max-old-space-size=64'],
    });
  });
  after(() => agent.stop());

  const anonymousBytes = async () => (await agent.scrape()).sum('signpost_anonymous_memory_bytes');
  const open = async (at: number): Promise<Idle> => {
    const localAddress = `127.0.1.${1 + Math.floor(at / CONNECTIONS_PER_ADDRESS)}`;
    const socket = connect({ port: agent.port, host: agent.host, localAddress });
    await once(socket, 'connect');
    const answer = once(socket, 'data');
    socket.write(QUERY);
    await answer;
    const idle = { answeredMs: performance.now(), closedMs: 0 };
    socket.once('close', () => {
      idle.closedMs = performance.now();
    });
    return idle;
  };
  const openMany = async (from: number, end: number): Promise<Idle[]> => {
    const all: Idle[] = [];
    for (let at = from; at < end; at += AT_ONCE) {
      const some = Array.from({ length: Math.min(AT_ONCE, end - at) }, (_, i) => open(at + i));
      all.push(...(await Promise.all(some)));
    }
    return all;
  };

  test('each costs a bounded amount, is closed after 10 s, and nobody else notices', async () => {
    const warmUp = await openMany(0, AT_ONCE);
    const beforeBytes = await anonymousBytes();
    const idle = await openMany(AT_ONCE, CONNECTIONS);
    const metrics = await agent.scrape();
    assert.equal(metrics.sum('signpost_tcp_accepted_total'), CONNECTIONS);
    assert.equal(metrics.sum('signpost_tcp_refused_total'), 0);
    const bytes = (metrics.sum('signpost_anonymous_memory_bytes') - beforeBytes) / idle.length;
    assert.ok(bytes < MOST_BYTES, `${bytes} bytes each`);

    // Until all are closed, UDP is asked all the time and a new connection now and then.
    const all = [...warmUp, ...idle];
    for (let i = 0; all.some(({ closedMs }) => closedMs === 0); i++) {
      const query = encodeQuestion({ name: 'localhost', type: 'A', id: i & 0xffff });
      assert.equal((await exchangeUdp(agent, query, UNNOTICED_MS)).readUInt16BE(0), i & 0xffff);
      if (i % 50 === 0) assert.equal((await ask(agent, { name: 'localhost', type: 'A', overTcp: true })).rcode, 0);
      await sleep(5);
    }
    const areClosed = (later: Metrics) => later.sum('signpost_tcp_closed_total', { reason: 'idle' }) === CONNECTIONS;
    await assertMetrics(agent, areClosed, 'some were closed for another reason');
    for (const { answeredMs, closedMs } of all) assert.ok(closedMs - answeredMs > IDLE_MS * 0.9, 'not before its time');
    await assertIdle(agent);
  });
});
