import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { API_OBJECT_BYTES } from '../../../src/core/limits.ts';
import type { Credentials } from '../../../src/kubernetes/api-access.ts';
import { ApiClient } from '../../../src/kubernetes/api-client.ts';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

interface Options {
  readonly host?: string;
  readonly prefix?: string;
  readonly credentials?: () => Promise<Credentials>;
}

async function clientOf(
  t: TestContext,
  answer: Answer,
  { host = '127.0.0.1', prefix = '', credentials }: Options = {},
) {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const { port } = server.address() as AddressInfo;
  const url = new URL(`http://${host.includes(':') ? `[${host}]` : host}:${port}${prefix}`);
  const client = new ApiClient({
    server: url,
    isInsecure: false,
    origin: 'a test',
    credentials: credentials ?? (async () => ({ token: 'secret' })),
  });
  t.after(async () => {
    await client.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return client;
}

test('a request has the token, says who asks, and keeps the path in front of all others', async (t) => {
  const echo: Answer = ({ url, method, headers }, response) => {
    const { authorization, accept, 'user-agent': agent } = headers;
    response.end(JSON.stringify({ url, method, authorization, accept, agent }));
  };
  for (const [prefix, host] of [
    ['/k8s/clusters/c-1/', '127.0.0.1'],
    ['', '::1'],
  ] as const) {
    const client = await clientOf(t, echo, { prefix, host });
    const { agent, ...rest } = await client.get<Record<string, string>>('look', '/api/v1/things?limit=1');
    assert.match(agent!, /^signpost\/\d/);
    assert.deepEqual(rest, {
      url: `${prefix.replace(/\/$/, '')}/api/v1/things?limit=1`,
      method: 'GET',
      authorization: 'Bearer secret',
      accept: 'application/json',
    });
  }
});

test('what is no answer of an API server is told with what was asked', async (t) => {
  const refusals: readonly [answer: Answer, code: string, message: RegExp][] = [
    [(_request, response) => response.end('<html>'), 'MALFORMED', /^Cannot look: the answer is no JSON/],
    [
      (_request, response) => response.writeHead(302, { location: '/login' }).end(),
      'FAILED',
      /answers 302: it says no more/,
    ],
    [(_request, response) => response.writeHead(502).end('bad gateway'), 'FAILED', /answers 502/],
    [
      (_request, response) => response.writeHead(403).end('{"kind":"Status","message":"no"}'),
      'FORBIDDEN',
      /answers 403: no$/,
    ],
    [
      (_request, response) => response.destroy(),
      'UNREACHABLE',
      /^Cannot look: http:\/\/127\.0\.0\.1:\d+ gives no answer: /,
    ],
    [(_request, response) => response.writeHead(200, { 'content-length': 9 }).end('{'), 'UNREACHABLE', /breaks off/],
  ];
  for (const [answer, code, message] of refusals) {
    const client = await clientOf(t, answer);
    await assert.rejects(client.get('look', '/'), { code: `ERR_KUBERNETES_${code}`, message }, message.source);
  }
});

test('an answer that is too long is given up, and counted', async (t) => {
  const hits = API_OBJECT_BYTES.hits;
  const client = await clientOf(t, (_request, response) => response.end(`"${'x'.repeat(API_OBJECT_BYTES.value)}"`));
  await assert.rejects(client.get('look', '/'), {
    code: 'ERR_KUBERNETES_MALFORMED',
    message: /is longer than 2097152 B/,
  });
  assert.equal(API_OBJECT_BYTES.hits, hits + 1);
});

test('credentials that cannot be read are told with where they should be, and read again with the next request', async (t) => {
  let isThere = false;
  const credentials = async (): Promise<Credentials> => {
    if (!isThere) throw new Error('no such file');
    return { token: 'secret' };
  };
  const client = await clientOf(t, (_request, response) => response.end('{}'), { credentials });
  await assert.rejects(client.get('look', '/'), {
    code: 'ERR_KUBERNETES_UNAUTHORIZED',
    message: 'Cannot look: no such file (a test)',
  });
  isThere = true;
  assert.deepEqual(await client.get('look', '/'), {});
});

test('a stream is read on only as it is taken, and ends when it is no longer wanted', async (t) => {
  const client = await clientOf(t, (_request, response) => response.write('first'));
  const wanted = new AbortController();
  const pieces = await client.stream('look', '/', { accept: 'text/plain', silentMs: 0, signal: wanted.signal });
  await assert.rejects(
    async () => {
      for await (const piece of pieces) {
        assert.equal(Buffer.from(piece).toString(), 'first');
        wanted.abort();
      }
    },
    { code: 'ERR_KUBERNETES_UNREACHABLE' },
  );
});

test('a client that is closed asks nothing more', async (t) => {
  const client = await clientOf(t, (_request, response) => response.end('{}'));
  await client.close();
  await assert.rejects(client.get('look', '/'), { code: 'ERR_KUBERNETES_UNREACHABLE' });
});
