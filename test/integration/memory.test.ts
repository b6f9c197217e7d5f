import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ask } from '../client/ask.ts';
import { type Agent, startAgent } from '../servers/agent.ts';
import { load } from '../servers/load.ts';
import { NAMED_PROGRAMS, type Named, startNamed } from '../servers/named.ts';
import { skipWithout } from '../servers/programs.ts';

const MIB = 1024 * 1024;
const HEAP_PROBE = fileURLToPath(new URL('../servers/heap-probe.ts', import.meta.url));
/** What the image gives the process. */
const SMALL_HEAP = ['--max-semi-space-size=2'];
/** The C library gives back at once what is freed, so that what it keeps for later does not blur the figures. */
const EAGER_MALLOC = { MALLOC_ARENA_MAX: '1', MALLOC_TRIM_THRESHOLD_: '65536', MALLOC_MMAP_THRESHOLD_: '32768' };

suite('memory', { skip: skipWithout('dnsperf', ...NAMED_PROGRAMS) }, () => {
  let named: Named;
  let folder: string;
  before(async () => {
    named = await startNamed();
    folder = await mkdtemp(join(tmpdir(), 'signpost-memory-'));
  });
  after(async () => {
    await named.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const start = (nodeFlags: readonly string[], ...flags: string[]): Promise<Agent> => {
    const upstream = `tcp://${named.host}:${named.port}`;
    return startAgent(['--cluster-dns', upstream, '--upstream', upstream, ...flags], { nodeFlags, env: EAGER_MALLOC });
  };
  const fill = (agent: Agent, names: number) => {
    const queries = Array.from({ length: names }, (_, at) => `${at}.wild.example.test A`);
    return load(agent, { queries, file: join(folder, 'names'), flags: ['-q', '200'] });
  };

  /** Fills a cache to its brim; what the process and the metric say before and after. */
  const measure = async (megabytes: number, names: number) => {
    const agent = await start(
      [...SMALL_HEAP, '--expose-gc', '--import', HEAP_PROBE],
      '--cache-size',
      `${megabytes}MiB`,
    );
    try {
      const before = await memoryOf(agent);
      const { rcodes } = await fill(agent, names);
      assert.ok(rcodes['NOERROR']! > names * 0.99, JSON.stringify(rcodes));
      const after = await memoryOf(agent);
      assert.ok(after.evictions > 0, 'the cache was not filled');
      assert.ok(after.cacheBytes <= megabytes * MIB, `${after.cacheBytes} bytes used of ${megabytes} MiB`);
      assert.ok(after.cacheBytes >= 0.9 * megabytes * MIB, `${after.cacheBytes} bytes used of ${megabytes} MiB`);
      // The index is counted from the start, but its pages are the process's only once they are written to.
      return { grown: after.anonymous - before.anonymous, counted: after.cacheBytes };
    } finally {
      await agent.stop();
    }
  };

  test('the cache takes of the process’s memory what the metric says, whatever its size', async () => {
    const small = await measure(4, 50_000);
    const large = await measure(32, 200_000);
    const text = JSON.stringify({ small, large });
    // Traffic itself takes memory, too, the same for both: buffers, compiled code, garbage that was not collected yet.
    for (const { grown, counted } of [small, large]) {
      assert.ok(grown <= counted + 24 * MIB, text);
      assert.ok(grown >= counted * 0.75, text);
    }
    const ratio = (large.grown - small.grown) / (large.counted - small.counted);
    assert.ok(ratio > 0.4 && ratio < 1.6, `${ratio}: ${text}`);
  });

  test('300,000 hits leave the heap as it was, within 5%', async (t) => {
    const agent = await start(['--expose-gc', '--import', HEAP_PROBE]);
    t.after(() => agent.stop());
    const queries = Array.from({ length: 1000 }, (_, at) => `hit-${at}.wild.example.test A`);
    const hit = (times: number) => load(agent, { queries, file: join(folder, 'hits'), flags: ['-n', `${times}`] });
    await hit(30);
    const { heapUsed: before } = await heapOf(agent);
    const { completed } = await hit(300);
    assert.ok(completed >= 299_000, `${completed} answers`);
    const { heapUsed: after } = await heapOf(agent);
    assert.ok(Math.abs(after - before) <= before * 0.05, `${before} bytes before, ${after} after`);
    assert.equal((await ask(agent, { name: 'hit-1.wild.example.test', type: 'A' })).rcode, 0);
  });
});

/** The least of a few readings: what is freed goes back to the system only by and by. */
async function memoryOf(agent: Agent): Promise<{ anonymous: number; cacheBytes: number; evictions: number }> {
  let anonymous = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 8; i++) {
    await sleep(250);
    const { heapUsed, heapTotal } = await heapOf(agent);
    // Pages that V8 keeps for objects to come are nobody's yet; how many they are is chance.
    const bytes = (await agent.scrape()).sum('signpost_anonymous_memory_bytes') - (heapTotal - heapUsed);
    anonymous = Math.min(anonymous, bytes);
  }
  const metrics = await agent.scrape();
  return {
    anonymous,
    cacheBytes: metrics.sum('signpost_cache_bytes'),
    evictions: metrics.sum('coredns_cache_evictions_total'),
  };
}

/** Bytes of live objects in the agent's heap, and of all its pages, after a full collection. */
async function heapOf(agent: Agent): Promise<{ heapUsed: number; heapTotal: number }> {
  return (await agent.child.request('heap')) as { heapUsed: number; heapTotal: number };
}
