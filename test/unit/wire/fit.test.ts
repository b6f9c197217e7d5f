import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeMessage } from '../../../src/wire/codec.ts';
import { RecordFit } from '../../../src/wire/fit.ts';
import { MessageScan } from '../../../src/wire/message-scan.ts';
import { arbitraryReply } from '../../wire/arbitrary-message.ts';
import { embed, type WrittenMessage, writeMessage } from '../../wire/message-writer.ts';

const scan = new MessageScan();
const fit = new RecordFit();

/** The message as it goes out when the records have `room` octets. */
function fitted(octets: Uint8Array, room: number): Uint8Array {
  const { bytes, start, end } = embed(octets);
  assert.ok(scan.scan(bytes, start, end));
  fit.fit(bytes, scan.questionEnd, scan.recordsEnd, scan.answers, scan.authorities, scan.additionals, room);
  const cut = bytes.slice(start, fit.end);
  cut.set([0, fit.answers, 0, fit.authorities, 0, fit.additionals], 6);
  return cut;
}

const withoutOpt = (message: WrittenMessage): WrittenMessage => ({
  ...message,
  additionals: message.additionals.filter(({ type }) => type !== 41),
});

test('whole records go out, as many as fit, in order', () => {
  fc.assert(
    fc.property(arbitraryReply, fc.nat(600), (message, room) => {
      const octets = writeMessage(withoutOpt(message));
      const whole = decodeMessage(octets);
      const cut = fitted(octets, room);
      const read = decodeMessage(cut);
      assert.equal(cut.length, fit.end - scan.start);
      assert.ok(fit.end - scan.questionEnd <= room);
      assert.deepEqual(read.answers, whole.answers.slice(0, fit.answers));
      assert.deepEqual(read.authorities, whole.authorities.slice(0, fit.authorities));
      assert.deepEqual(read.additionals, fit.additionals === 0 ? [] : whole.additionals);
      const isCut = fit.answers < scan.answers || fit.authorities < scan.authorities;
      assert.equal(fit.truncated, isCut);
      if (isCut) {
        assert.equal(fit.additionals, 0, 'nothing comes behind the cut');
        assert.ok(lengthUpTo(octets, fit.answers + fit.authorities) > room, 'the next one would not have fitted');
      }
      if (fit.answers < scan.answers) assert.equal(fit.authorities, 0);
    }),
  );
});

/** Octets from the question to the end of the record with that index; TTLs lie in order, one a record, and RDLENGTH follows. */
function lengthUpTo(octets: Uint8Array, index: number): number {
  const offset = scan.ttlOffsets[index]!;
  const at = scan.questionEnd - scan.start + offset;
  return offset + 6 + ((octets[at + 4]! << 8) | octets[at + 5]!);
}

test('what has room goes out as it is', () => {
  fc.assert(
    fc.property(arbitraryReply, (message) => {
      const octets = writeMessage(withoutOpt(message));
      const room = octets.length - 12;
      assert.deepEqual(fitted(octets, room), octets);
      assert.equal(fit.truncated, false);
    }),
  );
});

test('the additional section is left out whole, without TC', () => {
  const owner = ['a'];
  const address = { owner, type: 1, class: 1, ttl: 5, data: [new Uint8Array(4)] };
  const questions = [{ name: owner, type: 33, class: 1 }];
  const octets = writeMessage({
    id: 0,
    flags: 0x8000,
    questions,
    answers: [address],
    authorities: [],
    additionals: [address, address],
  });
  fitted(octets, 3 * 16 - 1);
  assert.deepEqual([fit.answers, fit.additionals, fit.truncated, fit.end - scan.questionEnd], [1, 0, false, 16]);
  fitted(octets, 15);
  assert.deepEqual([fit.answers, fit.additionals, fit.truncated, fit.end - scan.questionEnd], [0, 0, true, 0]);
  fitted(octets, 0);
  assert.deepEqual([fit.truncated, fit.end], [true, scan.questionEnd]);
});
