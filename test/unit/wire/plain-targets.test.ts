import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeMessage } from '../../../src/wire/codec.ts';
import { MessageScan } from '../../../src/wire/message-scan.ts';
import { PlainTargets } from '../../../src/wire/plain-targets.ts';
import { arbitraryName, arbitraryOpt } from '../../wire/arbitrary-message.ts';
import {
  embed,
  type Labels,
  optRecord,
  type WrittenMessage,
  type WrittenRecord,
  writeMessage,
} from '../../wire/message-writer.ts';

const NAME: Labels = ['7', '0', '0', '10', 'in-addr', 'arpa'];
const OPT_OCTETS = 11;
const scan = new MessageScan();
const plainTargets = new PlainTargets();
const target = new Uint8Array(65_535);

const ptr = (labels: Labels, ttl = 30): WrittenRecord => ({ owner: NAME, type: 12, class: 1, ttl, data: [labels] });
const service = (name: string): WrittenRecord => ptr([name, 'shop', 'svc', 'cluster', 'local']);
const reply = (answers: readonly WrittenRecord[], changes: Partial<WrittenMessage> = {}): WrittenMessage => ({
  id: 7,
  flags: 0x8580,
  questions: [{ name: NAME, type: 12, class: 1 }],
  answers,
  authorities: [],
  additionals: [],
  ...changes,
});

/** What was written; undefined where the reply is to be used as it is. */
function written(octets: Uint8Array): Uint8Array | undefined {
  const { bytes, start, end } = embed(octets);
  assert.ok(scan.scan(bytes, start, end));
  const length = plainTargets.write(bytes, scan, target);
  return length === 0 ? undefined : target.slice(0, length);
}

/** The same message with its owners as pointers, and the names in RDATA written out. */
function plainLength(message: WrittenMessage): number {
  const owners = message.answers.length * (writeName(NAME) - 2);
  return writeMessage(message, { compresses: false }).length - owners;
}

const writeName = (labels: Labels): number => labels.reduce((sum, label) => sum + 1 + label.length, 1);

test('names that lead into the record before are written out, and all else is as it was', () => {
  const pointers = fc.array(fc.tuple(arbitraryName, fc.nat(0xffffffff)), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(pointers, fc.option(arbitraryOpt, { nil: undefined }), (targets, opt) => {
      const answers = targets.map(([labels, ttl]) => ptr(labels, ttl));
      const octets = writeMessage(reply(answers, { additionals: opt ? [opt] : [] }));
      const found = written(octets);
      assert.ok(scan.scan(octets, 0, octets.length));
      if (answers.length === 1) return assert.equal(found, undefined);
      // Those without a name in common had no pointers.
      if (found === undefined) return assert.deepEqual([...scan.groups.subarray(0, 3)], [0, 0, answers.length]);
      assert.deepEqual(decodeMessage(found), decodeMessage(octets));
      assert.ok(scan.scan(found, 0, found.length));
      assert.deepEqual([...scan.groups.subarray(0, 3 * scan.groupCount)], [0, 0, answers.length]);
    }),
  );
});

test('a reply of another kind is used as it is', () => {
  const two = [service('web'), service('db')];
  const asIs = (message: WrittenMessage): void => assert.equal(written(writeMessage(message)), undefined);
  assert.ok(written(writeMessage(reply(two))));
  asIs(reply([service('web')]));
  asIs(reply(two, { authorities: [{ ...ptr(NAME), type: 2 }] }));
  asIs(reply(two, { additionals: [{ ...two[0]!, type: 1, data: [Uint8Array.of(10, 0, 0, 1)] }] }));
  asIs(reply(two, { questions: [{ name: NAME, type: 255, class: 1 }] }));
  asIs(reply(two.map((record) => ({ ...record, owner: ['other', 'arpa'] }))));
  asIs(reply([{ ...ptr(['alias', 'arpa']), type: 5 }, ...two]));
  asIs(reply(two, { additionals: [{ ...ptr([]), owner: ['key'], type: 250, class: 255, data: [new Uint8Array(9)] }] }));
  assert.equal(written(writeMessage(reply(two), { compresses: false })), undefined, 'nothing to be written out');
});

test('RDATA that is no name, or more than one, is left alone', () => {
  const web = service('web');
  for (const data of [[new Uint8Array(0)], [Uint8Array.of(0xc0, 0)], [Uint8Array.of(0xff, 0xff)], [NAME, NAME]]) {
    assert.equal(written(writeMessage(reply([web, web, { ...web, data }]))), undefined, String(data));
  }
});

test('a reply that fits into a datagram still does', () => {
  for (let length = 1; length < 50; length++) {
    for (const count of [5, 6, 7, 8, 9, 10, 13, 16, 19, 22, 40]) {
      const answers = Array.from({ length: count }, (_, i) => service(`${i}`.padStart(length, 'x')));
      const message = reply(answers);
      const before = writeMessage(message);
      const least = before.length > 512 ? 1200 : 512;
      const fits = plainLength(message) + OPT_OCTETS <= least;
      assert.equal(written(before)?.length, fits ? plainLength(message) : undefined, `${count} of ${length}`);
      const opt = { additionals: [optRecord(1232)] };
      assert.equal(
        written(writeMessage({ ...message, ...opt })) !== undefined,
        fits,
        'OPT of the reply does not count',
      );
    }
  }
});
