import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TransferEnd } from '../../../../src/resolve/relay/transfer-end.ts';
import { TYPE_A, TYPE_AXFR, TYPE_IXFR, TYPE_SOA } from '../../../../src/wire/constants.ts';
import { QueryView } from '../../../../src/wire/query.ts';
import { embed, type Labels, type WrittenRecord, writeMessage } from '../../../wire/message-writer.ts';

const ZONE: Labels = ['corp', 'example'];

function soa(serial: number): WrittenRecord {
  const numbers = Buffer.alloc(20);
  numbers.writeUInt32BE(serial);
  return { owner: ZONE, type: TYPE_SOA, class: 1, ttl: 60, data: [['ns', ...ZONE], ['host', ...ZONE], numbers] };
}

const a: WrittenRecord = { owner: ['www', ...ZONE], type: TYPE_A, class: 1, ttl: 60, data: [Buffer.alloc(4)] };

function endOf(type: number, serial?: number): TransferEnd {
  const message = writeMessage({
    id: 7,
    flags: 0,
    questions: [{ name: ZONE, type, class: 1 }],
    answers: [],
    authorities: serial === undefined ? [] : [soa(serial)],
    additionals: [],
  });
  const query = new QueryView(1);
  query.read(message, 0, message.length);
  return new TransferEnd(message, query.questionEnd, type);
}

/** How many of these messages, in order, are taken; the last of those is the one that ends the transfer, or there is none that does. */
function taken(end: TransferEnd, messages: readonly (readonly WrittenRecord[])[], rcode = 0): number {
  for (const [index, answers] of messages.entries()) {
    const questions = index === 0 ? [{ name: ZONE, type: TYPE_AXFR, class: 1 }] : [];
    const bytes = writeMessage({ id: 7, flags: 0x8400 | rcode, questions, answers, authorities: [], additionals: [] });
    const chunk = new Uint8Array(bytes.length + 64).fill(0xff);
    chunk.set(bytes, 30);
    if (end.isLast(chunk, 30, 30 + bytes.length)) return index + 1;
  }
  return -1;
}

test('AXFR ends with the second SOA record, in one message or in many', () => {
  assert.equal(taken(endOf(TYPE_AXFR), [[soa(5), a, a, soa(5)]]), 1);
  assert.equal(taken(endOf(TYPE_AXFR), [[soa(5)], [a], [a, a], [a, soa(5)], [a]]), 4);
  assert.equal(taken(endOf(TYPE_AXFR), [[soa(5)], [soa(5)], [a]]), 2);
  assert.equal(taken(endOf(TYPE_AXFR), [[soa(5), a], [a]]), -1);
});

test('IXFR ends where nothing is newer than what the client has', () => {
  assert.equal(taken(endOf(TYPE_IXFR, 5), [[soa(5)], [a]]), 1);
  assert.equal(taken(endOf(TYPE_IXFR, 6), [[soa(5)], [a]]), 1);
  assert.equal(taken(endOf(TYPE_IXFR, 0xffff_fff0), [[soa(0xffff_ffe0)]]), 1, 'serials go round');
  assert.equal(taken(endOf(TYPE_IXFR, 0xffff_fff0), [[soa(3)], [a]]), -1, 'serials go round');
});

test('IXFR ends with the SOA record that it began with, after all differences', () => {
  const twoSteps = [soa(7), soa(5), a, soa(6), a, soa(6), a, soa(7), a, soa(7)];
  assert.equal(taken(endOf(TYPE_IXFR, 5), [twoSteps]), 1);
  assert.equal(taken(endOf(TYPE_IXFR, 5), [...twoSteps.map((record) => [record]), [a]]), twoSteps.length);
  const onlyGone = [soa(6), soa(5), a, soa(6), soa(6)];
  assert.equal(taken(endOf(TYPE_IXFR, 5), [...onlyGone.map((record) => [record]), [a]]), onlyGone.length);
});

test('IXFR that is answered with the whole zone ends as AXFR does', () => {
  assert.equal(taken(endOf(TYPE_IXFR, 5), [[soa(7)], [a], [a], [soa(7)], [a]]), 4);
  assert.equal(taken(endOf(TYPE_IXFR, 5), [[soa(7), a, a, soa(7)]]), 1);
});

test('an error, and an answer without records, end it', () => {
  assert.equal(taken(endOf(TYPE_AXFR), [[], [a]], 5), 1);
  assert.equal(taken(endOf(TYPE_AXFR), [[], [a]]), 1);
  assert.equal(taken(endOf(TYPE_AXFR), [[soa(5)], [], [soa(5)]]), 3, 'not in the middle');
});

test('a request without a serial is answered until the zone is whole', () => {
  assert.equal(taken(endOf(TYPE_IXFR), [[soa(5)], [a], [soa(5)]]), 3);
});

test('what cannot be read ends it, for nobody could follow', () => {
  const whole = writeMessage({
    id: 7,
    flags: 0x8400,
    questions: [{ name: ZONE, type: TYPE_AXFR, class: 1 }],
    answers: [soa(5), a],
    authorities: [],
    additionals: [],
  });
  for (let length = 12; length < whole.length; length++) {
    const { bytes, start } = embed(whole.subarray(0, length));
    assert.equal(endOf(TYPE_AXFR).isLast(bytes, start, start + length), true, `cut at ${length}`);
  }
});
