import assert from 'node:assert/strict';
import { constants, type SecureServerOptions } from 'node:http2';
import { type TestContext, test } from 'node:test';
import type { UpstreamAddress } from '../../../src/config/config.ts';
import { type Logger, silentLogger } from '../../../src/core/logger.ts';
import { CertificateAuthority } from '../../servers/certificate-authority.ts';
import { ask, type SetUpOptions, setUp, until } from './asking.ts';
import { answerAllDoh, DNS_MESSAGE, type DohQuestion, type DohScript, ScriptedDoh } from './scripted-doh.ts';
import { answerTo } from './scripted-server.ts';

interface SceneOptions extends SetUpOptions {
  readonly server?: SecureServerOptions;
  readonly address?: Partial<UpstreamAddress>;
}

async function scene(t: TestContext, script: DohScript, options: SceneOptions = {}) {
  const { server: serverOptions, address, ...rest } = options;
  const server = await new ScriptedDoh(script, serverOptions).start();
  const reasons: string[] = [];
  const log: Logger = { ...silentLogger, warn: (fields) => reasons.push((fields as { reason: string }).reason) };
  const made = setUp([{ ...server.address, ...address }], { log, ...rest });
  t.after(async () => {
    made.upstreams.close();
    await server.close();
  });
  return { ...made, server, reasons };
}

const names = (count: number): string[] => Array.from({ length: count }, (_, i) => `n${i}.test`);

test('a question is posted as RFC 8484 says: its id is 0, its length a multiple of 128, and the host is that of the configuration', async (t) => {
  const { forwarder, server } = await scene(t, answerAllDoh, { address: { serverName: 'dns.test', path: '/a/b?c=d' } });
  assert.equal((await ask(forwarder, 'n.test')).rcode, 0);
  const [{ headers, query }] = server.received as [DohQuestion];
  assert.equal(headers[':method'], 'POST');
  assert.equal(headers[':scheme'], 'https');
  assert.equal(headers[':path'], '/a/b?c=d');
  assert.equal(headers[':authority'], `dns.test:${server.address.port}`);
  assert.equal(headers['content-type'], DNS_MESSAGE);
  assert.equal(headers.accept, DNS_MESSAGE);
  assert.equal(headers['content-length'], '128');
  assert.equal(query.length, 128);
  assert.equal(query.readUInt16BE(0), 0);
});

test('hundreds of questions at once share two connections, and answers come in any order', async (t) => {
  const held: DohQuestion[] = [];
  const { forwarder, server, first } = await scene(t, (question) => {
    held.push(question);
    if (held.length % 50 === 0) for (const { query, reply } of held.splice(0).reverse()) reply(answerTo(query));
  });
  assert.equal((await Promise.all(names(50).map((name) => ask(forwarder, name)))).length, 50);
  const outcomes = await Promise.all(names(400).map((name) => ask(forwarder, name)));
  for (const [i, { rcode, reply }] of outcomes.entries()) {
    assert.equal(rcode, 0);
    assert.equal(reply.toString('latin1', 13, 13 + reply[12]!), `n${i}`);
  }
  assert.ok(server.accepted <= 8);
  await until('nothing in flight', () => first.inFlight === 0);
});

test('no more streams are open than the server takes, and all questions are answered', async (t) => {
  let open = 0;
  let most = 0;
  const { forwarder, server } = await scene(
    t,
    ({ query, reply, stream }) => {
      most = Math.max(most, ++open);
      stream.on('close', () => open--);
      setTimeout(() => reply(answerTo(query)), 2);
    },
    { server: { settings: { maxConcurrentStreams: 3 } } },
  );
  await ask(forwarder, 'first.test');
  const outcomes = await Promise.all(names(100).map((name) => ask(forwarder, name)));
  assert.ok(outcomes.every(({ rcode }) => rcode === 0));
  assert.ok(most <= 3 * server.accepted, `${most} streams over ${server.accepted} connections`);
});

test('more questions than a window holds wait until the server opens it', async (t) => {
  const { forwarder } = await scene(t, answerAllDoh, { tryMs: 5000 });
  // 1,500 x 128 B are three times what a connection may send unheard.
  const outcomes = await Promise.all(names(1500).map((name) => ask(forwarder, name)));
  assert.ok(outcomes.every(({ rcode }) => rcode === 0));
});

