import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { RCODE_SERVFAIL } from '../../src/wire/constants.ts';
import { ask, type Server, TcpClient } from '../client/ask.ts';
import { type Agent, startAgent } from '../servers/agent.ts';
import { NAMED_PROGRAMS, type Named, startNamed } from '../servers/named.ts';
import { skipWithout } from '../servers/programs.ts';

suite('the life of the process', { skip: skipWithout(...NAMED_PROGRAMS) }, () => {
  let named: Named;
  before(async () => {
    named = await startNamed();
  });
  after(() => named.stop());

  const start = async (t: TestContext, ...flags: string[]): Promise<Agent> => {
    const upstream = `${named.host}:${named.port}`;
    const agent = await startAgent(['--cluster-dns', upstream, '--upstream', upstream, ...flags]);
    t.after(() => agent.stop());
    return agent;
  };

  test('it is healthy at once, and ready when an upstream has answered', async (t) => {
    const agent = await start(t);
    assert.equal(await statusOf(agent, '/health'), 200);
    assert.equal((await ask(agent, { name: 'one.example.test', type: 'A' })).rcode, 0);
    await until(async () => (await statusOf(agent, '/ready')) === 200);
    const body = (await (await fetch(`${agent.adminUrl}/ready`)).json()) as {
      ready: boolean;
      reasons: { ok: boolean }[];
    };
    assert.equal(body.ready, true);
    assert.ok(body.reasons.every((reason) => reason.ok));
  });

  test('it is not ready for having told a client that nobody answers', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'signpost-life-'));
    t.after(() => rm(folder, { recursive: true, force: true }));
    const silent = createSocket('udp4');
    t.after(() => silent.close());
    await new Promise<void>((resolve) => silent.bind(0, '127.0.0.1', resolve));
    const upstream = `udp://127.0.0.1:${silent.address().port}`;
    const file = join(folder, 'signpost.yaml');
    await writeFile(file, 'zones:\n  .: {tryTimeout: 200ms, totalTimeout: 300ms}\n');
    const agent = await startAgent(['--cluster-dns', upstream, '--upstream', upstream, '--config', file]);
    t.after(() => agent.stop());
    const { rcode } = await ask(agent, { name: 'one.example.test', type: 'A' });
    assert.equal(rcode, RCODE_SERVFAIL);
    assert.ok((await agent.scrape()).sum('coredns_cache_entries') > 0, 'it is kept');
    assert.equal(await statusOf(agent, '/ready'), 503);
  });

  test('SIGTERM: not ready, answers for the lameduck time, closes, exit 0', async (t) => {
    const agent = await start(t, '--lameduck', '2s');
    await ask(agent, { name: 'one.example.test', type: 'A' });
    await until(async () => (await statusOf(agent, '/ready')) === 200);
    agent.child.kill('SIGTERM');
    const sinceMs = performance.now();
    await until(async () => (await statusOf(agent, '/ready')) === 503);
    assert.equal(await statusOf(agent, '/health'), 200);
    assert.equal((await ask(agent, { name: 'one.example.test', type: 'A' })).rcode, 0);
    assert.equal(
      (await ask(agent, { name: `late-${Date.now()}.wild.example.test`, type: 'A', overTcp: true })).rcode,
      0,
    );
    assert.deepEqual(await agent.child.exit, { code: 0, signal: null });
    assert.ok(performance.now() - sinceMs >= 1900);
    await assert.rejects(ask(agent, { name: 'one.example.test', type: 'A', overTcp: true }));
  });

  test('a second SIGTERM ends it at once', async (t) => {
    const agent = await start(t, '--lameduck', '1h');
    agent.child.kill('SIGTERM');
    await until(async () => (await statusOf(agent, '/ready')) === 503);
    await sleep(500);
    assert.equal(agent.child.hasEnded, false);
    agent.child.kill('SIGTERM');
    assert.deepEqual(await agent.child.exit, { code: 0, signal: null });
  });

  test('a client that keeps its connection open does not keep the process', async (t) => {
    const agent = await start(t);
    const client = await TcpClient.connect(agent);
    t.after(() => client.close());
    assert.deepEqual(await agent.stop(), { code: 0, signal: null });
  });

  test('SIGHUP takes a new resolv.conf; a bad one keeps the old, is said once, and shows on a metric', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'signpost-life-'));
    t.after(() => rm(folder, { recursive: true, force: true }));
    const file = join(folder, 'resolv.conf');
    // A resolv.conf has no ports: both name servers are stand-ins that listen on 53 nowhere, told apart by what the configuration shows.
    await replace(file, 'nameserver 127.0.0.71\n');
    const agent = await startAgent(['--cluster-dns', `${named.host}:${named.port}`, '--resolv-conf', file]);
    t.after(() => agent.stop());
    assert.deepEqual(await upstreamsOf(agent, '.'), ['127.0.0.71:53']);

    await replace(file, 'nameserver 127.0.0.72\nnameserver 127.0.0.73\n');
    agent.child.kill('SIGHUP');
    await until(async () => (await upstreamsOf(agent, '.')).join() === '127.0.0.72:53,127.0.0.73:53');

    await replace(file, 'nameserver not-an-address\n');
    agent.child.kill('SIGHUP');
    await until(async () => (await agent.scrape()).sum('signpost_config_reload_failed') === 1);
    assert.deepEqual(await upstreamsOf(agent, '.'), ['127.0.0.72:53', '127.0.0.73:53']);
    agent.child.kill('SIGHUP');
    await until(async () => (await agent.scrape()).sum('signpost_config_reload_failures_total') >= 2);

    await replace(file, 'nameserver 127.0.0.71\n');
    agent.child.kill('SIGHUP');
    await until(async () => (await agent.scrape()).sum('signpost_config_reload_failed') === 0);
    assert.deepEqual(await upstreamsOf(agent, '.'), ['127.0.0.71:53']);
    // All of the log has come when the process has ended.
    await agent.stop();
    assert.equal(agent.child.output.split('\n').filter((line) => line.includes('"level":"error"')).length, 1);
  });

  test('a reload keeps the cache and loses no query', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'signpost-life-'));
    t.after(() => rm(folder, { recursive: true, force: true }));
    const file = join(folder, 'resolv.conf');
    await replace(file, 'nameserver 127.0.0.71\n');
    const cluster = ['--cluster-domain', 'example.test', '--cluster-dns', `${named.host}:${named.port}`];
    const agent = await startAgent([...cluster, '--resolv-conf', file]);
    t.after(() => agent.stop());
    for (let i = 0; i < 20; i++) {
      await replace(file, `nameserver 127.0.0.${80 + i}\n`);
      agent.child.kill('SIGHUP');
      const replies = await Promise.all(
        Array.from({ length: 20 }, (_, at) => ask(agent, { name: `${i}-${at}.wild.example.test`, type: 'A' })),
      );
      assert.deepEqual(new Set(replies.map((reply) => reply.rcode)), new Set([0]));
    }
    assert.ok((await agent.scrape()).sum('coredns_cache_entries') >= 400);
  });

  test('two families: it answers on IPv4 and IPv6, from the address that was asked', async (t) => {
    const agent = await start(t, '--listen', '127.0.0.1:0', '--listen', '[::1]:0', '--listen', '127.0.0.2:0');
    assert.equal(agent.listen.length, 3);
    for (const server of agent.listen) {
      for (const overTcp of [false, true]) {
        assert.equal((await ask(server, { name: 'one.example.test', type: 'A', overTcp })).answers.length, 1);
      }
    }
  });

  test('the built-in names need no upstream', async (t) => {
    const agent = await startAgent(['--cluster-dns', '127.0.0.1:9', '--upstream', '127.0.0.1:9']);
    t.after(() => agent.stop());
    assert.deepEqual(
      (await answersOf(agent, 'localhost', 'A')).map(({ data }) => data),
      ['7f000001'],
    );
    assert.deepEqual(
      (await answersOf(agent, 'a.localhost', 'AAAA')).map(({ data }) => data),
      [`${'0'.repeat(31)}1`],
    );
    assert.equal((await answersOf(agent, '1.0.0.127.in-addr.arpa', 'PTR')).length, 1);
    const chaos = await ask(agent, { name: 'version.bind', type: 'TXT', class: 3 });
    assert.match(Buffer.from(chaos.answers[0]!.data, 'hex').toString(), /signpost/);
  });
});

