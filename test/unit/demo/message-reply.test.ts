import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AnswerSource, found } from '../../../src/demo/answer-source.ts';
import { replyTo } from '../../../src/demo/message-reply.ts';
import { decodeMessage, encodeQuestion, FLAGS, type QuestionOptions } from '../../client/message.ts';

/** As many addresses as the first label says. */
const source: AnswerSource = {
  answer: (name, type) =>
    found(
      Array.from({ length: Number.parseInt(name, 10) || 0 }, (_, at) => ({
        name,
        type: 'A' as const,
        ttl: type === 'A' ? 30 : 0,
        data: `10.0.${at >> 8}.${at & 255}`,
      })),
    ),
};

function reply(question: Partial<QuestionOptions> & { name: string }, isStream = false) {
  const bytes = replyTo(encodeQuestion({ type: 'A', ...question }), source, isStream);
  return decodeMessage(Buffer.from(bytes!));
}

test('the reply repeats ID, question, RD and CD, and is authoritative', () => {
  const message = reply({ name: '1.Example.COM', id: 4711, flags: FLAGS.RD | FLAGS.CD });
  assert.equal(message.id, 4711);
  assert.equal(message.flags, FLAGS.QR | FLAGS.AA | FLAGS.RD | FLAGS.RA | FLAGS.CD);
  assert.equal(Buffer.from(message.question, 'hex').toString('latin1').includes('Example\x03COM'), true);
  assert.equal(message.opt, undefined);
});

test('a client with OPT gets OPT', () => {
  assert.equal(reply({ name: '1.example.com', udpSize: 4096 }).opt?.udpSize, 1232);
});

test('what does not fit the client is truncated whole, and TCP gets all of it', () => {
  const sizes = { udpSize: 1232 };
  assert.equal(reply({ name: '10.example.com' }).answers.length, 10);
  assert.equal(reply({ name: '20.example.com' }).isTruncated, true);
  assert.equal(reply({ name: '20.example.com' }).answers.length, 0);
  assert.equal(reply({ name: '20.example.com', ...sizes }).answers.length, 20);
  assert.equal(reply({ name: '200.example.com', ...sizes }).isTruncated, true);
  assert.equal(reply({ name: '200.example.com' }, true).answers.length, 200);
});

test('what is no query gets no answer', () => {
  assert.equal(replyTo(new Uint8Array(11), source, false), undefined);
  assert.equal(replyTo(encodeQuestion({ name: 'a', type: 'A', flags: FLAGS.QR }), source, false), undefined);
});

test('a query that cannot be answered gets a header with the reason', () => {
  const query = encodeQuestion({ name: '1.example.com', type: 'A', id: 99 });
  const withFlags = (flags: number) => reply({ name: 'a', flags }).rcode;
  assert.equal(decodeMessage(Buffer.from(replyTo(query.subarray(0, 20), source, false)!)).rcode, 1);
  assert.equal(decodeMessage(Buffer.from(replyTo(query.subarray(0, 20), source, false)!)).id, 99);
  assert.equal(withFlags(5 << 11), 4);
  assert.equal(reply({ name: 'version.bind', type: 'TXT', class: 3 }).rcode, 5);
});
