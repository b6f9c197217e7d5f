import assert from 'node:assert/strict';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ask } from '../client/ask.ts';
import { type Agent, startAgent } from '../servers/agent.ts';
import { type Answering, answering } from '../servers/answering.ts';
import { ConfigMapFolder } from '../servers/config-map-folder.ts';

const HANDLE_PROBE = fileURLToPath(new URL('../servers/handle-probe.ts', import.meta.url));
const RELOADS = 200;

async function folderFor(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'signpost-reloading-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function upstreamFor(t: TestContext, lastOctet: number): Promise<Answering> {
  const upstream = await answering(lastOctet);
  t.after(() => upstream.close());
  return upstream;
}

async function start(t: TestContext, flags: readonly string[], nodeFlags: readonly string[] = []): Promise<Agent> {
  const agent = await startAgent(['--cluster-dns', 'udp://127.0.0.1:9', ...flags], { nodeFlags });
  t.after(() => agent.stop());
  return agent;
}

test('a kube-dns ConfigMap is followed: each swap of kubelet is one reload, and no zone is of another version', async (t) => {
  const configMap = new ConfigMapFolder(await folderFor(t));
  const agent = await start(t, ['--kube-dns-config', configMap.path, '--resolv-conf', '/dev/null']).catch(
    (error: Error) => error,
  );
  assert.match(String(agent), /no usable nameserver line/, 'an empty folder says nothing');
  const version = (n: number) => ({
    stubDomains: `{"corp.example": ["127.0.1.${n}"], "version-${n}.example": ["127.0.1.${n}:5300"]}`,
    upstreamNameservers: `["127.0.2.${n}"]`,
  });
  configMap.swap(version(0));
  const running = await start(t, ['--kube-dns-config', configMap.path]);
  for (let n = 1; n <= 12; n++) {
    configMap.swap(version(n));
    await until(async () => (await upstreamOf(running, '.')) === `udp+tcp://127.0.2.${n}:53`);
    assert.equal(await upstreamOf(running, 'corp.example.'), `udp+tcp://127.0.1.${n}:53`);
    assert.equal(await upstreamOf(running, `version-${n}.example.`), `udp+tcp://127.0.1.${n}:5300`);
    assert.equal(await upstreamOf(running, `version-${n - 1}.example.`), undefined);
  }
  await counted(running, 'signpost_config_reloads_total', 12);
});

test('a bad ConfigMap keeps the last good one, is said once, shows on /ready and in metrics, and ends with a good one', async (t) => {
  const configMap = new ConfigMapFolder(await folderFor(t));
  configMap.swap({ upstreamNameservers: '["127.0.2.1"]' });
  const agent = await start(t, ['--kube-dns-config', configMap.path]);
  const failed = (times: number) => counted(agent, 'signpost_config_reload_failures_total', times);
  for (const [at, text] of ['["127.0.2.400"]', '["127.0.2.1"', '["127.0.2.400"]'].entries()) {
    configMap.swap({ upstreamNameservers: text });
    await failed(2 * at + 1);
    agent.child.kill('SIGHUP');
    await failed(2 * at + 2);
  }
  assert.equal(await upstreamOf(agent, '.'), 'udp+tcp://127.0.2.1:53');
  const reason = await configurationReason(agent);
  assert.equal(reason.ok, true);
  assert.match(reason.message, /upstreamNameservers: Cannot set upstreamNameservers to 127\.0\.2\.400: expected IP/);
  const metrics = await agent.scrape();
  assert.equal(metrics.sum('signpost_config_reload_failed'), 1);
  assert.equal(metrics.sum('coredns_reload_failed_total'), 6);
  assert.equal(metrics.sum('coredns_nodecache_setup_errors_total', { errortype: 'configmap' }), 6);
  configMap.swap({ upstreamNameservers: '["127.0.2.2"]' });
  await until(async () => (await upstreamOf(agent, '.')) === 'udp+tcp://127.0.2.2:53');
  assert.equal((await configurationReason(agent)).message, 'what the files say');
  await counted(agent, 'signpost_config_reload_failed', 0);
  // All of the log has come when the process has ended.
  await agent.stop();
  assert.equal(agent.child.output.match(/the new configuration is bad/g)?.length, 3);
});

