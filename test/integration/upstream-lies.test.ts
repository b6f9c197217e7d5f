import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { ask } from '../client/ask.ts';
import { extendedErrors } from '../client/message.ts';
import { type Agent, startAgent } from '../servers/agent.ts';
import { assertIdle } from '../servers/idle.ts';
import { type Behaviour, honest, type Liar, startLiar } from '../servers/liar.ts';
import { NAMED_PROGRAMS, type Named, startNamed } from '../servers/named.ts';
import { skipWithout } from '../servers/programs.ts';

const SERVFAIL = 2;

/** A behaviour that comes before the truth, and what is promised of it. */
const LIES_BEFORE_THE_TRUTH: readonly [promise: string, lie: Behaviour, only?: 'udp'][] = [
  ['a reply with another ID', ({ truth, send }) => send(withId(truth, truth.readUInt16BE(0) ^ 0x5555))],
  ['a reply to another question', ({ truth, send }) => send(withOtherName(forged(truth)))],
  ['a reply to another type', ({ truth, send }) => send(withOtherType(forged(truth)))],
  ['the query itself', ({ query, send }) => send(query)],
  ['three bytes', ({ truth, send }) => send(truth.subarray(0, 3))],
  ['no bytes', ({ send }) => send(Buffer.alloc(0))],
  [
    'bytes without sense',
    ({ send }) => send(Buffer.from(Array.from({ length: 300 }, (_, at) => (at * 89 + 7) & 0xff))),
  ],
  ['a forged reply from another port', ({ truth, sendFromElsewhere }) => sendFromElsewhere(forged(truth)), 'udp'],
];

const BANK = '\x04bank\x04test\0';
const ADDRESS = '\0\x01\0\x01\0\0\x0e\x10\0\x04\x06\x06\x06\x06';
const SERVER = `\0\x02\0\x01\0\0\x0e\x10\0\x02\xc0\x0c`;

/** Records that are nobody's business, before the answer, in the authority section and in the additional one. */
const FOREIGN_RECORDS: readonly [lie: string, answer: string, authority: string, additional: string][] = [
  ['another name in the answer', BANK + ADDRESS, '', ''],
  ['a CNAME of another name, and its address', `${BANK}\0\x05\0\x01\0\0\x0e\x10\0\x02\xc0\x0c`, '', ''],
  ['the answer of another class', `\xc0\x0c\0\x01\0\x03\0\0\x0e\x10\0\x04bank`, '', ''],
  ['a zone that the name does not lie in', '', BANK + SERVER, ''],
  ['an address that nothing mentions', '', '', BANK + ADDRESS],
];