async function answersOf(server: Server, name: string, type: string) {
  return (await ask(server, { name, type })).answers;
}

async function statusOf(agent: Agent, path: string): Promise<number> {
  const response = await fetch(`${agent.adminUrl}${path}`);
  await response.arrayBuffer();
  return response.status;
}

/** At once: a file that is written in place is empty for a moment, and the agent may read it then. */
async function replace(file: string, text: string): Promise<void> {
  await writeFile(`${file}.new`, text);
  await rename(`${file}.new`, file);
}

/** The upstreams of a zone, without their transport. */
async function upstreamsOf(agent: Agent, zone: string): Promise<string[]> {
  const status = (await (await fetch(`${agent.adminUrl}/api/v1/status`)).json()) as {
    zones: { zone: string; upstreams: { address: string }[] }[];
  };
  const found = status.zones.find((entry) => entry.zone === zone);
  return found!.upstreams.map(({ address }) => address.replace(/^.*:\/\//, ''));
}

async function until(isTrue: () => Promise<boolean>, limitMs = 10_000): Promise<void> {
  const endMs = performance.now() + limitMs;
  while (!(await isTrue())) {
    assert.ok(performance.now() < endMs, `not so within ${limitMs} ms: ${isTrue}`);
    await sleep(20);
  }
}
