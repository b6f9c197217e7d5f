import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeMessage } from '../../../src/wire/codec.ts';
import { nameFromText, nameToText } from '../../../src/wire/name.ts';
import {
  hashName,
  QUERY_BADVERS,
  QUERY_DROP,
  QUERY_FORMERR,
  QUERY_OK,
  QUERY_RELAY,
  QueryView,
} from '../../../src/wire/query.ts';
import { typeFromText } from '../../../src/wire/type-names.ts';
import { arbitraryOpt, arbitraryQuery } from '../../wire/arbitrary-message.ts';
import { embed, optRecord, type WrittenMessage, type WrittenRecord, writeMessage } from '../../wire/message-writer.ts';

const SEED = 0x5eed;
const view = new QueryView(SEED);
const asked = { name: ['web', 'default', 'svc', 'cluster', 'local'], type: 28, class: 1 };
const plain: WrittenMessage = {
  id: 7,
  flags: 0x100,
  questions: [asked],
  answers: [],
  authorities: [],
  additionals: [],
};
const address: WrittenRecord = { owner: asked.name, type: 1, class: 1, ttl: 5, data: [Uint8Array.of(10, 0, 0, 1)] };
const tsig: WrittenRecord = { owner: ['key'], type: 250, class: 255, ttl: 0, data: [new Uint8Array(20)] };
const sig0: WrittenRecord = { owner: [], type: 24, class: 255, ttl: 0, data: [new Uint8Array(20)] };

function read(octets: Uint8Array, into = view): number {
  const { bytes, start, end } = embed(octets);
  const outcome = into.read(bytes, start, end);
  return outcome;
}

const readMessage = (changes: Partial<WrittenMessage>): number => read(writeMessage({ ...plain, ...changes }));

test('a query reads as dns-packet reads it', () => {
  fc.assert(
    fc.property(arbitraryQuery, (message) => {
      const octets = writeMessage(message);
      const outcome = read(octets);
      const { questions, additionals } = decodeMessage(octets);
      const opt = additionals.find((record) => record.type === 'OPT');
      assert.equal(outcome, QUERY_OK);
      const { bytes, start } = view;
      assert.equal(nameToText(bytes, start + 12), `${questions[0]!.name}.`.replace('..', '.'));
      assert.equal(view.flags, message.flags);
      assert.equal(view.questionEnd, view.nameEnd + 4);
      assert.equal(view.type, typeFromText(questions[0]!.type));
      assert.equal(view.class, message.questions[0]!.class);
      assert.equal(view.nameHash, hashName(bytes, start + 12, view.nameEnd, SEED));
      assert.equal(view.hasOpt, opt !== undefined);
      assert.equal(view.udpSize, Math.max(opt?.udpPayloadSize ?? 512, 512));
      assert.equal(view.dnssecOk, opt?.flag_do ?? false);
      assert.equal(view.ednsVersion, 0);
      const options = message.additionals[0]?.data[0] as Uint8Array | undefined;
      assert.deepEqual(bytes.slice(view.optionsStart, view.optionsEnd), options ?? new Uint8Array(0));
    }),
  );
});

test('the same name in any case has the same hash, and another name another', () => {
  const hashes = new Set<number>();
  for (let i = 0; i < 20_000; i++) {
    const wire = nameFromText(`pod-${i}.Default.svc.cluster.local`)!;
    const lower = nameFromText(`pod-${i}.default.SVC.CLUSTER.local`)!;
    const hash = hashName(wire, 0, wire.length, SEED);
    assert.equal(hashName(lower, 0, lower.length, SEED), hash);
    assert.equal(hash | 0, hash);
    hashes.add(hash);
  }
  // By chance 20,000 of 2^32 collide 0.05 times.
  assert.ok(hashes.size >= 19_998, `${20_000 - hashes.size} collisions`);
});

test('octets that only look like letters with another case do not fold', () => {
  for (const [one, other] of ['@`', '[{', '_\x7f', '-\r', '\xc1\xe1', '\xda\xfa'].map((pair) => [...pair])) {
    const wire = (character: string): Uint8Array => Uint8Array.of(3, 97, character!.charCodeAt(0), 98, 0);
    assert.notEqual(hashName(wire(one!), 0, 5, SEED), hashName(wire(other!), 0, 5, SEED), `${one} ${other}`);
  }
});

test('names that collide under one seed do not under another', () => {
  // Top bits cancel in a hash that multiplies by a known number; no such pair may hold for every seed.
  const one = Uint8Array.of(11, 97, 97, 97, 97, 97, 97, 97, 97, 97, 97, 97, 0);
  for (let first = 1; first < 12; first++) {
    for (let second = first + 1; second < 12; second++) {
      const other = one.slice();
      other[first] = other[first]! | 0x80;
      other[second] = other[second]! | 0x80;
      const collisions = Array.from({ length: 50 }, (_, seed) => seed * 0x01234567).filter(
        (seed) => hashName(one, 0, 13, seed) === hashName(other, 0, 13, seed),
      );
      assert.ok(collisions.length <= 1, `octets ${first} and ${second}`);
    }
  }
});

test('what is too short or a response is dropped', () => {
  assert.equal(read(new Uint8Array(11)), QUERY_DROP);
  assert.equal(read(new Uint8Array(0)), QUERY_DROP);
  assert.equal(readMessage({ flags: 0x8100 }), QUERY_DROP);
});

