import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ask } from '../client/ask.ts';
import { type Agent, startAgent } from '../servers/agent.ts';
import { load } from '../servers/load.ts';
import { NAMED_PROGRAMS, type Named, startNamed } from '../servers/named.ts';
import { skipWithout } from '../servers/programs.ts';

const MIB = 1024 * 1024;
const HEAP_PROBE = fileURLToPath(new URL('../servers/heap-probe.ts', import.meta.url));
/** What the manifests give the process. */
const SMALL_HEAP = ['--max-semi-space-size=2', '--max-old-space-size=64'];

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
    return startAgent(['--cluster-dns', upstream, '--upstream', upstream, ...flags], { nodeFlags });
  };
  const fill = (agent: Agent, names: number) => {
    const queries = Array.from({ length: names }, (_, at) => `${at}.wild.example.test A`);
    return load(agent, { queries, file: join(folder, 'names'), flags: ['-q', '200'] });
  };

  for (const [megabytes, names] of [
    [2, 30_000],
    [8, 80_000],
    [16, 120_000],
  ] as const) {
    test(`a cache of ${megabytes} MiB takes what the metric says, and no more than it may`, async (t) => {
      const agent = await start(
        [...SMALL_HEAP, '--expose-gc', '--import', HEAP_PROBE],
        '--cache-size',
        `${megabytes}MiB`,
      );
      t.after(() => agent.stop());
      // Code and buffers that any traffic brings are not the cache's.
      const warmUp = Array.from({ length: 20_000 }, () => 'ttl0.example.test A');
      await load(agent, { queries: warmUp, file: join(folder, 'warm'), flags: ['-q', '200'] });
      const before = await memoryOf(agent);
      const { rcodes } = await fill(agent, names);
      assert.ok(rcodes['NOERROR']! > names * 0.99, JSON.stringify(rcodes));
      const after = await memoryOf(agent);

      assert.ok(after.evictions > 0, 'the cache was not filled');
      assert.ok(after.cacheBytes <= megabytes * MIB, `${after.cacheBytes} bytes used of ${megabytes} MiB`);
      assert.ok(after.cacheBytes >= 0.8 * megabytes * MIB, `${after.cacheBytes} bytes used of ${megabytes} MiB`);
      // What was there before (index, empty pages) is counted, too; garbage not yet collected is not ours to count: 8 MiB of room.
      const grown = after.anonymous - before.anonymous;
      const counted = after.cacheBytes;
      assert.ok(grown <= counted * 1.25 + 8 * MIB, `${grown} bytes more memory, ${counted} counted`);
      assert.ok(
        grown >= (after.cacheBytes - before.cacheBytes) * 0.5 - 2 * MIB,
        `${grown} bytes more memory, ${counted} counted`,
      );
    });
  }

  test('300,000 hits leave the heap as it was, within 5%', async (t) => {
    const agent = await start(['--expose-gc', '--import', HEAP_PROBE]);
    t.after(() => agent.stop());
    const queries = Array.from({ length: 1000 }, (_, at) => `hit-${at}.wild.example.test A`);
    const hit = (times: number) => load(agent, { queries, file: join(folder, 'hits'), flags: ['-n', `${times}`] });
    await hit(30);
    const before = await heapOf(agent);
    const { completed } = await hit(300);
    assert.ok(completed >= 299_000, `${completed} answers`);
    const after = await heapOf(agent);
    assert.ok(Math.abs(after - before) <= before * 0.05, `${before} bytes before, ${after} after`);
    assert.equal((await ask(agent, { name: 'hit-1.wild.example.test', type: 'A' })).rcode, 0);
  });
});

async function memoryOf(agent: Agent): Promise<{ anonymous: number; cacheBytes: number; evictions: number }> {
  await heapOf(agent);
  const metrics = await agent.scrape();
  return {
    anonymous: metrics.sum('signpost_anonymous_memory_bytes'),
    cacheBytes: metrics.sum('signpost_cache_bytes'),
    evictions: metrics.sum('coredns_cache_evictions_total'),
  };
}

/** Bytes of live objects in the agent's heap. */
async function heapOf(agent: Agent): Promise<number> {
  const { heapUsed } = (await agent.child.request('heap')) as { heapUsed: number };
  return heapUsed;
}
