import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { ask } from '../client/ask.ts';
import type { Message } from '../client/message.ts';
import { assertSameAnswer } from '../client/same-answer.ts';
import { startAgent } from '../servers/agent.ts';
import { CertificateAuthority } from '../servers/certificate-authority.ts';
import { startCoreDnsFront, startDnsdist, startNodeFront } from '../servers/https-fronts.ts';
import { NAMED_PROGRAMS, type Named, startNamed } from '../servers/named.ts';
import { skipWithout } from '../servers/programs.ts';
import { QUESTIONS } from '../servers/zones/questions.ts';

const FRONTS = [
  ['CoreDNS', ['coredns'], startCoreDnsFront],
  ['dnsdist', ['dnsdist'], startDnsdist],
  ['Node', [], startNodeFront],
] as const;

/** Each with an HTTP/2 of its own making, and all with BIND behind them. */
for (const [title, programs, start] of FRONTS) {
  suite(`answers over HTTPS from ${title}`, { skip: skipWithout(...NAMED_PROGRAMS, ...programs) }, () => {
    const authority = new CertificateAuthority();
    const truths = { plain: [] as Message[], dnssec: [] as Message[] };
    let named: Named;
    let folder: string;

    before(async () => {
      folder = await mkdtemp(join(tmpdir(), 'signpost-authority-'));
      await writeFile(join(folder, 'ca.pem'), authority.cert);
      named = await startNamed();
      for (const [name, type] of QUESTIONS) {
        truths.plain.push(await ask(named, { name, type, overTcp: true }));
        truths.dnssec.push(await ask(named, { name, type, overTcp: true, dnssecOk: true }));
      }
    });
    after(async () => {
      await named.stop();
      await rm(folder, { recursive: true, force: true });
    });

    test('are those that BIND behind it gives over TCP, asked one after the other and all at once', async (t) => {
      const front = await start(authority.issue({ names: ['dns.test'] }), named);
      t.after(() => front.stop());
      const upstream = `https://dns.test:${front.httpsPort}/dns-query@127.0.0.1`;
      const flags = ['--cluster-dns', upstream, '--upstream', upstream];
      const agent = await startAgent(flags, { env: { NODE_EXTRA_CA_CERTS: join(folder, 'ca.pem') } });
      t.after(() => agent.stop());
      for (const [at, [name, type]] of QUESTIONS.entries()) {
        await assertSameAnswer(agent, { name, type, overTcp: true, truth: truths.plain[at]! });
      }
      await Promise.all(
        QUESTIONS.map(([name, type], at) =>
          assertSameAnswer(agent, { name, type, overTcp: true, dnssecOk: true, truth: truths.dnssec[at]! }),
        ),
      );
      const metrics = await agent.scrape();
      assert.equal(metrics.sum('signpost_upstream_up', { transport: 'https' }), 1);
      const handshakes = metrics.sum('signpost_upstream_handshakes_total');
      assert.ok(handshakes <= 8, `${handshakes} connections for ${2 * QUESTIONS.length} questions`);
    });
  });
}
