import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CnameAnswer } from '../../../src/wire/cname-answer.ts';
import { decodeMessage } from '../../../src/wire/codec.ts';
import { MessageScan } from '../../../src/wire/message-scan.ts';
import { arbitraryName, arbitraryReply } from '../../wire/arbitrary-message.ts';
import {
  embed,
  type Labels,
  type WrittenMessage,
  type WrittenRecord,
  writeMessage,
} from '../../wire/message-writer.ts';

const TYPE_CNAME = 5;
const labels = (text: string): Labels => text.split('.');
const FROM = labels('foo.example.com');
const TO = labels('svc.ns.svc.cluster.local');
const LONGEST = [63, 63, 63, 61].map((length) => 'x'.repeat(length));

const composer = new CnameAnswer();
const scan = new MessageScan();
const target = new Uint8Array(65_535);

function wire(name: Labels): Uint8Array {
  return Uint8Array.from([...name.flatMap((label) => [label.length, ...Buffer.from(label, 'latin1')]), 0]);
}

const query = (name: Labels, { questions, flags }: WrittenMessage): WrittenMessage => ({
  id: 7,
  flags,
  questions: [{ ...questions[0]!, name }],
  answers: [],
  authorities: [],
  additionals: [],
});

/** What the answer to the question of `message` is made to for `from`; undefined where it has no room. */
function lead(from: Labels, message: WrittenMessage, compresses = true): Uint8Array | undefined {
  const { bytes, start, end } = embed(writeMessage(message, { compresses }));
  assert.ok(scan.scan(bytes, start, end));
  const question = writeMessage(query(from, message));
  const to = wire(message.questions[0]!.name);
  const length = composer.append(bytes, scan, composer.begin(question, question.length, to, 30, target));
  return length === -1 ? undefined : target.slice(0, length);
}

function answer(name: Labels, type: number, answers: WrittenRecord[]): WrittenMessage {
  return { id: 1, flags: 0x8180, questions: [{ name, type, class: 1 }], answers, authorities: [], additionals: [] };
}

const record = (owner: Labels, type: number, ...data: (Uint8Array | Labels)[]): WrittenRecord => ({
  owner,
  type,
  class: 1,
  ttl: 60,
  data,
});
const a = (owner: Labels, last: number): WrittenRecord => record(owner, 1, Uint8Array.of(192, 0, 2, last));

test('whatever the other name got, however its names are compressed, stands behind the CNAME as it was', () => {
  fc.assert(
    fc.property(arbitraryName, arbitraryReply, fc.boolean(), (from, message, compresses) => {
      const plain = { ...message, additionals: message.additionals.filter(({ type }) => type !== 41) };
      const asked = message.questions[0]!;
      const cname = { owner: from, type: TYPE_CNAME, class: asked.class, ttl: 30, data: [asked.name] };
      const wanted = { ...plain, id: 7, questions: [{ ...asked, name: from }], answers: [cname, ...plain.answers] };
      const made = lead(from, message, compresses)!;
      assert.deepEqual(decodeMessage(made), decodeMessage(writeMessage(wanted)));
      assert.ok(scan.scan(made, 0, made.length), 'it is a sound message');
    }),
  );
});

test('compressed records take no more room than before', () => {
  const message = answer(TO, 15, [
    record(TO, 15, Uint8Array.of(0, 1), ['mail', ...TO]),
    record(TO, 15, Uint8Array.of(0, 2), ['mail', ...TO]),
  ]);
  const before = writeMessage(message).length - writeMessage(query(TO, message)).length;
  const made = lead(FROM, message)!;
  const cname = 12 + wire(TO).length;
  assert.equal(made.length - writeMessage(query(FROM, message)).length, cname + before);
});

test('records of one owner still share it, so that they rotate', () => {
  const made = lead(FROM, answer(TO, 1, [a(TO, 1), a(TO, 2), a(TO, 3)]))!;
  assert.ok(scan.scan(made, 0, made.length));
  assert.equal(scan.groupCount, 1);
  assert.deepEqual([...scan.groups.subarray(1, 3)], [16, 3], 'each owner is a pointer');
});

test('names as long as names may be are led to and from', () => {
  for (const [from, to] of [
    [LONGEST, ['a']],
    [['a'], LONGEST],
    [[], LONGEST],
    [LONGEST, []],
  ] satisfies [Labels, Labels][]) {
    const { answers } = decodeMessage(lead(from, answer(to, 1, [a(to, 1)]))!);
    assert.deepEqual(
      answers.map(({ name }) => name),
      [from.join('.') || '.', to.join('.') || '.'],
    );
  }
});

test('an answer that would be longer than any message is not made', () => {
  const text = (count: number) =>
    Array.from({ length: count }, () => record(TO, 16, new Uint8Array(256).fill(97).fill(255, 0, 1)));
  // 268 octets each: 244 of them and a long question's CNAME are just too many.
  assert.ok(lead(LONGEST, answer(TO, 16, text(243))));
  assert.equal(lead(LONGEST, answer(TO, 16, text(244))), undefined);
});

test('without an answer the CNAME is a whole message', () => {
  const question = writeMessage(query(FROM, answer(FROM, TYPE_CNAME, [])));
  target.fill(0xdd);
  const end = composer.begin(question, question.length, wire(TO), 0x01020304, target);
  const cname = { ...record(FROM, TYPE_CNAME, TO), ttl: 0x01020304 };
  const wanted = writeMessage({ ...answer(FROM, TYPE_CNAME, [cname]), id: 7 });
  assert.deepEqual(decodeMessage(target.slice(0, end)), decodeMessage(wanted));
});
