import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ask } from '../client/ask.ts';
import { type Agent, startAgent } from '../servers/agent.ts';
import { run } from '../servers/child.ts';
import { freePort } from '../servers/free-port.ts';

const ENTRY = fileURLToPath(new URL('../../bin/signpost.js', import.meta.url));

/** A UDP server that answers every A question with `address`, TTL 0, so that nothing of it stays in a cache. Returns `udp://…`. */
async function serverOf(t: TestContext, address: string, host = '127.0.0.1', port = 0): Promise<string> {
  const record = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, ...address.split('.').map(Number)]);
  const socket = createSocket('udp4');
  socket.on('message', (query, client) => {
    const questionEnd = query.indexOf(0, 12) + 5;
    const reply = Buffer.concat([query.subarray(0, questionEnd), record]);
    reply.writeUInt16BE(0x8180, 2);
    reply.writeUInt16BE(1, 6);
    reply.writeUInt16BE(0, 10);
    socket.send(reply, client.port, client.address);
  });
  socket.bind(port, host);
  await once(socket, 'listening');
  t.after(() => socket.close());
  return `udp://${host}:${socket.address().port}`;
}

async function started(t: TestContext, ...flags: string[]): Promise<Agent> {
  const agent = await startAgent(flags);
  t.after(() => agent.child.kill('SIGKILL'));
  return agent;
}

const addressOf = (agent: Agent): string => `${agent.host}:${agent.port}`;
const query = (agent: Agent, ...args: string[]) =>
  run(process.execPath, [ENTRY, 'query', '--server', addressOf(agent), ...args]);

test('query tells where an answer came from, as text and as JSON', async (t) => {
  const upstream = await serverOf(t, '192.0.2.1');
  const agent = await started(t, '--cluster-dns', upstream, '--upstream', upstream);
  const text = await query(agent, 'www.example');
  assert.deepEqual([text.code, text.stderr], [0, '']);
  assert.match(text.stdout, /^;; ->>HEADER<<- opcode: QUERY, status: NOERROR, id: \d+$/m);
  assert.match(text.stdout, /^www\.example\.\t0\tIN\tA\t192\.0\.2\.1$/m);
  assert.match(text.stdout, new RegExp(`^;; SERVER: ${addressOf(agent)} \\(UDP\\)$`, 'm'));
  assert.match(text.stdout, new RegExp(`^;; FROM: ${upstream.slice('udp://'.length)}\\b`, 'm'));
  const json = JSON.parse((await query(agent, 'localhost', '--tcp', '--json')).stdout);
  assert.deepEqual([json.rcode, json.transport, json.from], ['NOERROR', 'tcp', 'local']);
});

test('after SIGTERM it answers for the lameduck time, and ends with 0', async (t) => {
  const upstream = await serverOf(t, '192.0.2.1');
  const agent = await started(t, '--cluster-dns', upstream, '--upstream', upstream, '--lameduck', '4s');
  agent.child.kill('SIGTERM');
  await agent.child.waitUntil('not ready', async () => (await fetch(`${agent.adminUrl}/ready`)).status === 503);
  assert.equal((await ask(agent, { name: 'www.example', type: 'A' })).rcode, 0);
  assert.deepEqual(await agent.child.exit, { code: 0, signal: null });
});

test('a second SIGTERM ends it at once', async (t) => {
  const upstream = await serverOf(t, '192.0.2.1');
  const agent = await started(t, '--cluster-dns', upstream, '--upstream', upstream, '--lameduck', '1h');
  agent.child.kill('SIGTERM');
  // The kernel merges signals of one kind that nobody has taken yet.
  await agent.child.waitUntil('stopping', () => agent.child.output.includes('"stopping"'));
  // So close together they are one, from two senders.
  agent.child.kill('SIGTERM');
  await sleep(500);
  assert.equal(agent.child.hasEnded, false);
  agent.child.kill('SIGTERM');
  assert.deepEqual(await agent.child.exit, { code: 0, signal: null });
});

test('SIGINT waits for no lameduck time', async (t) => {
  const upstream = await serverOf(t, '192.0.2.1');
  const agent = await started(t, '--cluster-dns', upstream, '--upstream', upstream, '--lameduck', '1h');
  agent.child.kill('SIGINT');
  assert.deepEqual(await agent.child.exit, { code: 0, signal: null });
});