test('files that the configuration names newly are watched, others let go', async (t) => {
  const folder = await folderFor(t);
  const file = join(folder, 'signpost.yaml');
  const upstream = await upstreamFor(t, 1);
  const write = (hostsFile: string) =>
    replace(
      file,
      `upstreams: ['udp://127.0.0.1:${upstream.port}']\nzones:\n  corp.example:\n    hostsFile: ${join(folder, hostsFile)}\n`,
    );
  await replace(join(folder, 'one'), '192.0.2.101 www.corp.example\n');
  await replace(join(folder, 'two'), '192.0.2.102 www.corp.example\n');
  await write('one');
  const agent = await start(t, ['--config', file]);
  assert.equal(await addressOf(agent, 'www.corp.example'), 'c0000265');
  await replace(join(folder, 'one'), '192.0.2.103 www.corp.example\n');
  await until(async () => (await addressOf(agent, 'www.corp.example')) === 'c0000267');
  await write('two');
  await until(async () => (await addressOf(agent, 'www.corp.example')) === 'c0000266');
  await replace(join(folder, 'one'), '192.0.2.104 www.corp.example\n');
  await replace(join(folder, 'two'), '192.0.2.105 www.corp.example\n');
  await until(async () => (await addressOf(agent, 'www.corp.example')) === 'c0000269');
  await counted(agent, 'signpost_config_reloads_total', 3);
  await rm(join(folder, 'one'));
  agent.child.kill('SIGHUP');
  await counted(agent, 'signpost_config_reloads_total', 4);
  assert.equal((await agent.scrape()).sum('signpost_config_reload_failed'), 0, 'the old file is not read any more');
});

test('a setting that takes a restart is said once, and shows in the configuration that is in force', async (t) => {
  const folder = await folderFor(t);
  const file = join(folder, 'signpost.yaml');
  const write = (text: string) => replace(file, `upstreams: [127.0.2.1]\n${text}`);
  await write('');
  const agent = await start(t, ['--config', file]);
  const versions = new Set<string>();
  for (const text of [
    'cacheSize: 64MiB\n',
    'cacheSize: 64MiB\npolicy: sequential\n',
    'cacheSize: 64MiB\npolicy: random\n',
  ]) {
    const before = (await configOf(agent)).version;
    versions.add(before);
    await write(text);
    agent.child.kill('SIGHUP');
    await until(async () => (await configOf(agent)).version !== before);
  }
  const { restartNeeded, config } = await configOf(agent);
  assert.deepEqual(restartNeeded, ['cacheSize']);
  assert.equal(config.cacheBytes, 32 * 1024 * 1024);
  assert.equal(versions.size, 3);
  await agent.stop();
  assert.equal(agent.child.output.match(/take a restart/g)?.length, 1);
});

