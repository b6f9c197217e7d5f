import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { ask } from '../client/ask.ts';
import { FLAGS } from '../client/message.ts';
import { assertSameAnswer } from '../client/same-answer.ts';
import { type Agent, startAgent } from '../servers/agent.ts';
import { run } from '../servers/child.ts';
import { assertIdle } from '../servers/idle.ts';
import { load } from '../servers/load.ts';
import { NAMED_PROGRAMS, type Named, startNamed } from '../servers/named.ts';
import { program, skipWithout } from '../servers/programs.ts';
import { startUnbound, type Unbound } from '../servers/unbound.ts';
import { QUESTIONS } from '../servers/zones/questions.ts';

const PROGRAMS = ['unbound', 'dig', 'delv', 'kdig', 'dnsperf', ...NAMED_PROGRAMS];

/** The tools that people use, against the agent in front of a validating Unbound that forwards to BIND. */
suite('dig, kdig, delv and dnsperf through the agent and Unbound', { skip: skipWithout(...PROGRAMS) }, () => {
  let named: Named;
  let unbound: Unbound;
  let agent: Agent;
  let folder: string;
  before(async () => {
    named = await startNamed();
    unbound = await startUnbound(named);
    folder = await mkdtemp(join(tmpdir(), 'signpost-tools-'));
    const upstream = `${unbound.host}:${unbound.port}`;
    agent = await startAgent(['--cluster-dns', upstream, '--upstream', upstream]);
  });
  after(async () => {
    await agent.stop();
    await unbound.stop();
    await named.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const dig = async (...args: string[]) =>
    (await run(program('dig'), [`@${agent.host}`, '-p', `${agent.port}`, '+tries=1', ...args])).stdout;
  const kdig = async (...args: string[]) =>
    (await run(program('kdig'), [`@${agent.host}`, '-p', `${agent.port}`, '+retry=0', ...args])).stdout;

  test('what Unbound says is what the agent says, AD included', async () => {
    for (const [name, type] of QUESTIONS) {
      for (const dnssecOk of [false, true]) {
        const truth = await ask(unbound, { name, type, overTcp: true, ...(dnssecOk && { dnssecOk }) });
        // Unbound says SERVFAIL where BIND's answer is of no use to a resolver; its detours are its own.
        if (truth.rcode === 2) continue;
        for (const overTcp of [false, true]) {
          await assertSameAnswer(agent, {
            name,
            type,
            overTcp,
            truth,
            isUpstreamUdp: true,
            ...(dnssecOk && { dnssecOk }),
          });
        }
      }
    }
  });

  test('AD is given to those who ask for it by AD or DO, and to nobody else', async () => {
    for (let round = 0; round < 2; round++) {
      const plain = await ask(agent, { name: 'www.signed.test', type: 'A' });
      assert.equal(plain.flags & FLAGS.AD, 0);
      const byAd = await ask(agent, { name: 'www.signed.test', type: 'A', flags: FLAGS.RD | FLAGS.AD });
      assert.equal(byAd.flags & FLAGS.AD, FLAGS.AD);
      const byDo = await ask(agent, { name: 'www.signed.test', type: 'A', dnssecOk: true });
      assert.equal(byDo.flags & FLAGS.AD, FLAGS.AD);
      const unsigned = await ask(agent, { name: 'one.example.test', type: 'A', dnssecOk: true });
      assert.equal(unsigned.flags & FLAGS.AD, 0);
    }
  });

  test('delv validates a chain of trust through the agent', async () => {
    const anchor = join(folder, 'anchor');
    await writeFile(anchor, named.trustAnchor);
    const delv = async (name: string, type: string) => {
      const where = [`@${agent.host}`, '-p', `${agent.port}`, '-a', anchor, '+root=signed.test'];
      const { stdout, stderr } = await run(program('delv'), [...where, name, type]);
      return stdout + stderr;
    };
    for (let round = 0; round < 2; round++) {
      assert.match(
        await delv('chain.signed.test', 'A'),
        /; fully validated\n(.*\n)*www\.signed\.test\..*192\.0\.2\.50/,
      );
      assert.match(await delv('many.signed.test', 'A'), /; fully validated/);
      assert.match(await delv('x.wild.signed.test', 'A'), /; fully validated/);
      assert.match(await delv('nothere.signed.test', 'A'), /negative response, fully validated/);
    }
  });

  test('dig reads all of it: sizes, cookies, padding of options, case, classes', async () => {
    assert.match(await dig('one.example.test'), /status: NOERROR.*192\.0\.2\.10/s);
    assert.match(
      await dig('+cookie=0011223344556677', '+subnet=192.0.2.0/24', '+nsid', '+expire', 'one.example.test'),
      /192\.0\.2\.10/,
    );
    // A cookie that is given once is expected for ever: none of an upstream's may get through.
    assert.doesNotMatch(await dig('+cookie=0011223344556677', 'three.example.test'), /COOKIE/);
    assert.match(await dig('+ednsopt=65001:00ff', 'two.example.test'), /ANSWER: 2/);
    assert.match(await dig('+edns=1', '+noednsnegotiation', 'one.example.test'), /BADVERS/);
    assert.match(await dig('+noedns', '+ignore', 'over1232.example.test'), /flags: qr tc /);
    assert.match(await dig('+noedns', 'over1232.example.test'), /Truncated, retrying in TCP(.*\n)*.*ANSWER: 90/);
    assert.match(await dig('+bufsize=4096', '+ignore', 'over1232.example.test'), /flags: qr tc /);
    assert.match(await dig('+bufsize=100', '+ignore', 'few.example.test'), /ANSWER: 12/);
    assert.match(await dig('oNe.ExAmPlE.tEsT'), /oNe\.ExAmPlE\.tEsT\.\s+\d+\s+IN\s+A\s+192\.0\.2\.10/);
    assert.match(await dig('-t', 'TYPE65280', 'unknown.example.test'), /\\# 6 C00C0102FF00/i);
    assert.match(await dig('-t', 'ANY', 'one.example.test', '+notcp'), /HINFO\s+"RFC8482" ""/);
    assert.match(await dig('-c', 'CH', '-t', 'TXT', 'version.bind'), /"signpost /);
    assert.match(await dig('+opcode=status', 'one.example.test'), /status: NOTIMP/);
    assert.match(await dig('+header-only'), /status: FORMERR/);
  });

  test('dig with a connection kept open asks many questions on it', async () => {
    const names = Array.from({ length: 50 }, (_, at) => `keep-${at}.wild.example.test`);
    const text = await dig('+tcp', '+keepopen', '+short', ...names);
    assert.equal(text.match(/192\.0\.2\.30/g)?.length, 50);
  });

  test('kdig agrees, over UDP and TCP', async () => {
    for (const way of ['+notcp', '+tcp']) {
      assert.match(await kdig(way, 'chain1.example.test', 'A'), /two\.example\.test\.\s+\d+\s+IN\s+A\s+192\.0\.2\.11/);
      assert.match(await kdig(way, '+dnssec', 'www.signed.test', 'A'), /RRSIG\s+A 13/);
      assert.match(await kdig(way, 'https.example.test', 'HTTPS'), /ipv4hint=192\.0\.2\.10/);
      assert.match(await kdig(way, 'naptr.example.test', 'NAPTR'), /"E2U\+sip"/);
      assert.match(await kdig(way, 'nothere.example.test', 'A'), /status: NXDOMAIN/);
    }
  });

  for (const mode of ['udp', 'tcp']) {
    test(`dnsperf over ${mode}: every question is answered, hits and misses mixed`, async () => {
      const hits = QUESTIONS.filter(([name]) => !/[\\]/.test(name)).map(([name, type]) => `${name} ${type}`);
      const misses = Array.from({ length: 5000 }, (_, at) => `${mode}-${at}.wild.example.test A`);
      const { sent, completed, output } = await load(agent, {
        queries: [...misses, ...hits],
        file: join(folder, 'load'),
        flags: ['-m', mode, '-q', '100', '-n', '2'],
      });
      assert.equal(completed, sent, output);
      await assertIdle(agent, 20_000);
    });
  }
});