suite('an upstream that lies', { skip: skipWithout(...NAMED_PROGRAMS) }, () => {
  let named: Named;
  let liar: Liar;
  before(async () => {
    named = await startNamed();
    liar = await startLiar(named);
  });
  after(async () => {
    liar.stop();
    await named.stop();
  });

  for (const transport of ['udp', 'tcp'] as const) {
    suite(`over ${transport}`, () => {
      let agent: Agent;
      let asked = 0;
      before(async () => {
        const upstream = `${transport}://${liar.host}:${liar.port}`;
        agent = await startAgent(['--cluster-dns', upstream, '--upstream', upstream]);
      });
      after(() => agent.stop());

      /** A name that was never asked before. */
      const freshName = () => `${transport}-${asked++}.wild.example.test`;
      const assertAnswers = async () => {
        const reply = await ask(agent, { name: freshName(), type: 'A' });
        assert.equal(reply.rcode, 0);
        assert.deepEqual(
          reply.answers.map((record) => record.data),
          ['c000021e'],
        );
      };

      for (const [lie, behave, only] of LIES_BEFORE_THE_TRUTH) {
        if (only !== undefined && only !== transport) continue;
        test(`${lie} does not keep the right answer from the client`, async () => {
          liar.behave((means) => {
            behave(means);
            means.send(means.truth);
          });
          await assertAnswers();
          liar.behave(honest);
          await assertAnswers();
        });
      }

      for (const [lie, ...sections] of FOREIGN_RECORDS) {
        test(`${lie} is not passed on, nor kept`, async () => {
          liar.behave(({ truth, send }) => send(withRecords(truth, ...sections)));
          const name = freshName();
          for (const from of ['the upstream', 'the cache']) {
            const reply = await ask(agent, { name, type: 'A', dnssecOk: false });
            const owners = [...reply.answers, ...reply.authorities, ...reply.additionals].map(({ owner }) => owner);
            assert.deepEqual(
              owners.filter((owner) => owner.includes('bank')),
              [],
              from,
            );
            assert.deepEqual(
              reply.answers.map(({ data }) => data),
              ['c000021e'],
              from,
            );
            liar.behave(honest);
          }
        });
      }

      test('an answer that is sent three times is taken once', async () => {
        liar.behave(({ truth, send }) => {
          for (let i = 0; i < 3; i++) send(truth);
        });
        for (let i = 0; i < 20; i++) await assertAnswers();
        liar.behave(honest);
        await assertAnswers();
      });

      test('counts that promise more records than there are give SERVFAIL or the answer of another try, never a wrong one', async () => {
        liar.behave(({ truth, send }) => send(withCounts(truth, 9)));
        const reply = await ask(agent, { name: freshName(), type: 'A', dnssecOk: false });
        assert.equal(reply.rcode, SERVFAIL);
        assert.deepEqual(reply.answers, []);
        liar.behave(honest);
        await assertAnswers();
      });

      test('wrong IDs alone end in SERVFAIL when the time is over, and the next question is answered', async () => {
        liar.behave(({ truth, send }) => send(withId(truth, truth.readUInt16BE(0) ^ 1)));
        const reply = await ask(agent, { name: freshName(), type: 'A', dnssecOk: false });
        assert.equal(reply.rcode, SERVFAIL);
        assert.deepEqual(extendedErrors(reply), [22]);
        liar.behave(honest);
        await assertRecovers(agent, assertAnswers);
      });

      test('answers that come after the time limit are passed over', async () => {
        const late: (() => void)[] = [];
        liar.behave(({ truth, send }) => late.push(() => send(truth)));
        const reply = await ask(agent, { name: freshName(), type: 'A' });
        assert.equal(reply.rcode, SERVFAIL);
        liar.behave(honest);
        for (const sendLate of late) sendLate();
        await assertRecovers(agent, assertAnswers);
      });

      test('nothing is left in the tables', () => assertIdle(agent));
    });
  }
});

/** An upstream that was silent may be down for us until a probe has found it well: at most a few seconds. */
async function assertRecovers(agent: Agent, assertAnswers: () => Promise<void>): Promise<void> {
  const endMs = performance.now() + 10_000;
  for (;;) {
    try {
      return await assertAnswers();
    } catch (error) {
      if (performance.now() > endMs) throw error;
      assert.equal(agent.child.hasEnded, false);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

function changed(message: Buffer, change: (copy: Buffer) => void): Buffer {
  const copy = Buffer.from(message);
  change(copy);
  return copy;
}

function withId(message: Buffer, id: number): Buffer {
  return changed(message, (copy) => copy.writeUInt16BE(id, 0));
}

/** The last byte of the address is another one. */
function forged(message: Buffer): Buffer {
  return Buffer.from(message.toString('latin1').replaceAll('\xc0\x00\x02\x1e', '\x06\x06\x06\x06'), 'latin1');
}

function withOtherName(message: Buffer): Buffer {
  return changed(message, (copy) => (copy[13] = copy[13]! ^ 1));
}

function withOtherType(message: Buffer): Buffer {
  return changed(message, (copy) => (copy[copy.indexOf(0, 12) + 2] = 28));
}

function withCounts(message: Buffer, answers: number): Buffer {
  return changed(message, (copy) => copy.writeUInt16BE(answers, 6));
}

/** One more record at the head of each section for which there is one; the truth's are compressed against the question alone. */
function withRecords(message: Buffer, ...records: string[]): Buffer {
  const questionEnd = message.indexOf(0, 12) + 5;
  // The answer is one A record whose owner is a pointer, or as long as the question's name.
  const answerEnd = questionEnd + (message[questionEnd]! >= 0xc0 ? 2 : questionEnd - 16) + 14;
  const [answer = '', authority = '', additional = ''] = records;
  const parts = [
    message.subarray(0, questionEnd),
    answer,
    message.subarray(questionEnd, answerEnd),
    authority,
    additional,
  ];
  const whole = Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part)));
  const counts = [1 + Number(answer !== ''), Number(authority !== ''), Number(additional !== '')];
  for (const [index, count] of counts.entries()) whole.writeUInt16BE(count, 6 + 2 * index);
  return whole;
}
