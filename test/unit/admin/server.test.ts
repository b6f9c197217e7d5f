import assert from 'node:assert/strict';
import { request } from 'node:http';
import { connect, createServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import type { Page } from '../../../src/admin/page.ts';
import { AdminServer } from '../../../src/admin/server.ts';
import { monotonicClock } from '../../../src/core/clock.ts';
import { ADMIN_CONNECTIONS } from '../../../src/core/limits.ts';
import { type Logger, silentLogger } from '../../../src/core/logger.ts';
import { TroubleLog } from '../../../src/core/trouble-log.ts';

const ECHO: Page = {
  path: '/echo',
  method: 'GET',
  answer: (query) => ({ status: 200, contentType: 'text/plain', body: `${query.get('say')}` }),
};
const BROKEN: Page = {
  path: '/broken',
  method: 'GET',
  answer: () => Promise.reject(Object.assign(new Error('no luck'), { code: 'ERR_LUCK' })),
};
const FLUSH: Page = {
  path: '/flush',
  method: 'POST',
  answer: () => ({ status: 200, contentType: 'text/plain', body: 'done' }),
};

async function open(t: TestContext, option: '--admin' | '--metrics' = '--admin', log: Logger = silentLogger) {
  const troubles = new TroubleLog({ log, clock: monotonicClock });
  const server = await AdminServer.open({
    address: { host: '127.0.0.1', port: 0 },
    option,
    pages: [ECHO, BROKEN, FLUSH],
    troubles,
  });
  t.after(async () => {
    troubles.close();
    await server.close();
  });
  return { server, url: `http://127.0.0.1:${server.address.port}` };
}

/** fetch sets Host itself, so this one asks by hand. */
function statusForHost(port: number, host: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, path: '/echo', headers: { Host: host } }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    asked.on('error', reject);
    asked.end();
  });
}

test('a page answers GET with its query, and HEAD with the same head and no body', async (t) => {
  const { url } = await open(t);
  const got = await fetch(`${url}/echo?say=a%20b`);
  assert.equal(got.status, 200);
  assert.equal(await got.text(), 'a b');
  assert.equal(got.headers.get('x-content-type-options'), 'nosniff');
  const head = await fetch(`${url}/echo?say=a%20b`, { method: 'HEAD' });
  assert.equal(head.headers.get('content-length'), '3');
  assert.equal(await head.text(), '');
});

test('an unknown path is 404 and a wrong method 405, each as JSON with code and message', async (t) => {
  const { url } = await open(t);
  const missing = await fetch(`${url}/nowhere`);
  assert.equal(missing.status, 404);
  assert.deepEqual(await missing.json(), { code: 'ERR_NOT_FOUND', message: 'Cannot find /nowhere' });
  const wrong = await fetch(`${url}/echo`, { method: 'POST', body: 'x' });
  assert.equal(wrong.status, 405);
  assert.equal(wrong.headers.get('allow'), 'GET, HEAD');
  assert.deepEqual(await wrong.json(), { code: 'ERR_METHOD', message: 'Cannot POST /echo: expected GET, HEAD' });
  assert.equal((await fetch(`${url}/flush`)).status, 405);
  assert.equal(await (await fetch(`${url}/flush`, { method: 'POST' })).text(), 'done');
});

test('a page that fails is 500 with its code, one log line, and the server goes on', async (t) => {
  const lines: string[] = [];
  const log = { ...silentLogger, error: (_: object, message: string) => lines.push(message) };
  const { url } = await open(t, '--admin', log);
  for (let i = 0; i < 3; i++) {
    const failed = await fetch(`${url}/broken`);
    assert.equal(failed.status, 500);
    assert.deepEqual(await failed.json(), { code: 'ERR_LUCK', message: 'no luck' });
  }
  assert.deepEqual(lines, ['A page could not be made']);
  assert.equal((await fetch(`${url}/echo`)).status, 200);
});

