import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import type { TlsOptions } from 'node:tls';
import type { UpstreamAddress } from '../../../src/config/config.ts';
import { type Logger, silentLogger } from '../../../src/core/logger.ts';
import { CertificateAuthority, type CertificateOptions } from '../../servers/certificate-authority.ts';
import { ask, type SetUp, type SetUpOptions, setUp, until } from './asking.ts';
import { answerTo } from './scripted-server.ts';
import { answerAllTls, ScriptedTls, type TlsQuestion, type TlsScript } from './scripted-tls.ts';

const HOUR_MS = 3_600_000;
const GOOD: CertificateOptions = { names: ['127.0.0.1', 'dns.test'] };

interface SceneOptions extends SetUpOptions {
  readonly certificate?: CertificateOptions;
  readonly server?: TlsOptions;
  readonly address?: Partial<UpstreamAddress>;
}

interface Line {
  readonly upstream: string;
  readonly reason?: string;
  readonly detail?: string;
}

async function scene(t: TestContext, script: TlsScript, options: SceneOptions = {}) {
  const { certificate = GOOD, server: serverOptions, address, ...rest } = options;
  const server = await new ScriptedTls(script, certificate, serverOptions).start();
  const lines: Line[] = [];
  const log: Logger = { ...silentLogger, warn: (fields) => lines.push(fields as Line) };
  const made: SetUp = setUp([{ ...server.address, ...address }], { log, ...rest });
  t.after(async () => {
    made.upstreams.close();
    await server.close();
  });
  return { ...made, server, lines };
}

const names = (count: number): string[] => Array.from({ length: count }, (_, i) => `n${i}.test`);

test('questions are answered over TLS, pipelined, in any order, and never over UDP', async (t) => {
  const held: TlsQuestion[] = [];
  const { forwarder, server, first } = await scene(t, (question) => {
    held.push(question);
    if (held.length < 50) return;
    for (const { query, reply } of held.reverse()) reply(answerTo(query));
  });
  const outcomes = await Promise.all(names(50).map((name) => ask(forwarder, name)));
  for (const [i, { rcode, reply }] of outcomes.entries()) {
    assert.equal(rcode, 0);
    assert.equal(reply.toString('latin1', 13, 13 + reply[12]!), `n${i}`);
  }
  assert.ok(server.handshakes <= 8);
  assert.equal(first.udp, undefined);
});

test('a question is padded to 128 octets, one without OPT is not', async (t) => {
  const { forwarder, server } = await scene(t, answerAllTls);
  await ask(forwarder, 'padded.test');
  await ask(forwarder, 'again.padded.test');
  await ask(forwarder, 'plain.test', { isPlain: true });
  assert.deepEqual(
    server.received.map(({ query }) => query.length),
    [128, 128, 12 + 'xplainxtestx'.length + 4],
  );
});

test('the name of the configuration is sent, and the certificate must have it', async (t) => {
  const named = await scene(t, answerAllTls, {
    certificate: { names: ['dns.test'] },
    address: { serverName: 'dns.test' },
  });
  assert.equal((await ask(named.forwarder, 'n.test')).rcode, 0);
  assert.equal(named.server.serverName, 'dns.test');
  const bare = await scene(t, answerAllTls);
  assert.equal((await ask(bare.forwarder, 'n.test')).rcode, 0);
  assert.equal(bare.server.serverName, false);
});

const BAD: [what: string, reason: string, detail: RegExp | undefined, options: SceneOptions][] = [
  [
    'a certificate that has expired',
    'certificate expired',
    /has expired/,
    { certificate: { ...GOOD, notAfter: new Date(Date.now() - HOUR_MS / 2) } },
  ],
  [
    'a certificate that is not yet valid',
    'certificate not yet valid',
    /clock/,
    { certificate: { ...GOOD, notBefore: new Date(Date.now() + HOUR_MS) } },
  ],
  [
    'a certificate for other names',
    'certificate name',
    /is for 127\.0\.0\.1, dns\.test, not for other\.test/,
    { address: { serverName: 'other.test' } },
  ],
  [
    'a certificate for another address',
    'certificate name',
    /is for dns\.test, not for 127\.0\.0\.1/,
    { certificate: { names: ['dns.test'] } },
  ],
  [
    'a certificate of an authority that is not trusted',
    'certificate authority',
    /caFile/,
    { address: { ca: new CertificateAuthority('another').cert } },
  ],
  [
    'a certificate that is signed by itself',
    'certificate self-signed',
    /caFile/,
    { certificate: { ...GOOD, isSelfSigned: true } },
  ],
  [
    'a TLS version that is too old',
    'TLS protocol',
    /protocol version/,
    { server: { minVersion: 'TLSv1', maxVersion: 'TLSv1.1' } },
  ],
  [
    'a server that speaks something else over TLS',
    'TLS protocol',
    /application protocol/,
    { server: { ALPNProtocols: ['h2'] } },
  ],
];