test('a long answer, an answer in pieces and one with a trailer come whole', async (t) => {
  const { forwarder } = await scene(t, ({ query, label, stream, reply }) => {
    const long = Buffer.concat([answerTo(query), Buffer.alloc(60_000)]);
    if (label === 'long') return reply(long);
    stream.respond(
      { ':status': 200, 'content-type': `${DNS_MESSAGE}; charset=x` },
      { waitForTrailers: label === 'trailer' },
    );
    if (label === 'trailer') stream.on('wantTrailers', () => stream.sendTrailers({ 'x-more': 'no' }));
    for (const octet of answerTo(query)) stream.write(Buffer.of(octet));
    stream.end();
  });
  for (const label of ['long', 'pieces', 'trailer']) {
    const { rcode, reply } = await ask(forwarder, `${label}.test`);
    assert.equal(rcode, 0);
    assert.equal(reply.length > 60_000, label === 'long');
  }
});

const REFUSED: [what: string, reason: string, script: DohScript][] = [
  ['a status that is an error', 'HTTP 404', ({ refuse }) => refuse(404)],
  ['a redirect, which is not followed', 'HTTP 302', ({ refuse }) => refuse(302, { location: 'https://127.0.0.1/' })],
  ['a server that is broken', 'HTTP 500', ({ refuse }) => refuse(500)],
  [
    'a page in place of an answer',
    'HTTP content',
    ({ stream }) => {
      stream.respond({ ':status': 200, 'content-type': 'text/html' });
      stream.end('<p>Log in to this network');
    },
  ],
  [
    'an answer to another question',
    'wrong reply',
    ({ query, reply }) =>
      reply(answerTo(Buffer.concat([query.subarray(0, 12), Buffer.from('\x01x\x04test\0\0\x01\0\x01', 'latin1')]))),
  ],
  ['an answer of no bytes', 'HTTP content', ({ reply }) => reply(Buffer.alloc(0))],
  [
    'an answer that is longer than any',
    'HTTP body too long',
    ({ query, reply }) => reply(Buffer.concat([answerTo(query), Buffer.alloc(70_000)])),
  ],
  [
    'an answer of another length than its head says',
    'HTTP content',
    ({ query, stream }) => {
      const message = answerTo(query);
      stream.respond({ ':status': 200, 'content-type': DNS_MESSAGE, 'content-length': message.length + 1 });
      stream.end(message);
    },
  ],
  [
    'an error that is explained at length',
    'HTTP 404',
    ({ stream }) => {
      stream.respond({ ':status': 404, 'content-type': 'text/html' });
      stream.end(Buffer.alloc(100_000));
    },
  ],
  ['a stream that is reset', 'HTTP/2 reset', ({ stream }) => stream.close(constants.NGHTTP2_INTERNAL_ERROR)],
];

for (const [what, reason, script] of REFUSED) {
  test(`${what} is a failure, and the next server is asked`, async (t) => {
    const good = await new ScriptedDoh(answerAllDoh).start();
    const bad = await new ScriptedDoh(script).start();
    const reasons: string[] = [];
    const log: Logger = { ...silentLogger, warn: (fields) => reasons.push((fields as { reason: string }).reason) };
    const { forwarder, upstreams, all } = setUp([bad.address, good.address], { log });
    t.after(async () => {
      upstreams.close();
      await Promise.all([good.close(), bad.close()]);
    });
    for (const name of names(3)) assert.equal((await ask(forwarder, name)).rcode, 0);
    await until('down', () => all[0]!.isDown);
    assert.deepEqual(reasons, [reason]);
    assert.equal(all[1]!.isDown, false);
  });
}

/** The date has whole seconds, so it may be up to one sooner. */
const dateIn = (seconds: number): string => new Date(Date.now() + seconds * 1000).toUTCString();

