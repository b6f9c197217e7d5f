import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { spawnAgent } from '../servers/agent.ts';
import { freePort } from '../servers/free-port.ts';

const OWN = [
  '--metrics',
  'off',
  '--admin',
  '127.0.0.1:0',
  '--lameduck',
  '0s',
  '--cluster-dns',
  '127.0.0.1:9',
  '--upstream',
  '127.0.0.1:9',
];

/** A start that must fail: what it says to a person, and its exit code. */
async function failedStart(...flags: string[]): Promise<{ code: number | null; text: string }> {
  const child = spawnAgent([...OWN, ...flags]);
  const timer = setTimeout(() => child.kill('SIGKILL'), 20_000);
  const { code } = await child.exit;
  clearTimeout(timer);
  assert.doesNotMatch(child.output, /^\s+at /m, 'a stack is no message');
  return { code, text: child.output };
}

test('a UDP port in use: the message names address, cause and remedy; exit 1', async (t) => {
  const port = await freePort();
  const holder = createSocket('udp4').bind(port, '127.0.0.1');
  await once(holder, 'listening');
  t.after(() => holder.close());
  const { code, text } = await failedStart('--listen', `127.0.0.1:${port}`);
  assert.equal(code, 1);
  assert.match(text, new RegExp(`Cannot listen on 127\\.0\\.0\\.1:${port}.*UDP.*in use`, 's'));
});

test('a TCP port in use: the same', async (t) => {
  const port = await freePort();
  const holder = createServer().listen(port, '127.0.0.1');
  await once(holder, 'listening');
  t.after(() => holder.close());
  const { code, text } = await failedStart('--listen', `127.0.0.1:${port}`);
  assert.equal(code, 1);
  assert.match(text, new RegExp(`Cannot listen on 127\\.0\\.0\\.1:${port}.*TCP.*in use`, 's'));
});

test('the second of two listen addresses in use: nothing of the first is left behind, exit 1', async (t) => {
  const port = await freePort();
  const holder = createServer().listen(port, '127.0.0.1');
  await once(holder, 'listening');
  t.after(() => holder.close());
  const { code, text } = await failedStart('--listen', '127.0.0.1:0', '--listen', `127.0.0.1:${port}`);
  assert.equal(code, 1);
  assert.match(text, new RegExp(`127\\.0\\.0\\.1:${port}`));
});

test('an address that this machine does not have; exit 1', async () => {
  const { code, text } = await failedStart('--listen', '192.0.2.77:5300');
  assert.equal(code, 1);
  assert.match(text, /Cannot listen on 192\.0\.2\.77:5300/);
  assert.match(text, /address/);
});

test('the admin port in use: DNS is served without it, and it is opened when it is free', async (t) => {
  const port = await freePort();
  const holder = createServer().listen(port, '127.0.0.1');
  await once(holder, 'listening');
  const child = spawnAgent([...OWN, '--listen', '127.0.0.1:0', '--admin', `127.0.0.1:${port}`]);
  t.after(() => child.stop());
  await child.waitUntil('listening', () => child.output.includes('"listening"'));
  assert.match(child.output, new RegExp(`127\\.0\\.0\\.1:${port} \\(--admin\\).*in use`));
  holder.close();
  await child.waitUntil('serving its admin pages', () =>
    fetch(`http://127.0.0.1:${port}/health`).then(
      (response) => response.status === 200,
      () => false,
    ),
  );
});

test('a wildcard is refused, for a reply must come from the address that was asked; exit 2', async () => {
  for (const wildcard of ['0.0.0.0:5300', '[::]:5300']) {
    const { code, text } = await failedStart('--listen', wildcard);
    assert.equal(code, 2);
    assert.match(text, /--listen/);
    assert.ok(text.includes(wildcard), text);
  }
});

test('several wrong flags are all named at once; exit 2', async () => {
  const { code, text } = await failedStart(
    '--listen',
    'nowhere',
    '--cache-size',
    'much',
    '--lameduck',
    'soon',
    '--route',
    'x',
  );
  assert.equal(code, 2);
  for (const option of ['--listen', '--cache-size', '--lameduck', '--route']) assert.ok(text.includes(option), option);
  for (const value of ['nowhere', 'much', 'soon']) assert.ok(text.includes(value), value);
});

test('a resolv.conf that is not there; exit 2', async () => {
  const child = spawnAgent([
    '--listen',
    '127.0.0.1:0',
    '--cluster-dns',
    '127.0.0.1:9',
    '--resolv-conf',
    '/nowhere/resolv.conf',
  ]);
  assert.equal((await child.exit).code, 2);
  assert.match(child.output, /\/nowhere\/resolv\.conf.*--resolv-conf/s);
});