for (const [what, reason, detail, options] of BAD) {
  test(`${what}: nothing is asked, and the log says why, once`, async (t) => {
    const { forwarder, server, first, lines } = await scene(t, answerAllTls, { ...options, totalMs: 500, tryMs: 200 });
    assert.equal((await ask(forwarder, 'n.test')).failure, 'unreachable');
    await until('down', () => first.isDown);
    // Probes take the same way as questions, and so they do not bring it back.
    const { probeFailures } = first.health;
    await until('probed', () => first.health.probeFailures > probeFailures);
    assert.equal(first.isDown, true);
    assert.equal((await ask(forwarder, 'n.test')).rcode, -1);
    assert.equal(first.health.lastError, reason, 'a question that waited for the connection says why there is none');
    assert.equal(server.received.length, 0);
    assert.deepEqual([lines.length, lines[0]!.reason], [1, reason]);
    assert.match(lines[0]!.detail ?? '', detail ?? /^$/);
  });
}

for (const [what, greeting, reason] of [
  ['another protocol', 'SSH-2.0-test\r\n', 'TLS protocol'],
  ['nothing at all', undefined, 'TLS handshake timed out'],
] as const) {
  test(`a port where ${what} is spoken is told from one that is closed`, async (t) => {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      if (greeting !== undefined) socket.write(greeting);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const reasons: string[] = [];
    const log: Logger = { ...silentLogger, warn: (fields) => reasons.push((fields as Line).reason!) };
    const { port } = server.address() as AddressInfo;
    const timing = { connectMs: 100 };
    const made = setUp([{ host: '127.0.0.1', port, transport: 'tls' }], { log, timing, tryMs: 1000, totalMs: 3000 });
    t.after(() => {
      made.upstreams.close();
      server.close();
    });
    await ask(made.forwarder, 'n.test');
    await until('down', () => made.first.isDown);
    assert.deepEqual(reasons, [reason]);
  });
}

for (const maxVersion of ['TLSv1.3', 'TLSv1.2'] as const) {
  test(`a connection that takes the place of another resumes with its ticket (${maxVersion})`, async (t) => {
    const { forwarder, server, first } = await scene(t, answerAllTls, { server: { maxVersion } });
    for (let round = 0; round < 6; round++) {
      assert.equal((await ask(forwarder, `n${round}.test`)).rcode, 0);
      for (const socket of server.sockets) socket.end();
      await until('closed', () => first.stream.size === 0);
    }
    assert.ok(server.handshakes >= 6);
    assert.equal(server.resumed, server.handshakes - 1);
    assert.equal(first.stream.handshakes, server.handshakes);
    assert.equal(first.stream.resumed, server.resumed);
  });
}

test('a server that restarts in the midst of it costs nobody an answer, though it knows the tickets no more', async (t) => {
  const { forwarder, server } = await scene(t, answerAllTls, { tryMs: 2000 });
  assert.equal((await ask(forwarder, 'first.test')).rcode, 0);
  for (let round = 0; round < 3; round++) {
    server.script = () => {};
    const asked = Promise.all(names(100).map((name) => ask(forwarder, name)));
    await until('all there', () => server.received.length >= 100);
    server.script = answerAllTls;
    await server.restart();
    assert.ok((await asked).every(({ rcode }) => rcode === 0));
    server.received.length = 0;
  }
});

test('a slow handshake opens no more connections, and what waits for it is answered', async (t) => {
  const waiting: (() => void)[] = [];
  const { forwarder, server, first } = await scene(t, answerAllTls, {
    certificate: { names: ['dns.test'] },
    address: { serverName: 'dns.test' },
    server: {
      SNICallback: (_name, done) => waiting.push(() => done(null)),
    },
  });
  const asked = Promise.all(names(200).map((name) => ask(forwarder, name)));
  await until('it stands still', () => first.stream.stalls > 0);
  assert.equal(first.stream.size, 1);
  const answer = setInterval(() => {
    for (const go of waiting.splice(0)) go();
  }, 5);
  t.after(() => clearInterval(answer));
  assert.ok((await asked).every(({ rcode }) => rcode === 0));
  assert.ok(server.handshakes <= 2, `${server.handshakes} handshakes`);
});