test('a query has one question', () => {
  assert.equal(readMessage({ questions: [] }), QUERY_FORMERR);
  assert.equal(view.questionEnd, 0, 'a header-only reply');
  assert.equal(readMessage({ questions: [asked, asked] }), QUERY_FORMERR);
  assert.equal(view.questionEnd, 0);
});

test('a question that is cut short or has a pointer is malformed', () => {
  const octets = writeMessage(plain);
  for (let end = 12; end < octets.length; end++) {
    assert.equal(read(octets.subarray(0, end)), QUERY_FORMERR);
    assert.equal(view.nameEnd, 0);
    assert.equal(view.questionEnd, 0);
  }
  const pointing = writeMessage(plain);
  pointing[12] = 0xc0;
  assert.equal(read(pointing), QUERY_FORMERR);
});

test('every class and type is read; transfers and key exchange are for a relay', () => {
  for (const type of [0, 1, 41, 65, 248, 249, 250, 251, 252, 253, 254, 255, 65_535]) {
    const expected = type >= 249 && type <= 254 ? QUERY_RELAY : QUERY_OK;
    assert.equal(readMessage({ questions: [{ ...asked, type, class: 4711 }] }), expected, String(type));
    assert.equal(view.class, 4711);
  }
});

test('a message with another opcode is for a relay, its question readable or not', () => {
  assert.equal(readMessage({ flags: 5 << 11 }), QUERY_RELAY);
  assert.equal(view.type, 28);
  assert.notEqual(view.questionEnd, 0);
  assert.equal(readMessage({ flags: 5 << 11, questions: [] }), QUERY_RELAY);
  assert.equal(view.questionEnd, 0);
  const octets = writeMessage({ ...plain, flags: 4 << 11, additionals: [optRecord(1232)] });
  assert.equal(read(octets), QUERY_RELAY);
  assert.equal(view.hasOpt, true);
  assert.equal(read(octets.subarray(0, octets.length - 1)), QUERY_RELAY);
  assert.equal(view.hasOpt, false);
  assert.notEqual(view.questionEnd, 0);
});

test('a signed message is for a relay, and the signature comes last', () => {
  assert.equal(readMessage({ additionals: [tsig] }), QUERY_RELAY);
  assert.equal(readMessage({ additionals: [optRecord(1232), tsig] }), QUERY_RELAY);
  assert.equal(readMessage({ additionals: [sig0] }), QUERY_RELAY);
  assert.equal(readMessage({ additionals: [tsig, optRecord(1232)] }), QUERY_FORMERR);
  const sigOfRecords = { ...sig0, data: [Uint8Array.of(0, 1, ...new Array(18).fill(0))] };
  assert.equal(readMessage({ additionals: [sigOfRecords] }), QUERY_OK);
});

test('EDNS of a later version is answered with the question', () => {
  assert.equal(readMessage({ additionals: [optRecord(4096, 0x00018000)] }), QUERY_BADVERS);
  assert.equal(view.ednsVersion, 1);
  assert.equal(view.dnssecOk, true);
  assert.equal(view.udpSize, 4096);
  assert.notEqual(view.questionEnd, 0);
  assert.equal(readMessage({ answers: [address], additionals: [optRecord(4096, 0x00ff0000)] }), QUERY_BADVERS);
});

test('OPT stands once, at the root, whole', () => {
  const opt = optRecord(1232);
  assert.equal(readMessage({ additionals: [opt, opt] }), QUERY_FORMERR);
  assert.notEqual(view.questionEnd, 0, 'the reply repeats the question');
  assert.equal(readMessage({ additionals: [{ ...opt, owner: ['a'] }] }), QUERY_FORMERR);
  for (const options of [
    [0, 10, 0],
    [0, 10, 0, 9, 1, 2],
    [0, 10, 0, 1, 1, 2],
  ]) {
    assert.equal(
      readMessage({ additionals: [optRecord(1232, 0, Uint8Array.from(options))] }),
      QUERY_FORMERR,
      String(options),
    );
  }
  const octets = writeMessage({ ...plain, additionals: [optRecord(1232, 0, Uint8Array.of(0, 10, 0, 2, 1, 2))] });
  for (let end = octets.length - 1; end >= octets.length - 17; end--) {
    assert.equal(read(octets.subarray(0, end)), QUERY_FORMERR);
  }
});

test('other records are walked over, trailing octets ignored', () => {
  const rich = {
    ...plain,
    answers: [address],
    authorities: [address, address],
    additionals: [address, optRecord(1400)],
  };
  const octets = writeMessage(rich);
  assert.equal(read(octets), QUERY_OK);
  assert.equal(view.udpSize, 1400);
  assert.equal(read(Uint8Array.from([...octets, 1, 2, 3])), QUERY_OK);
  for (let end = view.questionEnd - view.start; end < octets.length; end++) {
    assert.equal(read(octets.subarray(0, end)), QUERY_FORMERR);
  }
  assert.equal(
    readMessage({ answers: [optRecord(1400)] }),
    QUERY_OK,
    'OPT has its meaning in the additional section only',
  );
  assert.equal(view.hasOpt, false);
});

test('nothing of one query is left when the next is read', () => {
  fc.assert(
    fc.property(arbitraryQuery, arbitraryOpt, fc.constantFrom(0, 0x010000), (message, opt, version) => {
      readMessage({ additionals: [{ ...opt, ttl: opt.ttl + version }], answers: [address] });
      const octets = writeMessage(message);
      const fresh = new QueryView(SEED);
      const outcome = read(octets, fresh);
      assert.equal(read(octets), outcome);
      assert.deepEqual({ ...view }, { ...fresh });
    }),
  );
});
