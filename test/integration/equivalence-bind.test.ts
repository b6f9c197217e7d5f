import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { ask } from '../client/ask.ts';
import type { Message } from '../client/message.ts';
import { assertSameAnswer } from '../client/same-answer.ts';
import { startAgent } from '../servers/agent.ts';
import { NAMED_PROGRAMS, type Named, startNamed } from '../servers/named.ts';
import { skipWithout } from '../servers/programs.ts';
import { QUESTIONS } from '../servers/zones/questions.ts';

/** The agent against BIND with a zone of every kind of answer: what the client gets is what BIND says. */
suite('answers through the agent are the upstream’s own', { skip: skipWithout(...NAMED_PROGRAMS) }, () => {
  let named: Named;
  /** BIND's answers over TCP, without and with DO. */
  const truths = { plain: [] as Message[], dnssec: [] as Message[] };

  before(async () => {
    named = await startNamed();
    for (const [name, type] of QUESTIONS) {
      truths.plain.push(await ask(named, { name, type, overTcp: true }));
      truths.dnssec.push(await ask(named, { name, type, overTcp: true, dnssecOk: true }));
    }
  });
  after(() => named.stop());

  test('the list of questions is long and has every kind of answer', () => {
    assert.ok(QUESTIONS.length >= 200);
    const { plain } = truths;
    assert.deepEqual([...new Set(plain.map((truth) => truth.rcode))].sort(), [0, 2, 3]);
    assert.ok(plain.some((truth) => truth.length > 4096));
    assert.ok(plain.some((truth) => truth.answers.length > 5 && truth.answers[0]!.type === 5));
    assert.ok(
      plain.some((truth) => truth.rcode === 0 && truth.answers.length === 0 && truth.authorities[0]?.type === 2),
    );
    assert.ok(truths.dnssec.some((truth) => truth.authorities.some((record) => record.type === 47)));
  });

  for (const transport of ['tcp', 'udp+tcp'] as const) {
    for (const overTcp of [false, true]) {
      test(`asked over ${overTcp ? 'TCP' : 'UDP'}, upstream ${transport}: first, and again from the cache`, async (t) => {
        const upstream = `${transport}://${named.host}:${named.port}`;
        const agent = await startAgent(['--cluster-dns', upstream, '--upstream', upstream]);
        t.after(() => agent.stop());
        const isUpstreamUdp = transport !== 'tcp';
        const askAll = async (spelling: (name: string) => string) => {
          for (const [at, [name, type]] of QUESTIONS.entries()) {
            const question = { name: spelling(name), type, overTcp, isUpstreamUdp };
            await assertSameAnswer(agent, { ...question, truth: truths.plain[at]! });
            await assertSameAnswer(agent, { ...question, dnssecOk: true, truth: truths.dnssec[at]! });
          }
        };

        await askAll((name) => name);
        const before = await agent.scrape();
        await askAll(mixedCase);
        const hits = (await agent.scrape()).sum('coredns_cache_hits_total') - before.count('coredns_cache_hits_total');
        // Two look-ups for each question; failures, TTL 0 and what has passed its end meanwhile are asked again.
        assert.ok(hits >= QUESTIONS.length * 2 * 0.85, `${hits} hits`);
      });
    }
  }
});

/** Every other letter in upper case; digits of escapes stay as they are. */
function mixedCase(name: string): string {
  return [...name].map((character, at) => (at % 2 === 0 ? character.toUpperCase() : character)).join('');
}