test('an error that nobody caught is logged and counted, and the agent goes on', async (t) => {
  const upstream = await serverOf(t, '192.0.2.1');
  const throwing = "process.on('SIGUSR2', () => { throw new Error('out of the blue'); })";
  const nodeFlags = ['--import', `data:text/javascript,${encodeURIComponent(throwing)}`];
  const agent = await startAgent(['--cluster-dns', upstream, '--upstream', upstream], { nodeFlags });
  t.after(() => agent.child.kill('SIGKILL'));
  agent.child.kill('SIGUSR2');
  // The log comes by another way than the metrics, and later or sooner.
  await agent.child.waitUntil('told', () => agent.child.output.includes('out of the blue'));
  assert.equal((await agent.scrape()).sum('coredns_panics_total'), 1);
  assert.equal((await ask(agent, { name: 'www.example', type: 'A' })).rcode, 0);
});

test('an address that another has is named, and ends it with 1', async (t) => {
  const taken = (await serverOf(t, '192.0.2.1')).slice('udp://'.length);
  const flags = [
    '--listen',
    taken,
    '--cluster-dns',
    '127.0.0.1:1',
    '--upstream',
    '127.0.0.1:1',
    '--admin',
    'off',
    '--metrics',
    'off',
  ];
  const { code, stderr } = await run(process.execPath, [ENTRY, 'serve', ...flags]);
  assert.equal(code, 1);
  assert.match(stderr, new RegExp(`^Cannot .*${taken}`));
  assert.doesNotMatch(stderr, /^ {4}at /m);
});

/** Two servers on port 53 of loopback addresses of their own, a resolv.conf that names the first, and an agent that reads it. */
async function withResolvConf(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'signpost-cli-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'resolv.conf');
  // A network of loopback that other tests do not meet: resolv.conf knows no port but 53.
  const [one, two] = [await freePort(), await freePort()].map((n) => `127.${n >> 8}.${n & 255}.53`) as [string, string];
  await serverOf(t, '192.0.2.1', one, 53);
  await serverOf(t, '192.0.2.2', two, 53);
  const write = (text: string): void => {
    writeFileSync(`${file}.new`, text);
    renameSync(`${file}.new`, file);
  };
  write(`nameserver ${one}\n`);
  const agent = await started(t, '--cluster-dns', `udp://${one}`, '--resolv-conf', file);
  const answer = async (): Promise<string | undefined> => {
    const { answers } = await ask(agent, { name: 'www.example', type: 'A' });
    return answers[0] && [...Buffer.from(answers[0].data, 'hex')].join('.');
  };
  return { agent, write, two, answer };
}

/** Ports below 1024 are not everyone's. */
const NEEDS_ROOT =
  process.getuid?.() === 0 ? false : 'a name server of a resolv.conf listens on port 53, which needs root';

test('a resolv.conf that was replaced is read without being asked to', { skip: NEEDS_ROOT }, async (t) => {
  const { agent, write, two, answer } = await withResolvConf(t);
  assert.equal(await answer(), '192.0.2.1');
  write(`nameserver ${two}\n`);
  await agent.child.waitUntil('reloaded', async () => (await answer()) === '192.0.2.2');
});

test('a bad resolv.conf changes nothing, is said once, and shows on the metrics until it is mended', {
  skip: NEEDS_ROOT,
}, async (t) => {
  const { agent, write, two, answer } = await withResolvConf(t);
  write('# nothing\n');
  const isFailing = async (): Promise<boolean> => (await agent.scrape()).sum('signpost_config_reload_failed') === 1;
  await agent.child.waitUntil('failing', isFailing);
  agent.child.kill('SIGHUP');
  await agent.child.waitUntil(
    'told by SIGHUP',
    async () => (await agent.scrape()).sum('signpost_config_reloads_total') >= 2,
  );
  assert.equal(await answer(), '192.0.2.1');
  write(`nameserver ${two}\n`);
  await agent.child.waitUntil('reloaded', async () => (await answer()) === '192.0.2.2');
  await agent.child.waitUntil('sound', async () => !(await isFailing()));
  // All of the log has come when the process has ended.
  await agent.stop();
  assert.equal(agent.child.output.match(/the last good one stays/g)?.length, 1);
});