test(`${RELOADS} reloads while a client asks: every query is answered, and nothing is left open`, async (t) => {
  const folder = await folderFor(t);
  const file = join(folder, 'signpost.yaml');
  const [kept, moving, other] = [await upstreamFor(t, 1), await upstreamFor(t, 2), await upstreamFor(t, 2)];
  const write = (version: number) =>
    replace(
      file,
      `upstreams: ['udp://127.0.0.1:${kept.port}']
zones:
  moving.example: {upstreams: ['udp://127.0.0.1:${(version % 2 === 0 ? moving : other).port}']}
  corp-${version % 7}.example: {upstreams: ['udp://127.0.0.1:${kept.port}']}
`,
    );
  await write(0);
  const agent = await start(t, ['--config', file], ['--expose-gc', '--import', HANDLE_PROBE]);
  let isOver = false;
  const asking = Array.from({ length: 4 }, async (_, client) => {
    const wrong: string[] = [];
    for (let i = 0; !isOver; i++) {
      const name = `${client}-${i % 40}.${i % 2 === 0 ? 'moving' : 'kept'}.example`;
      const address = await addressOf(agent, name).catch((error: Error) => error.message);
      if (address !== (i % 2 === 0 ? 'c0000202' : 'c0000201')) wrong.push(`${name}: ${address}`);
    }
    return wrong;
  });
  const reload = async (version: number): Promise<void> => {
    const before = (await configOf(agent)).version;
    await write(version);
    agent.child.kill('SIGHUP');
    await until(async () => (await configOf(agent)).version !== before);
  };
  for (let version = 1; version <= 20; version++) await reload(version);
  const before = await held(agent);
  for (let version = 21; version <= RELOADS; version++) await reload(version);
  const after = await held(agent);
  isOver = true;
  assert.deepEqual((await Promise.all(asking)).flat(), []);
  const text = JSON.stringify({ before, after });
  assert.ok(after.inotifyWatches <= before.inotifyWatches, text);
  // Sockets of upstreams that were left drain, and one may be on its way out at either moment.
  for (const [kind, count] of Object.entries(after.handles)) assert.ok(count <= (before.handles[kind] ?? 0) + 8, text);
  assert.ok(after.heapUsed <= before.heapUsed * 1.1, text);
  // What did not change is still in the cache.
  const asked = kept.count();
  assert.equal(await addressOf(agent, '0-1.kept.example'), 'c0000201');
  assert.equal(kept.count(), asked);
});

/** Pages of metrics are up to a second old, so the figure is waited for; one that has gone past it never comes. */
async function counted(agent: Agent, metric: string, figure: number): Promise<void> {
  await until(async () => (await agent.scrape()).sum(metric) === figure);
}

interface Held {
  readonly handles: Readonly<Record<string, number>>;
  readonly heapUsed: number;
  readonly inotifyWatches: number;
}

async function held(agent: Agent): Promise<Held> {
  const answer = (await agent.child.request('handles')) as Omit<Held, 'inotifyWatches'>;
  return { ...answer, inotifyWatches: inotifyWatches(agent.child.pid) };
}

function inotifyWatches(pid: number): number {
  const folder = `/proc/${pid}/fd`;
  let count = 0;
  for (const fd of readdirSync(folder)) {
    try {
      if (readlinkSync(join(folder, fd)) !== 'anon_inode:inotify') continue;
      count += readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8').match(/^inotify /gm)?.length ?? 0;
    } catch {
      // It was closed meanwhile.
    }
  }
  return count;
}

async function addressOf(agent: Agent, name: string): Promise<string | undefined> {
  return (await ask(agent, { name, type: 'A' })).answers[0]?.data;
}

interface ShownConfig {
  readonly version: string;
  readonly restartNeeded: readonly string[];
  readonly config: {
    readonly cacheBytes: number;
    readonly zones: readonly { readonly zone: string; readonly upstreams: readonly { readonly address: string }[] }[];
  };
}

async function configOf(agent: Agent): Promise<ShownConfig> {
  return (await (await fetch(`${agent.adminUrl}/api/v1/config`)).json()) as ShownConfig;
}

/** The first upstream of a zone. */
async function upstreamOf(agent: Agent, name: string): Promise<string | undefined> {
  const { config } = await configOf(agent);
  return config.zones.find(({ zone }) => zone === name)?.upstreams[0]?.address;
}

async function configurationReason(agent: Agent): Promise<{ ok: boolean; message: string }> {
  const { reasons } = (await (await fetch(`${agent.adminUrl}/ready`)).json()) as {
    reasons: { name: string; ok: boolean; message: string }[];
  };
  return reasons.find(({ name }) => name === 'configuration')!;
}

/** At once: a file that is written in place is empty for a moment, and the agent may read it then. */
async function replace(file: string, text: string): Promise<void> {
  await writeFile(`${file}.new`, text);
  await rename(`${file}.new`, file);
}

async function until(isTrue: () => Promise<boolean>, limitMs = 15_000): Promise<void> {
  const endMs = performance.now() + limitMs;
  while (!(await isTrue())) {
    assert.ok(performance.now() < endMs, `not so within ${limitMs} ms: ${isTrue}`);
    await sleep(10);
  }
}