test('a foreign name in Host gets nothing from the admin server, so that no web page can read it through a browser', async (t) => {
  const { server } = await open(t);
  const { port } = server.address;
  for (const host of [`127.0.0.1:${port}`, 'localhost', `LOCALHOST:${port}`, '[::1]:9254', '10.0.0.1']) {
    assert.equal(await statusForHost(port, host), 200, host);
  }
  for (const host of [
    'evil.example',
    `evil.example:${port}`,
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    '::1',
  ]) {
    assert.equal(await statusForHost(port, host), 403, host);
  }
});

test('a page of another site cannot change anything, programs and our own page can', async (t) => {
  const { url } = await open(t);
  const post = async (headers: Record<string, string>) =>
    (await fetch(`${url}/flush`, { method: 'POST', headers })).status;
  assert.equal(await post({ Origin: 'https://evil.example' }), 403);
  assert.equal(await post({ Origin: 'null' }), 403);
  assert.equal(await post({ Origin: url }), 200);
  assert.equal(await post({}), 200);
});

test('the metrics server is asked by any name', async (t) => {
  const { server } = await open(t, '--metrics');
  assert.equal(await statusForHost(server.address.port, 'node-7.internal'), 200);
});

test('a port in use is an error that names address, cause and remedy', async (t) => {
  const holder = createServer();
  await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
  t.after(() => holder.close());
  const { port } = holder.address() as { port: number };
  const address = { host: '127.0.0.1', port };
  const troubles = new TroubleLog({ log: silentLogger, clock: monotonicClock });
  await assert.rejects(AdminServer.open({ address, option: '--metrics', pages: [], troubles }), {
    name: 'StartError',
    code: 'ERR_ADDRESS_IN_USE',
    message:
      `Cannot listen on 127.0.0.1:${port} (--metrics): the port is in use; end what holds it, ` +
      'choose another with --metrics IP:PORT or turn it off with --metrics off',
  });
});

test('an address that no interface has is told as such', async () => {
  const troubles = new TroubleLog({ log: silentLogger, clock: monotonicClock });
  const address = { host: '192.0.2.1', port: 0 };
  await assert.rejects(AdminServer.open({ address, option: '--admin', pages: [], troubles }), {
    code: 'ERR_ADDRESS_ABSENT',
  });
});

test('past the limit of connections new ones are closed and counted, and those there are go on', async (t) => {
  const { server, url } = await open(t);
  const hits = ADMIN_CONNECTIONS.hits;
  const { port } = server.address;
  const idle = Array.from({ length: ADMIN_CONNECTIONS.value }, () => connect(port, '127.0.0.1').on('error', () => {}));
  t.after(() => {
    for (const socket of idle) socket.destroy();
  });
  await Promise.all(idle.map((socket) => new Promise((resolve) => socket.once('connect', resolve))));
  const extra = connect(port, '127.0.0.1').on('error', () => {});
  await new Promise((resolve) => extra.once('close', resolve));
  assert.equal(ADMIN_CONNECTIONS.hits, hits + 1);
  await new Promise((resolve) => idle[0]!.once('close', resolve).destroy());
  for (;;) {
    // The server hears of the closed one when it next reads.
    const answered = await fetch(`${url}/echo`).then(
      (response) => response.status,
      () => 0,
    );
    if (answered === 200) break;
  }
});

test('garbage and over-long heads end their connection, not the server', async (t) => {
  const { server, url } = await open(t);
  for (const bytes of ['\x00\xff\r\n\r\n', `GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`]) {
    const socket = connect(server.address.port, '127.0.0.1').on('error', () => {});
    socket.resume().write(bytes);
    await new Promise((resolve) => socket.once('close', resolve));
  }
  assert.equal((await fetch(`${url}/echo`)).status, 200);
});

test('closing ends idle connections too', async () => {
  const troubles = new TroubleLog({ log: silentLogger, clock: monotonicClock });
  const address = { host: '127.0.0.1', port: 0 };
  const server = await AdminServer.open({ address, option: '--admin', pages: [ECHO], troubles });
  const socket = connect(server.address.port, '127.0.0.1').on('error', () => {});
  await new Promise((resolve) => socket.once('connect', resolve));
  const closed = new Promise((resolve) => socket.once('close', resolve));
  await server.close();
  await closed;
});
