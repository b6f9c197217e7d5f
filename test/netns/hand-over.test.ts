import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, type TestContext, test } from 'node:test';
import { ask } from '../client/ask.ts';
import { nsupdate } from '../client/nsupdate.ts';
import { type Agent, spawnAgent, startAgent } from '../servers/agent.ts';
import { Child, run } from '../servers/child.ts';
import { startDynamicZone } from '../servers/dynamic-zone.ts';
import { freePort } from '../servers/free-port.ts';
import { NAMED_PROGRAMS, type Named, startNamed } from '../servers/named.ts';
import { program, skipWithout } from '../servers/programs.ts';
import { SteadyClients } from '../servers/steady-clients.ts';

const NAMES = Array.from({ length: 500 }, (_, i) => `host-${i}.wild.example.test`);
const UPGRADES = 50;
const CONNECTIONS = 50;
const ROUNDS = 20;
const NXDOMAIN = 3;

suite('from one process to the next', {
  skip: skipWithout(...NAMED_PROGRAMS, 'setpriv', 'unshare', 'nsenter', 'nsupdate'),
}, () => {
  let named: Named;
  before(async () => {
    named = await startNamed();
  });
  after(() => named.stop());

  /** Addresses and the folder that all agents of a node share. */
  const newNode = async (t: TestContext) => {
    const state = mkdtempSync(join(tmpdir(), 'signpost-state-'));
    t.after(() => rmSync(state, { recursive: true, force: true }));
    const upstream = `${named.host}:${named.port}`;
    const [dns, admin] = [await freePort(), await freePort()];
    const adminUrl = `http://127.0.0.1:${admin}`;
    const flags = [
      ...['--listen', `127.0.0.1:${dns}`, '--admin', `127.0.0.1:${admin}`, '--metrics', 'off', '--log-format', 'json'],
      ...['--cluster-dns', upstream, '--upstream', upstream, '--kubernetes', 'off', '--state', state],
    ];
    const start = async (pod: string | undefined, ...more: string[]): Promise<Agent> => {
      const agent = await startAgent([...flags, ...more], pod === undefined ? {} : { env: { POD_UID: pod } });
      t.after(() => agent.child.kill('SIGKILL'));
      return agent;
    };
    /** What kubelet is told by the probe of a pod, whoever answers at the port. */
    const probe = async (page: 'ready' | 'health', pod: string): Promise<number> =>
      await fetch(`${adminUrl}/${page}?pod=${pod}`, { headers: { Connection: 'close' } }).then(
        (response) => response.status,
        () => 0,
      );
    return { state, flags, start, probe, server: { host: '127.0.0.1', port: dns } };
  };

  test(`${UPGRADES} upgrades while pods ask: no datagram is lost, no TCP query fails, the cache stays, nothing is left open`, async (t) => {
    const node = await newNode(t);
    let agent = await node.start('pod-0');
    for (const name of NAMES) assert.equal((await ask(node.server, { name, type: 'A' })).rcode, 0, name);
    const clients = await SteadyClients.start(node.server, NAMES, CONNECTIONS);
    let isOver = false;
    t.after(() => isOver || clients.stop());
    const descriptors: number[] = [];
    for (let i = 1; i <= UPGRADES; i++) {
      const next = await node.start(`pod-${i}`);
      await next.child.waitUntil('serving', () => next.child.output.includes('took over'));
      const entries = Number(/"entries":(\d+),"arrival":"taken"/.exec(next.child.output)?.[1]);
      assert.ok(entries >= NAMES.length, `${entries} cached answers came over`);
      assert.deepEqual(await agent.stop(), { code: 0, signal: null });
      agent = next;
      descriptors.push(readdirSync(`/proc/${agent.child.pid}/fd`).length);
    }
    isOver = true;
    const { udp, tcp } = await clients.stop();
    assert.deepEqual([udp.answered, tcp.answered], [udp.sent, tcp.sent]);
    // Connections that are open count, too.
    assert.ok(descriptors.at(-1)! <= descriptors[0]! + CONNECTIONS, `${descriptors}`);
    assert.equal(agent.child.output.includes('"level":"error"'), false, agent.child.output);
  });

  test('a new process that is killed before, while or after it takes over leaves the old one serving', async (t) => {
    const node = await newNode(t);
    const old = await node.start('old');
    await ask(node.server, { name: NAMES[0]!, type: 'A' });
    for (const line of ['', '"listening"', '"took over"']) {
      const next = spawnAgent(node.flags, { env: { POD_UID: `new-${line.length}` } });
      if (line !== '') await next.waitUntil(line, () => next.output.includes(line));
      next.kill('SIGKILL');
      await next.exit;
      await old.child.waitUntil('healthy', async () => (await node.probe('health', 'old')) === 200);
      assert.equal((await ask(node.server, { name: NAMES[0]!, type: 'A' })).rcode, 0);
      assert.equal((await ask(node.server, { name: NAMES[0]!, type: 'A', overTcp: true })).rcode, 0);
    }
    assert.equal((await node.start('last')).child.hasEnded, false);
  });

  test('an old process that is killed after the new one took over is not missed', async (t) => {
    const node = await newNode(t);
    const old = await node.start('old');
    const next = await node.start('new');
    await next.child.waitUntil('known to stand by', async () => (await node.probe('health', 'old')) === 200);
    old.child.kill('SIGKILL');
    await old.child.exit;
    assert.equal((await ask(node.server, { name: NAMES[0]!, type: 'A' })).rcode, 0);
    await next.child.waitUntil('alone', async () => (await node.probe('health', 'old')) === 503);
  });

  test('a zone that the new process has dropped is not answered from the old cache when the new one is killed', async (t) => {
    const node = await newNode(t);
    const statements = ['allow-update { any; };'];
    const dynamic = await startDynamicZone({ zones: ['corp.example'], records: [], statements });
    t.after(() => dynamic.stop());
    const route = ['--route', `corp.example=${dynamic.host}:${dynamic.port}`];
    const old = await node.start('old', ...route);
    const look = () => ask(node.server, { name: 'new.corp.example', type: 'A' });
    // Kept for 30 s.
    assert.equal((await look()).rcode, NXDOMAIN);
    const next = await node.start('new', ...route);
    await next.child.waitUntil('known to stand by', async () => (await node.probe('health', 'old')) === 200);
    const lines = ['update add new.corp.example 300 A 192.0.2.1'];
    assert.equal(await nsupdate({ server: node.server, zone: 'corp.example', lines }), 'NOERROR');
    next.child.kill('SIGKILL');
    await old.child.waitUntil('serving again', () => old.child.output.includes('serving again'));
    assert.equal((await look()).answers.length, 1);
    const metrics = await old.scrape();
    assert.equal(metrics.sum('signpost_cache_flushes_total', { reason: 'hand-over' }), 1);
    assert.equal(metrics.sum('signpost_cache_flushes_total', { reason: 'update' }), 0);
  });

  test(`${ROUNDS} roll-outs as kubelet does them: the new pod is ready by its own probe, the old one stays well, and a restart of the old container takes nothing`, async (t) => {
    const node = await newNode(t);
    let old = await node.start('pod-0');
    for (let round = 1; round <= ROUNDS; round++) {
      const [oldPod, newPod] = [`pod-${round - 1}`, `pod-${round}`];
      await old.child.waitUntil('ready', async () => (await node.probe('ready', oldPod)) === 200);
      assert.equal(await node.probe('ready', newPod), 503);
      const next = await node.start(newPod);
      await next.child.waitUntil('ready', async () => (await node.probe('ready', newPod)) === 200);
      await next.child.waitUntil('known to stand by', async () => (await node.probe('health', oldPod)) === 200);
      assert.equal(await node.probe('ready', oldPod), 200);
      assert.deepEqual(await old.stop(), { code: 0, signal: null });
      // Kubelet has not heard yet that the pod is to go.
      const again = spawnAgent(node.flags, { env: { POD_UID: oldPod } });
      t.after(() => again.kill('SIGKILL'));
      await again.waitUntil('standing by', async () => (await node.probe('health', oldPod)) === 200);
      assert.equal(await node.probe('ready', newPod), 200);
      assert.equal(again.output.includes('"listening"'), false, again.output);
      assert.deepEqual(await again.stop(), { code: 0, signal: null });
      assert.equal(next.child.output.includes('standing by'), false, next.child.output);
      old = next;
    }
  });

  test('SIGUSR2: a child of the same command line takes over, the parent stands by, and SIGTERM ends both', async (t) => {
    const node = await newNode(t);
    const parent = await node.start('pod');
    for (let i = 1; i <= 2; i++) {
      parent.child.kill('SIGUSR2');
      const tookOver = () => parent.child.output.split('"took over"').length - 1;
      await parent.child.waitUntil(`taken from ${i} times`, () => tookOver() === i);
      await parent.child.waitUntil('ready', async () => (await node.probe('ready', 'pod')) === 200);
      assert.equal((await ask(node.server, { name: NAMES[0]!, type: 'A' })).rcode, 0);
    }
    await parent.child.waitUntil('alone with one child', () =>
      parent.child.output.includes('a successor that this process had started has ended'),
    );
    assert.deepEqual(await parent.stop(), { code: 0, signal: null });
    await assert.rejects(ask(node.server, { name: NAMES[0]!, type: 'A', overTcp: true }));
  });

  test('no room in --state: an upgrade comes to pass all the same, so does a first start, and what cannot be written is said', async (t) => {
    const node = await newNode(t);
    // The disk is in a mount namespace that lives as long as this process of it.
    const disk = new Child(program('unshare'), [
      ...['--mount', 'sh', '-c'],
      `mount -t tmpfs -o size=64k tmpfs ${node.state} && echo mounted && exec sleep 600`,
    ]);
    t.after(() => disk.kill('SIGKILL'));
    await disk.waitUntil('mounted', () => disk.output.includes('mounted'));
    const prefix = [program('nsenter'), `--mount=/proc/${disk.pid}/ns/mnt`];
    const begin = (pod: string): Child => {
      const child = spawnAgent([...node.flags, '--lameduck', '0s'], { prefix, env: { POD_UID: pod } });
      t.after(() => child.kill('SIGKILL'));
      return child;
    };
    const isServing = (child: Child, pod: string) =>
      child.waitUntil('ready', async () => (await node.probe('ready', pod)) === 200);
    const old = begin('old');
    await isServing(old, 'old');
    assert.equal((await ask(node.server, { name: NAMES[0]!, type: 'A' })).rcode, 0);
    const [command, ...args] = prefix;
    await run(command!, [...args, 'dd', 'if=/dev/zero', `of=${node.state}/filler`]);

    const next = begin('new');
    await next.waitUntil('serving', () => next.output.includes('"took over"'));
    assert.match(next.output, /no room in the folder of --state/);
    assert.deepEqual(await old.stop(), { code: 0, signal: null });
    await isServing(next, 'new');
    assert.equal((await ask(node.server, { name: NAMES[0]!, type: 'A' })).rcode, 0);
    assert.deepEqual(await next.stop(), { code: 0, signal: null });
    assert.match(next.output, /ENOSPC.*cannot write the snapshot of the cache/);

    const first = begin('first');
    await isServing(first, 'first');
    assert.equal((await ask(node.server, { name: NAMES[0]!, type: 'A' })).rcode, 0);
  });

  test('without rights to --state it serves, says so, and can only be replaced when it has ended', async (t) => {
    const node = await newNode(t);
    chmodSync(node.state, 0o500);
    const prefix = [program('setpriv'), '--reuid=65534', '--clear-groups'];
    const env = { POD_UID: 'old', HOME: tmpdir() };
    const old = spawnAgent([...node.flags, '--lameduck', '0s'], { prefix, env });
    t.after(() => old.kill('SIGKILL'));
    await old.waitUntil('listening', () => old.output.includes('"listening"'));
    assert.match(old.output, /the folder of --state cannot be used/);
    assert.equal((await ask(node.server, { name: NAMES[0]!, type: 'A' })).rcode, 0);
    await old.waitUntil('ready', async () => (await node.probe('ready', 'old')) === 200);
    const second = spawnAgent(node.flags, { prefix, env: { ...env, POD_UID: 'new' } });
    assert.equal((await second.exit).code, 1);
    assert.match(second.output, /the port is in use by/);
    assert.deepEqual(await old.stop(), { code: 0, signal: null });
  });
});
