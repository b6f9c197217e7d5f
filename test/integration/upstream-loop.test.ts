import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ask, type Server } from '../client/ask.ts';
import { extendedErrors } from '../client/message.ts';
import { type Agent, startAgent } from '../servers/agent.ts';
import { type CoreDns, startCoreDns } from '../servers/coredns.ts';
import { type FaultyPath, startFaultyPath } from '../servers/faulty-path.ts';
import { freePort } from '../servers/free-port.ts';
import { NAMED_PROGRAMS, type Named, startNamed } from '../servers/named.ts';
import { skipWithout } from '../servers/programs.ts';

const NXDOMAIN = 3;
const SERVFAIL = 2;
const NO_REACHABLE_AUTHORITY = 22;
const FOUND = 'Upstream leads back to this agent, and is not asked for this zone';
const MENDED = 'Upstream leads back to this agent no more';

suite('an upstream that leads back to the agent', { skip: skipWithout(...NAMED_PROGRAMS), concurrency: 4 }, () => {
  let named: Named;
  before(async () => {
    named = await startNamed();
  });
  after(() => named.stop());

  test('is found and passed over, the other one answers, and once mended it is asked again', async (t) => {
    const { agent, path, listen } = await startLooped(`${named.host}:${named.port}`);
    t.after(() => stop(agent, path));
    await until(agent, 'found', () => lines(agent, FOUND).length > 0);
    for (let i = 0; i < 20; i++) assert.equal((await askFor(agent, `loop-${i}.wild.example.test`)).rcode, 0);
    assert.equal(lines(agent, FOUND).length, 1);
    assert.equal((await looped(agent)).length, 1);
    const ready = await fetch(`${agent.adminUrl}/ready`);
    assert.equal(ready.status, 200);
    assert.match(await ready.text(), new RegExp(`127\\.0\\.0\\.1:${path.port}`));
    assert.ok(listen.port > 0);

    await path.become('reset');
    path.behind = named;
    await path.become('pass');
    await until(agent, 'mended', () => lines(agent, MENDED).length > 0);
    assert.equal((await looped(agent)).length, 0);
  });

  test('as the only one gives SERVFAIL at once, not a storm', async (t) => {
    const { agent, path } = await startLooped();
    t.after(() => stop(agent, path));
    await until(agent, 'found', () => lines(agent, FOUND).length > 0);
    const before = path.received;
    for (let i = 0; i < 50; i++) {
      const reply = await ask(agent, { name: `loop-${i}.wild.example.test`, type: 'A', dnssecOk: false });
      assert.equal(reply.rcode, SERVFAIL);
      assert.deepEqual(extendedErrors(reply), [NO_REACHABLE_AUTHORITY]);
    }
    // Only whether it still is so was asked.
    assert.ok(path.received - before < 25, `${path.received - before}`);
  });

  test('by way of a cluster DNS is passed over for the zones that it forwards, and asked for its own', {
    skip: skipWithout('coredns'),
  }, async (t) => {
    const listen = { host: '127.0.0.1', port: await freePort() };
    const cluster = await startClusterDns(listen);
    const agent = await startAgent([
      ...['--listen', `${listen.host}:${listen.port}`],
      ...['--cluster-dns', `${cluster.host}:${cluster.port}`],
      ...['--upstream', `${named.host}:${named.port}`],
    ]);
    t.after(async () => {
      await agent.stop();
      await cluster.stop();
    });
    await until(agent, 'found', () => lines(agent, FOUND).length >= 2);
    assert.deepEqual(
      lines(agent, FOUND)
        .map(({ zone }) => zone)
        .toSorted(),
      ['in-addr.arpa.', 'ip6.arpa.'],
    );
    const service = await askFor(agent, 'web.default.svc.cluster.local');
    assert.deepEqual(
      service.answers.map(({ data }) => data),
      ['0a600007'],
    );
    assert.equal((await askFor(agent, 'absent.default.svc.cluster.local')).rcode, NXDOMAIN);
    assert.equal((await askFor(agent, 'one.example.test')).rcode, 0);
  });
});

/** An agent with an upstream that is a path to the agent itself, and perhaps another one. */
async function startLooped(other?: string): Promise<{ agent: Agent; path: FaultyPath; listen: Server }> {
  const listen = { host: '127.0.0.1', port: await freePort() };
  const path = await startFaultyPath(listen);
  const upstreams = [`${path.host}:${path.port}`, ...(other === undefined ? [] : [other])];
  const agent = await startAgent([
    ...['--listen', `${listen.host}:${listen.port}`, '--cluster-dns', other ?? `${path.host}:${path.port}`],
    ...upstreams.flatMap((upstream) => ['--upstream', upstream]),
  ]);
  return { agent, path, listen };
}

/** A cluster DNS as many run it: its own zone, and all else to the name servers of its node, which is the agent. */
function startClusterDns(agent: Server): Promise<CoreDns> {
  const zone = `cluster.local. 30 IN SOA ns.dns.cluster.local. hostmaster.cluster.local. 1 7200 1800 86400 5
web.default.svc.cluster.local. 30 IN A 10.96.0.7
`;
  return startCoreDns({
    corefile: (port) => `.:${port} {
      bind 127.0.0.1
      file cluster.zone cluster.local
      forward . ${agent.host}:${agent.port}
    }`,
    readyName: 'web.default.svc.cluster.local',
    files: { 'cluster.zone': zone },
  });
}

async function stop(agent: Agent, path: FaultyPath): Promise<void> {
  await agent.stop();
  path.stop();
}

function askFor(agent: Agent, name: string) {
  return ask(agent, { name, type: 'A', dnssecOk: false });
}

function lines(agent: Agent, message: string): { upstream: string; zone: string }[] {
  const matching = agent.child.output.split('\n').filter((line) => line.includes(`"message":"${message}"`));
  return matching.map((line) => JSON.parse(line));
}

async function looped(agent: Agent): Promise<string[]> {
  const text = await (await fetch(`${agent.adminUrl}/metrics`)).text();
  return text.split('\n').filter((line) => /^signpost_upstream_looped\{.* 1$/.test(line));
}

async function until(agent: Agent, what: string, isTrue: () => boolean): Promise<void> {
  const endMs = performance.now() + 40_000;
  while (!isTrue()) {
    assert.ok(performance.now() < endMs, `it was not ${what}\n${agent.child.output}`);
    await sleep(50);
  }
}
