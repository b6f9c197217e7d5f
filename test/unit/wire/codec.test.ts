import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SignpostError } from '../../../src/core/errors.ts';
import { decodeMessage, encodeMessage, type Message, type MessageRecord } from '../../../src/wire/codec.ts';

const isMalformed = (error: unknown): boolean => error instanceof SignpostError && error.code === 'ERR_MALFORMED';

const answers: MessageRecord[] = [
  { name: 'web.example', type: 'A', class: 'IN', ttl: 30, data: '10.0.0.1' },
  { name: 'web.example', type: 'AAAA', class: 'IN', ttl: 30, data: 'fd00::1' },
  {
    name: 'web.example',
    type: 'SRV',
    class: 'IN',
    ttl: 30,
    data: { priority: 0, weight: 100, port: 80, target: 'a.web.example' },
  },
  { name: 'web.example', type: 'HTTPS', class: 'IN', ttl: 30, data: Buffer.of(0, 1, 0) },
  { name: 'web.example', type: 'TYPE65280', class: 'IN', ttl: 30, data: Buffer.of(1, 2, 3) },
];

test('a message survives the way to wire form and back', () => {
  const message: Message = {
    id: 4711,
    type: 'response',
    flags: 0x0183,
    questions: [{ name: 'web.example', type: 'HTTPS', class: 'CH' }],
    answers,
  };
  const decoded = decodeMessage(encodeMessage(message));
  assert.deepEqual(
    { id: decoded.id, type: decoded.type, flags: decoded.flags, questions: decoded.questions },
    {
      id: 4711,
      type: 'response',
      flags: 0x0183,
      questions: message.questions,
    },
  );
  assert.equal(decoded.answers.length, answers.length);
  decoded.answers.forEach((record, i) => {
    assert.deepEqual(record, { ...answers[i], flush: false });
  });
  assert.equal(decoded.rcode, 'NXDOMAIN');
  assert.equal(decoded.flag_rd, true);
});

test('all 12 bits of the RCODE are told', () => {
  const opt = {
    type: 'OPT',
    name: '.',
    udpPayloadSize: 1232,
    extendedRcode: 1,
    ednsVersion: 0,
    flags: 0,
    flag_do: false,
    options: [],
  } as const;
  assert.equal(
    decodeMessage(encodeMessage({ type: 'response', additionals: [{ ...opt, options: [] }] })).rcode,
    'BADVERS',
  );
});

test('a message that is encoded is not changed', () => {
  const text: MessageRecord = { name: 'a', type: 'TXT', data: Object.freeze(['one', 'two']) as string[] };
  const message = Object.freeze({ questions: [{ name: '.', type: 'NS' }], answers: [text] });
  const [read] = decodeMessage(encodeMessage(message)).answers;
  assert.equal(String(read?.type === 'TXT' && read.data), 'one,two');
  assert.deepEqual(text.data, ['one', 'two']);
});

test('names and types that are none are errors', () => {
  for (const name of ['', 'a..b', 'a'.repeat(64), 'a'.repeat(200), 'a b', 'a\\.b']) {
    assert.throws(() => encodeMessage({ questions: [{ name, type: 'A' }] }), isMalformed, JSON.stringify(name));
  }
  for (const type of ['', 'B', 'TYPE', 'TYPE65536', 'UNKNOWN_1']) {
    assert.throws(() => encodeMessage({ questions: [{ name: 'a', type }] }), isMalformed, type);
  }
  assert.throws(() => encodeMessage({ answers: [{ name: 'a', type: 'A', data: 'not an address' }] }), isMalformed);
});

test('octets that are no message are an error', () => {
  const octets = encodeMessage({ questions: [{ name: 'web.example', type: 'A' }], answers });
  for (let length = 0; length < octets.length; length++) {
    assert.throws(() => decodeMessage(octets.subarray(0, length)), isMalformed, String(length));
  }
});