for (const [status, form, wait] of [
  [429, 'in seconds', () => '2'],
  [503, 'in seconds', () => '2'],
  [503, 'as a date', () => dateIn(3)],
] as const) {
  test(`a server that says ${status} is left alone for as long as it says ${form}`, async (t) => {
    const { forwarder, server, first } = await scene(t, ({ refuse }) => refuse(status, { 'retry-after': wait() }));
    assert.equal((await ask(forwarder, 'n.test')).rcode, -1);
    const startedMs = performance.now();
    assert.equal(first.isDown, true);
    const { length } = server.received;
    for (const name of names(20)) assert.equal((await ask(forwarder, name)).rcode, -1);
    server.script = answerAllDoh;
    assert.equal(server.received.length, length);
    await until('it is asked again', () => !first.isDown);
    await until('it is up', () => !first.isDown && first.health.isDoubtful === false);
    assert.ok(performance.now() - startedMs >= 1900);
    assert.equal((await ask(forwarder, 'n.test')).rcode, 0);
  });
}

test('a server that says good-bye answers what it has begun with, and the rest is asked again over another connection', async (t) => {
  const held: DohQuestion[] = [];
  const { forwarder, server, first } = await scene(t, answerAllDoh);
  await ask(forwarder, 'first.test');
  const failures = first.health.totalFailures;
  for (let round = 0; round < 5; round++) {
    server.script = (question) => held.push(question);
    const asked = Promise.all(names(60).map((name) => ask(forwarder, name)));
    await until('asked', () => held.length >= 60);
    server.script = answerAllDoh;
    const last = held.length >> 1;
    for (const session of server.sessions) {
      session.goaway(
        constants.NGHTTP2_NO_ERROR,
        held[last]!.stream.session === session ? held[last]!.stream.id! : 0x7fffffff,
      );
    }
    const later = Promise.all(names(20).map((name) => ask(forwarder, `later-${name}`)));
    for (const { query, reply } of held.splice(0)) reply(answerTo(query));
    assert.ok((await asked).every(({ rcode }) => rcode === 0));
    assert.ok((await later).every(({ rcode }) => rcode === 0));
  }
  assert.equal(first.health.totalFailures, failures);
});

test('a question whose stream the server did not take is asked again', async (t) => {
  let refusals = 0;
  const { forwarder, first } = await scene(t, (question) => {
    if (refusals++ < 1) question.stream.close(constants.NGHTTP2_REFUSED_STREAM);
    else answerAllDoh(question);
  });
  assert.equal((await ask(forwarder, 'n.test')).rcode, 0);
  assert.equal(first.health.totalFailures, 0);
});

test('a server that closes everything in the midst of it costs nobody an answer', async (t) => {
  const { forwarder, server } = await scene(t, answerAllDoh);
  await ask(forwarder, 'first.test');
  for (let round = 0; round < 5; round++) {
    server.script = () => {};
    server.received.length = 0;
    const asked = Promise.all(names(60).map((name) => ask(forwarder, name)));
    await until('asked', () => server.received.length >= 60);
    server.script = answerAllDoh;
    for (const session of server.sessions) session.destroy();
    assert.ok((await asked).every(({ rcode }) => rcode === 0));
  }
});

test('pings are answered, and settings that change are kept to', async (t) => {
  const { forwarder, server } = await scene(t, answerAllDoh);
  await ask(forwarder, 'first.test');
  const [session] = server.sessions;
  await new Promise<void>((resolve, reject) => session!.ping((error) => (error ? reject(error) : resolve())));
  await new Promise<void>((resolve) =>
    session!.settings({ maxConcurrentStreams: 1, initialWindowSize: 1024 }, () => resolve()),
  );
  const outcomes = await Promise.all(names(30).map((name) => ask(forwarder, name)));
  assert.ok(outcomes.every(({ rcode }) => rcode === 0));
});

test('a certificate that is not good ends it before anything is asked', async (t) => {
  const ca = new CertificateAuthority('another').cert;
  const { forwarder, server, first, reasons } = await scene(t, answerAllDoh, { address: { ca } });
  assert.equal((await ask(forwarder, 'n.test')).failure, 'unreachable');
  await until('down', () => first.isDown);
  assert.deepEqual(reasons, ['certificate authority']);
  assert.equal(server.received.length, 0);
});
