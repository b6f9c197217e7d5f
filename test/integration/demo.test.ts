import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { silentLogger } from '../../src/core/logger.ts';
import { startDemo } from '../../src/demo/demo.ts';
import { ask, type Server } from '../client/ask.ts';
import { Child, run } from '../servers/child.ts';
import { program, refuseInCi, skipWithout } from '../servers/programs.ts';

const ENTRY = join(import.meta.dirname, '../../bin/signpost.js');
const LOOPBACK = { host: '127.0.0.1', port: 0 };
const OFF = ['--metrics', 'off', '--admin', 'off'];

/** The demo in this process, on free ports; what it printed stands in `lines`. */
async function start(context: TestContext, cluster?: string) {
  const lines: string[] = [];
  const demo = await startDemo({
    listen: [LOOPBACK],
    cluster,
    admin: LOOPBACK,
    metrics: LOOPBACK,
    log: silentLogger,
    print: (line) => lines.push(line),
  });
  context.after(() => demo.stop());
  return { lines, addresses: demo.addresses, server: demo.addresses.listen[0]! };
}

/** The answers' data in hexadecimal; a text stands for a name in it. */
async function answer(server: Server, name: string, type = 'A', overTcp = false): Promise<string> {
  const { rcode, answers } = await ask(server, { name, type, overTcp });
  return [rcode, ...answers.map(({ data }) => data).sort()].join(' ');
}

test('cluster names, reverse names and outside names are answered, over UDP and TCP, first asked and then from memory', async (t) => {
  const { server } = await start(t);
  for (const overTcp of [false, true, false]) {
    assert.equal(await answer(server, 'web.default.svc.cluster.local', 'A', overTcp), '0 0a600c50');
    assert.equal(await answer(server, 'database.shop.svc.cluster.local', 'A', overTcp), '0 0af40114 0af40214');
    assert.equal(await answer(server, 'mirror.example.org', 'A', overTcp), '0 c6336414');
    assert.equal(await answer(server, 'nobody.default.svc.cluster.local', 'A', overTcp), '3');
    const reverse = await answer(server, '80.12.96.10.in-addr.arpa', 'PTR', overTcp);
    assert.equal(Buffer.from(reverse.slice(2), 'hex').toString('latin1').includes('web\x07default\x03svc'), true);
  }
});

test('it prints where it listens, commands that find something, and its pages', {
  skip: skipWithout('dig'),
}, async (t) => {
  const { lines, addresses, server } = await start(t);
  assert.match(lines[0]!, new RegExp(`^Signpost answers on 127\\.0\\.0\\.1:${server.port} `));
  const commands = lines
    .filter((line) => line.startsWith('  dig '))
    .map((line) => line.trim().split('  # ')[0]!.trim());
  const answers = [];
  for (const command of commands) {
    const [, ...args] = command.split(' ');
    const { stdout } = await run(program('dig'), [...args, '+noall', '+comments', '+answer']);
    answers.push(Number(/ANSWER: (\d+)/.exec(stdout)?.[1]));
  }
  assert.equal(answers.pop(), 0);
  assert.ok(answers.length >= 6 && answers.every((count) => count > 0), String(answers));
  assert.ok(lines.includes(`Status:   http://127.0.0.1:${addresses.admin!.port}/`));
  assert.ok(lines.includes(`Metrics:  http://127.0.0.1:${addresses.metrics!.port}/metrics`));
  assert.equal(lines.at(-1), 'Ctrl-C ends it.');
});

test('the pages that it names are there', async (t) => {
  const { addresses } = await start(t);
  for (const [{ port }, path] of [
    [addresses.admin!, '/'],
    [addresses.admin!, '/health'],
    [addresses.admin!, '/ready'],
    [addresses.metrics!, '/metrics'],
  ] as const) {
    const response = await fetch(`http://127.0.0.1:${port}${path}`);
    assert.equal(response.status, 200, `${path}: ${await response.text()}`);
  }
});

test("a cluster of the user's own takes the place of ours", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'signpost-demo-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, 'mine.yaml');
  await writeFile(file, 'domain: corp.example\nnamespaces: {a: {b: {clusterIPs: [10.96.0.5]}}}\n');
  const { server, lines } = await start(t, file);
  assert.equal(await answer(server, 'b.a.svc.corp.example'), '0 0a600005');
  assert.ok(lines.some((line) => line.includes(' b.a.svc.corp.example')));
});

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  test(`${signal} ends the command cleanly`, async () => {
    const child = new Child(process.execPath, [ENTRY, 'demo', '--listen', '127.0.0.1:0', ...OFF]);
    await child.waitUntil('started', () => child.output.includes('Ctrl-C ends it.'));
    const port = Number(/answers on 127\.0\.0\.1:(\d+)/.exec(child.output)?.[1]);
    assert.equal(await answer({ host: '127.0.0.1', port }, 'kubernetes.default.svc.cluster.local'), '0 0a600001');
    child.kill(signal);
    assert.deepEqual(await child.exit, { code: 0, signal: null }, child.output);
  });
}

test('a port that is taken is named, and nothing stays behind', async (t) => {
  const taken = createSocket('udp4').bind(0, '127.0.0.1');
  await once(taken, 'listening');
  t.after(() => taken.close());
  const listen = `127.0.0.1:${taken.address().port}`;
  const { code, stderr, stdout } = await run(process.execPath, [ENTRY, 'demo', '--listen', listen, ...OFF]);
  assert.equal(code, 1, stderr);
  assert.match(stderr, new RegExp(listen.replaceAll('.', '\\.')));
  assert.equal(stdout, '');
});

test('a cluster file that is wrong is refused with all that is wrong in it', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'signpost-demo-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, 'mine.yaml');
  await writeFile(file, 'ttl: soon\nnamespaces: {a: {b: {clusterIPs: [here]}}}\n');
  const { code, stderr } = await run(process.execPath, [ENTRY, 'demo', '--cluster', file, ...OFF]);
  assert.equal(code, 2);
  assert.equal(stderr.trim().split('\n').length, 2, stderr);
  assert.match(stderr, /namespaces\.a\.b\.clusterIPs\[0\]: expected an IP address, got "here"/);
});

const isolated = await run('unshare', ['--net', 'true']).then(
  ({ code }) => code === 0,
  () => false,
);

test('it needs no network', {
  skip: isolated ? skipWithout('dig') : refuseInCi('may not make a network namespace'),
}, async (t) => {
  const script = `ip link set lo up && exec "${process.execPath}" "${ENTRY}" demo --listen 127.0.0.1:5300 ${OFF.join(' ')}`;
  const child = new Child('unshare', ['--net', 'sh', '-c', script]);
  t.after(() => child.kill('SIGKILL'));
  await child.waitUntil('started', () => child.output.includes('Ctrl-C ends it.'));
  const inside = ['--target', String(child.pid), '--net', program('dig'), '-p', '5300', '@127.0.0.1', '+short'];
  for (const name of ['web.default.svc.cluster.local', 'mirror.example.org']) {
    const { stdout } = await run('nsenter', [...inside, name]);
    assert.match(stdout, /^(?:10\.96\.12\.80|198\.51\.100\.20)\n$/);
  }
  assert.deepEqual(await child.stop(), { code: 0, signal: null });
});
