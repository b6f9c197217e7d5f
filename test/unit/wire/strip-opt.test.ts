import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeMessage } from '../../../src/wire/codec.ts';
import { MessageScan } from '../../../src/wire/message-scan.ts';
import { stripOpt } from '../../../src/wire/strip-opt.ts';
import { arbitraryOpt, arbitraryReply } from '../../wire/arbitrary-message.ts';
import { embed, optRecord, type WrittenMessage, type WrittenRecord, writeMessage } from '../../wire/message-writer.ts';

const scan = new MessageScan();

function stripped(octets: Uint8Array): Uint8Array {
  const { bytes, start, end } = embed(octets);
  assert.ok(scan.scan(bytes, start, end));
  const target = new Uint8Array(octets.length).fill(0xee);
  const length = stripOpt(bytes, scan, target);
  assert.ok(scan.scan(target, 0, length), 'what is left is a sound message');
  assert.equal(scan.recordsEnd, length);
  return target.slice(0, length);
}

test('a message without its OPT reads as before, wherever OPT stood', () => {
  fc.assert(
    fc.property(arbitraryReply, arbitraryOpt, fc.nat(), (message, opt, place) => {
      const rest = message.additionals.filter(({ type }) => type !== 41);
      const at = place % (rest.length + 1);
      const octets = writeMessage({ ...message, additionals: [...rest.slice(0, at), opt, ...rest.slice(at)] });
      const whole = decodeMessage(octets);
      const wanted = whole.additionals.filter((record) => record.type !== 'OPT');
      const found = decodeMessage(stripped(octets));
      assert.deepEqual(
        [found.questions, found.answers, found.authorities, found.additionals],
        [whole.questions, whole.answers, whole.authorities, wanted],
      );
    }),
  );
});

const questions = [{ name: ['a', 'example'], type: 1, class: 1 }];
const message: WrittenMessage = { id: 1, flags: 0x8180, questions, answers: [], authorities: [], additionals: [] };
const address: WrittenRecord = { owner: ['b', 'example'], type: 1, class: 1, ttl: 5, data: [new Uint8Array(4)] };

test('a signature goes with OPT', () => {
  const tsig: WrittenRecord = { owner: ['key'], type: 250, class: 255, ttl: 0, data: [new Uint8Array(20)] };
  const octets = writeMessage({ ...message, additionals: [address, optRecord(1232), address, tsig] });
  const { additionals } = decodeMessage(stripped(octets));
  assert.deepEqual(
    additionals.map(({ type }) => type),
    ['A', 'A'],
  );
});

test('where a pointer leads into OPT, the additional section ends there', () => {
  // The option's octets are a name, and the last record's owner points to it.
  const options = Uint8Array.of(0, 100, 0, 3, 1, 120, 0);
  const last: WrittenRecord = { ...address, owner: [] };
  const octets = writeMessage({ ...message, additionals: [address, optRecord(1232, 0, options), last] });
  const opt = octets.length - 15 - options.length;
  const pointing = Uint8Array.from([
    ...octets.subarray(0, octets.length - 15),
    0xc0,
    opt + 4,
    ...octets.subarray(octets.length - 14),
  ]);
  const { additionals } = decodeMessage(stripped(pointing));
  assert.deepEqual(
    additionals.map(({ name }) => name),
    ['b.example'],
  );
});

test('where RDATA is not as its type has it, the additional section ends at OPT', () => {
  const broken: WrittenRecord = { ...address, data: [new Uint8Array(5).fill(0x80)] };
  for (const type of [35, 33, 15, 6, 2]) {
    const octets = writeMessage({ ...message, additionals: [address, optRecord(1232), { ...broken, type }, address] });
    assert.equal(decodeMessage(stripped(octets)).additionals.length, 1, String(type));
  }
});
