import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ask } from '../client/ask.ts';
import { type Agent, startAgent } from '../servers/agent.ts';
import { NAMED_PROGRAMS, type Named, startNamed } from '../servers/named.ts';
import { skipWithout } from '../servers/programs.ts';

/** Where nobody listens. */
const NOBODY = '127.0.0.1:9';

suite('the snapshot of the cache', { skip: skipWithout(...NAMED_PROGRAMS) }, () => {
  let named: Named;
  let folder: string;
  before(async () => {
    named = await startNamed();
    folder = await mkdtemp(join(tmpdir(), 'signpost-state-'));
  });
  after(async () => {
    await named.stop();
    rmSync(folder, { recursive: true });
  });

  const start = async (t: TestContext, upstream: string): Promise<Agent> => {
    const agent = await startAgent(['--cluster-dns', NOBODY, '--upstream', upstream, '--state', folder]);
    t.after(() => agent.stop());
    return agent;
  };
  const file = (): string => join(folder, 'cache.image');

  test('what was known before SIGTERM is known after the next start, without a question to anybody', async (t) => {
    const upstream = `${named.host}:${named.port}`;
    const first = await start(t, upstream);
    const { answers } = await ask(first, { name: 'one.example.test', type: 'A' });
    await first.stop();
    const second = await start(t, upstream);
    await until(() => second.child.output.includes('cache loaded from its snapshot'));
    const again = await ask(second, { name: 'one.example.test', type: 'A' });
    assert.deepEqual(
      again.answers.map(({ data }) => data),
      answers.map(({ data }) => data),
    );
    const metrics = await second.scrape();
    assert.equal(metrics.sum('coredns_cache_hits_total'), 1);
    assert.equal(metrics.sum('signpost_snapshot_loaded_entries'), 1);
    // Killed, it leaves what the one before has written.
    second.child.kill('SIGKILL');
    await second.child.exit;
    assert.equal(existsSync(file()), true);
  });

  test('with other upstreams the answers of the earlier ones are not given', async (t) => {
    const agent = await start(t, NOBODY);
    await until(() => agent.child.output.includes('cache loaded from its snapshot'));
    assert.equal((await agent.scrape()).sum('signpost_snapshot_loaded_entries'), 0);
    assert.equal((await ask(agent, { name: 'one.example.test', type: 'A' })).rcode, 2);
  });

  test('a file of somebody else is named and ignored', async (t) => {
    writeFileSync(file(), 'not ours', { mode: 0o600 });
    const agent = await start(t, `${named.host}:${named.port}`);
    await until(() => agent.child.output.includes('ERR_IMAGE_FOREIGN'));
    assert.ok(agent.child.output.includes(file()));
    assert.equal((await ask(agent, { name: 'one.example.test', type: 'A' })).rcode, 0);
    await agent.stop();
    assert.match(readFileSync(file(), 'latin1'), /^signpost/);
  });
});

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await sleep(5);
}
