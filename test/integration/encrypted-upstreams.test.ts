import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseUpstreamAddress } from '../../src/config/upstream-address.ts';
import { ask } from '../client/ask.ts';
import { type Agent, startAgent } from '../servers/agent.ts';
import { CertificateAuthority } from '../servers/certificate-authority.ts';
import { run } from '../servers/child.ts';
import { type EncryptedServer, startEncryptedNamed, startEncryptedUnbound } from '../servers/encrypted-servers.ts';
import { assertIdle, assertMetrics } from '../servers/idle.ts';
import { skipWithout } from '../servers/programs.ts';
import { ask as askForwarder, setUp } from '../unit/upstream/asking.ts';

const ENTRY = fileURLToPath(new URL('../../bin/signpost.js', import.meta.url));

const SERVERS = [
  ['BIND', 'named', startEncryptedNamed],
  ['Unbound', 'unbound', startEncryptedUnbound],
] as const;

for (const [title, name, start] of SERVERS) {
  suite(`${title} asked over TLS and HTTPS`, { skip: skipWithout(name) }, () => {
    const authority = new CertificateAuthority();
    let server: EncryptedServer;
    /** Stays when the other one goes. */
    let second: EncryptedServer;
    let folder: string;
    /** Node's own means to trust one more authority. */
    let env: NodeJS.ProcessEnv;
    before(async () => {
      folder = await mkdtemp(join(tmpdir(), 'signpost-authority-'));
      await writeFile(join(folder, 'ca.pem'), authority.cert);
      env = { NODE_EXTRA_CA_CERTS: join(folder, 'ca.pem') };
      const identity = authority.issue({ names: ['dns.test'] });
      [server, second] = await Promise.all([start(identity), start(identity)]);
    });
    after(async () => {
      await Promise.all([server.stop(), second.stop()]);
      await rm(folder, { recursive: true, force: true });
    });

    const upstreams = (serverName = 'dns.test', { host, tlsPort, httpsPort } = server) => ({
      tls: `tls://${host}:${tlsPort}#${serverName}`,
      https: `https://${serverName}:${httpsPort}/dns-query@${host}`,
    });
    let asked = 0;
    const assertAnswers = async (agent: Agent, count: number) => {
      const names = Array.from({ length: count }, () => `n${asked++}.wild.test`);
      const replies = await Promise.all(names.map((each) => ask(agent, { name: each, type: 'A' })));
      for (const reply of replies) {
        assert.equal(reply.rcode, 0);
        assert.equal(reply.answers[0]!.data, 'c000021e');
      }
    };

    for (const transport of ['tls', 'https'] as const) {
      test(`${transport}: every question is answered, through restarts of the server`, async () => {
        const both = [upstreams()[transport], upstreams('dns.test', second)[transport]];
        const flags = both.flatMap((upstream) => ['--upstream', upstream]);
        const agent = await startAgent([...flags, '--cluster-dns', both[0]!, '--policy', 'round-robin'], { env });
        try {
          await assertAnswers(agent, 1);
          for (let round = 0; round < 5; round++) await assertAnswers(agent, 200);
          const before = await agent.scrape();
          assert.equal(before.sum('signpost_upstream_up', { transport }), 2);
          assert.equal(before.count('coredns_proxy_conn_cache_misses_total', { proto: 'udp' }), 0);
          // Each name is new, so nothing stale stands in for an answer.
          for (let round = 0; round < 2; round++) {
            const back = server.restart();
            for (let burst = 0; burst < 5; burst++) await assertAnswers(agent, 50);
            await back;
            await assertAnswers(agent, 50);
          }
          await assertMetrics(agent, (metrics) => metrics.sum('signpost_upstream_up', { transport }) === 2, 'not up');
          await assertIdle(agent);
        } finally {
          await agent.stop();
        }
      });
    }

    for (const transport of ['tls', 'https'] as const) {
      test(`${transport}: connections that are replaced resume, and no question is lost`, async () => {
        const address = {
          ...parseUpstreamAddress(upstreams()[transport], 'tcp'),
          ca: authority.cert,
        };
        const { forwarder, first, upstreams: all } = setUp([address], { timing: { maxAgeMs: 50 } });
        try {
          while (first.stream.resumed < 3) {
            assert.equal((await askForwarder(forwarder, `n${asked++}.wild.test`)).rcode, 0);
            assert.ok(asked < 100_000, `${first.stream.resumed} of ${first.stream.handshakes} were resumed`);
          }
        } finally {
          all.close();
        }
      });
    }

    test('check says that both answer, and with another name what is wrong with the certificate', async () => {
      const check = (flags: string[]) =>
        run(process.execPath, [ENTRY, 'check', ...flags], { env: { ...process.env, ...env } });
      const good = upstreams();
      const answered = await check(['--cluster-dns', good.tls, '--upstream', good.https]);
      assert.equal(answered.stdout.match(/answers \(/g)?.length, 2, answered.stdout + answered.stderr);
      const wrong = upstreams('other.test');
      const refused = await check(['--cluster-dns', wrong.tls, '--upstream', wrong.https]);
      const told = refused.stdout.match(
        /no answer: certificate name: its certificate is for dns\.test, not for other\.test/g,
      );
      assert.equal(told?.length, 2, refused.stdout + refused.stderr);
    });
  });
}
