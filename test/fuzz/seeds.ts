import {
  type Labels,
  optRecord,
  type WrittenMessage,
  type WrittenRecord,
  writeMessage,
} from '../wire/message-writer.ts';

const name: Labels = ['web', 'default', 'svc', 'cluster', 'local'];
const octets = (...values: number[]): Uint8Array => Uint8Array.from(values);
const record = (type: number, ...data: WrittenRecord['data']): WrittenRecord => ({
  owner: name,
  type,
  class: 1,
  ttl: 30,
  data,
});

const a = (last: number): WrittenRecord => record(1, octets(10, 0, 0, last));
const aaaa = (last: number): WrittenRecord => record(28, octets(0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last));
const cname = record(5, ['real', 'example', 'com']);
const soa: WrittenRecord = {
  ...record(6, ['ns', 'dns', 'cluster', 'local'], ['hostmaster', 'cluster', 'local'], new Uint8Array(20).fill(3)),
  owner: ['cluster', 'local'],
};
const srv = (target: string): WrittenRecord => record(33, octets(0, 0, 0, 100, 0, 80), [target, ...name]);
const glue = (target: string): WrittenRecord => ({ ...a(9), owner: [target, ...name] });
const ptr = (target: string): WrittenRecord => record(12, [target, 'db', 'shop', 'svc', 'cluster', 'local']);
const mx = record(15, octets(0, 10), ['mail', 'example', 'com']);
const naptr = record(35, octets(0, 1, 0, 2, 1, 83, 3, 83, 73, 80, 0), ['sip', 'example', 'com']);
const txt = record(16, octets(3, 97, 98, 99, 0, 1, 120));
const rrsig = record(46, new Uint8Array(18), ['cluster', 'local'], new Uint8Array(64).fill(7));
const cookie = octets(0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8);
const ede = octets(0, 15, 0, 6, 0, 3, 111, 108, 100, 33);
const tsig: WrittenRecord = {
  owner: ['key'],
  type: 250,
  class: 255,
  ttl: 0,
  data: [['hmac-sha256'], new Uint8Array(48)],
};
const sig0: WrittenRecord = {
  owner: [],
  type: 24,
  class: 255,
  ttl: 0,
  data: [new Uint8Array(18), name, new Uint8Array(40)],
};

/** The longer one has 255 octets. */
const long: Labels = ['a'.repeat(63), 'b'.repeat(63), 'c'.repeat(63)];
const longest: Labels = ['d'.repeat(61), ...long];

const query = (changes: Partial<WrittenMessage>): WrittenMessage => ({
  id: 0x1234,
  flags: 0x0120,
  questions: [{ name, type: 1, class: 1 }],
  answers: [],
  authorities: [],
  additionals: [],
  ...changes,
});
const reply = (changes: Partial<WrittenMessage>): WrittenMessage => query({ flags: 0x8180, ...changes });

const messages: WrittenMessage[] = [
  query({}),
  query({ questions: [{ name: [], type: 2, class: 1 }] }),
  query({ additionals: [optRecord(1232)] }),
  query({ additionals: [optRecord(4096, 0x8000, cookie)] }),
  query({ additionals: [optRecord(512, 0x10000, octets(...cookie, ...ede))] }),
  query({ additionals: [optRecord(1232), tsig] }),
  query({ answers: [a(1)], authorities: [soa], additionals: [a(2), optRecord(1232), sig0] }),
  query({ questions: [{ name, type: 255, class: 3 }] }),
  query({ flags: 5 << 11, questions: [{ name: ['example'], type: 6, class: 1 }], authorities: [a(1)] }),
  reply({}),
  reply({ answers: [a(1), a(2), a(3)] }),
  reply({ answers: [cname, a(1), a(2), aaaa(1), aaaa(2), aaaa(3)], additionals: [optRecord(1232, 0x8000, ede)] }),
  reply({ flags: 0x8183, authorities: [soa], additionals: [optRecord(1232)] }),
  reply({ answers: [srv('a'), srv('b'), srv('c')], additionals: [glue('a'), glue('b'), glue('c'), optRecord(1232)] }),
  reply({
    questions: [{ name, type: 12, class: 1 }],
    answers: [ptr('a'), ptr('bcd'), ptr('ef')],
    additionals: [optRecord(1232)],
  }),
  reply({ answers: [mx, naptr, txt, rrsig], authorities: [soa, rrsig], additionals: [glue('mail'), optRecord(1400)] }),
  reply({ answers: [a(1)], additionals: [glue('x'), optRecord(1232), glue('x'), srv('y'), naptr, mx, soa] }),
  reply({ answers: [a(1)], additionals: [optRecord(1232), tsig] }),
  reply({ flags: 0x8382, questions: [] }),
  reply({
    questions: [{ name: long, type: 1, class: 1 }],
    answers: [
      { ...a(1), owner: long },
      { ...a(2), owner: longest },
    ],
  }),
];

/** Sound messages of every kind that is met, compressed and not: what mutants descend from. */
export const seeds: readonly Uint8Array[] = messages.flatMap((message) => [
  writeMessage(message),
  writeMessage(message, { compresses: false }),
]);
