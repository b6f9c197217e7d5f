import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { decodeMessage } from '../../../src/wire/codec.ts';
import { MessageScan } from '../../../src/wire/message-scan.ts';
import { ReplyTrim } from '../../../src/wire/reply-trim.ts';
import { arbitraryOpt, arbitraryReply } from '../../wire/arbitrary-message.ts';
import {
  embed,
  type Labels,
  optRecord,
  type WrittenMessage,
  type WrittenRecord,
  writeMessage,
} from '../../wire/message-writer.ts';

const scan = new MessageScan();
const trim = new ReplyTrim();
const target = new Uint8Array(65_535);

interface Asked {
  readonly dnssecOk?: boolean;
  readonly wantsAaaa?: boolean;
  readonly compresses?: boolean;
}

/** The records that are left, as `owner type`, section by section; undefined where the reply was not touched. */
function left(message: WrittenMessage, asked: Asked = {}): string[][] | undefined {
  const octets = trimmed(writeMessage(message, asked), asked);
  if (octets === undefined) return undefined;
  const { answers, authorities, additionals } = decodeMessage(octets);
  return [answers, authorities, additionals].map((section) =>
    section.map(({ type, name }) => (type === 'OPT' ? type : `${name} ${type}`)),
  );
}

function trimmed(octets: Uint8Array, { dnssecOk = false, wantsAaaa = true }: Asked = {}): Uint8Array | undefined {
  const { bytes, start, end } = embed(octets);
  assert.ok(scan.scan(bytes, start, end));
  const length = trim.trim(bytes, scan, dnssecOk, wantsAaaa, target);
  if (length === 0) return undefined;
  assert.ok(scan.scan(target, 0, length), 'what is left is a sound message');
  return target.slice(0, length);
}

const labels = (text: string): Labels => (text === '.' ? [] : text.split('.'));
const record = (owner: string, type: number, ...data: (Uint8Array | string)[]): WrittenRecord => ({
  owner: labels(owner),
  type,
  class: 1,
  ttl: 60,
  data: data.map((piece) => (typeof piece === 'string' ? labels(piece) : piece)),
});
const a = (owner: string, last = 1) => record(owner, 1, Uint8Array.of(192, 0, 2, last));
const aaaa = (owner: string) => record(owner, 28, new Uint8Array(16).fill(1));
const cname = (owner: string, to: string) => record(owner, 5, to);
const ns = (owner: string, to: string) => record(owner, 2, to);
const soa = (owner: string) => record(owner, 6, 'ns.example.com', 'root.example.com', new Uint8Array(20));
const rrsig = (owner: string, signer = 'example.com') =>
  record(owner, 46, new Uint8Array(18), signer, new Uint8Array(32).fill(9));
const srv = (owner: string, to: string) => record(owner, 33, new Uint8Array(6), to);

const WWW = 'www.example.com';
const questions = [{ name: labels(WWW), type: 1, class: 1 }];
const reply = (changes: Partial<WrittenMessage>): WrittenMessage => ({
  id: 1,
  flags: 0x8180,
  questions,
  answers: [],
  authorities: [],
  additionals: [],
  ...changes,
});
const asking = (type: number) => [{ name: labels(WWW), type, class: 1 }];

suite('what belongs to a question is not touched', () => {
  const sound: Record<string, WrittenMessage> = {
    'addresses of the name': reply({ answers: [a(WWW, 1), a(WWW, 2)], additionals: [optRecord(1232)] }),
    'in another case': reply({ answers: [a('WWW.Example.COM')] }),
    'a chain in order': reply({
      answers: [cname(WWW, 'b.example.net'), cname('b.example.net', 'c.test'), a('c.test')],
    }),
    'a chain whose end comes first': reply({
      answers: [a('c.test'), cname('b.example.net', 'c.test'), cname(WWW, 'b.example.net')],
    }),
    'a DNAME above the name, and its CNAME': reply({
      answers: [
        record('example.com', 39, 'example.org'),
        rrsig('example.com'),
        cname(WWW, 'www.example.org'),
        a('www.example.org'),
      ],
    }),
    'signatures of the answer': reply({ answers: [a(WWW), rrsig(WWW)] }),
    'the SOA of a zone above, and of the chain': reply({
      answers: [cname(WWW, 'gone.example.net')],
      authorities: [soa('example.net')],
    }),
    'the root as the zone': reply({ flags: 0x8183, authorities: [soa('.')] }),
    'name servers of the zone and their addresses': reply({
      answers: [a(WWW)],
      authorities: [ns('example.com', 'ns1.example.com'), ns('example.com', 'ns.elsewhere.test')],
      additionals: [a('ns1.example.com'), aaaa('ns1.example.com'), a('ns.elsewhere.test')],
    }),
    'services and the addresses of their targets': reply({
      questions: asking(33),
      answers: [srv(WWW, 'one.test'), srv(WWW, 'two.test')],
      additionals: [a('two.test'), a('one.test'), aaaa('one.test')],
    }),
    'mail servers': reply({
      questions: asking(15),
      answers: [record(WWW, 15, Uint8Array.of(0, 10), 'mail.test')],
      additionals: [a('mail.test')],
    }),
    'NAPTR, its services, and their addresses before them': reply({
      questions: asking(35),
      answers: [record(WWW, 35, new Uint8Array(7), '_sip.test')],
      additionals: [a('two.test'), srv('_sip.test', 'two.test')],
    }),
    'HTTPS of the name itself and of another': reply({
      questions: asking(65),
      answers: [record(WWW, 65, Uint8Array.of(0, 1), '.'), record(WWW, 65, Uint8Array.of(0, 2), 'pool.test')],
      additionals: [a(WWW), a('pool.test')],
    }),
    'all types where all were asked': reply({ questions: asking(255), answers: [a(WWW), aaaa(WWW), rrsig(WWW)] }),
    'the same of a name with one label, and of the root': reply({
      questions: [{ name: [], type: 2, class: 1 }],
      answers: [ns('.', 'a.root-servers.net')],
      additionals: [a('a.root-servers.net')],
    }),
  };
  for (const [what, message] of Object.entries(sound)) {
    for (const compresses of [true, false]) {
      test(`${what}${compresses ? '' : ', names written out'}`, () => {
        assert.equal(left(message, { compresses }), undefined);
      });
    }
  }

  test('proofs, for those who asked for them', () => {
    const nsec3 = record('0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.example.com', 50, new Uint8Array(30));
    const nsec = record('alpha.example.com', 47, 'zulu.example.com', Uint8Array.of(0, 1, 0x40));
    const message = reply({
      flags: 0x8183,
      authorities: [soa('example.com'), rrsig('example.com'), nsec, rrsig('alpha.example.com'), nsec3],
    });
    assert.equal(left(message, { dnssecOk: true }), undefined);
    assert.deepEqual(left(message)?.[1], ['example.com SOA']);
  });
});

suite('what does not belong is left out', () => {
  const VICTIM = 'bank.test';
  const foreign: Record<string, [message: WrittenMessage, left: string[][]]> = {
    'another name in the answer': [
      reply({ answers: [a(VICTIM), a(WWW), a(`x.${WWW}`), a('example.com')] }),
      [[`${WWW} A`], [], []],
    ],
    'what hangs on no chain': [
      reply({ answers: [a(WWW), cname('other.test', VICTIM), a(VICTIM)] }),
      [[`${WWW} A`], [], []],
    ],
    'another type': [reply({ answers: [record(WWW, 16, Uint8Array.of(1, 120)), aaaa(WWW)] }), [[], [], []]],
    'another class': [reply({ answers: [{ ...a(WWW), class: 3 }, a(WWW)] }), [[`${WWW} A`], [], []]],
    'a zone that the name does not lie in': [
      reply({
        answers: [a(WWW)],
        authorities: [ns(VICTIM, 'ns.evil.test'), soa('com'), ns('ample.com', 'ns.evil.test')],
      }),
      [[`${WWW} A`], ['com SOA'], []],
    ],
    'an address in the authority section': [
      reply({ answers: [a(WWW)], authorities: [a(WWW), ns('com', 'ns.com')] }),
      [[`${WWW} A`], ['com NS'], []],
    ],
    'addresses that nothing mentions': [
      reply({
        answers: [a(WWW)],
        authorities: [ns('example.com', 'ns.example.com'), ns(VICTIM, 'ns.bank.test')],
        additionals: [a(VICTIM), a('ns.bank.test'), a('ns.example.com'), optRecord(1232)],
      }),
      [[`${WWW} A`], ['example.com NS'], ['ns.example.com A', 'OPT']],
    ],
    'what only something foreign points at': [
      reply({ answers: [cname('x.test', WWW), cname(WWW, 'y.test'), a('y.test'), cname('z.test', 'y.test')] }),
      [[`${WWW} CNAME`, 'y.test A'], [], []],
    ],
  };
  for (const [what, [message, expected]] of Object.entries(foreign)) {
    for (const compresses of [true, false]) {
      test(`${what}${compresses ? '' : ', names written out'}`, () => {
        assert.deepEqual(left(message, { compresses }), expected);
        assert.ok(trim.relevance.foreign > 0);
      });
    }
  }

  test('addresses of the other family, where a zone has none', () => {
    const message = reply({
      questions: asking(33),
      answers: [srv(WWW, 'one.test')],
      additionals: [a('one.test'), aaaa('one.test')],
    });
    assert.deepEqual(left(message, { wantsAaaa: false }), [[`${WWW} SRV`], [], ['one.test A']]);
    assert.equal(trim.relevance.foreign, 0);
  });

  test('names that led into what is gone are whole', () => {
    // `a.bank.test` of the NS record is compressed against the foreign owner before it.
    const message = reply({
      answers: [a('bank.test'), cname(WWW, 'a.bank.test'), a('a.bank.test')],
      authorities: [soa('bank.test')],
    });
    const octets = trimmed(writeMessage(message))!;
    const found = decodeMessage(octets);
    assert.deepEqual(
      found.answers.map((record) => [record.name, 'data' in record ? record.data : undefined]),
      [
        [WWW, 'a.bank.test'],
        ['a.bank.test', '192.0.2.1'],
      ],
    );
    assert.equal(found.authorities[0]!.name, 'bank.test');
    assert.ok(octets.length < writeMessage(message).length);
  });
});

suite('CNAME records', () => {
  const chain = (links: number) =>
    Array.from({ length: links }, (_, i) => cname(i === 0 ? WWW : `n${i}.test`, `n${i + 1}.test`));

  test('are followed as far as anybody does; of longer chains nothing is said', () => {
    assert.equal(left(reply({ answers: [...chain(16), a('n16.test')] })), undefined);
    assert.equal(trim.relevance.isChainLong, false);
    assert.equal(left(reply({ answers: [...chain(17), a('bank.test')] })), undefined);
    assert.equal(trim.relevance.isChainLong, true);
  });

  test('that lead back are seen', () => {
    for (const answers of [[cname(WWW, WWW)], [cname(WWW, 'b.test'), cname('b.test', WWW)]]) {
      assert.equal(left(reply({ answers })), undefined);
      assert.equal(trim.relevance.isLoop, true);
    }
    assert.equal(left(reply({ answers: chain(3) })), undefined);
    assert.equal(trim.relevance.isLoop, false);
  });
});

suite('OPT', () => {
  test('comes last, wherever it stood, and the rest reads as before', () => {
    fc.assert(
      fc.property(arbitraryReply, arbitraryOpt, fc.nat(), (message, opt, place) => {
        const rest = message.additionals.filter(({ type }) => type !== 41).map(ofQuestion(message));
        const at = place % (rest.length + 1);
        const octets = writeMessage({
          ...message,
          questions: [{ ...message.questions[0]!, type: 255, class: 255 }],
          answers: message.answers.map(ofQuestion(message)),
          authorities: [],
          additionals: [...rest.slice(0, at), opt, ...rest.slice(at)],
        });
        const whole = decodeMessage(octets);
        const found = decodeMessage(trimmed(octets, { dnssecOk: true }) ?? octets);
        const isOpt = ({ type }: { type: string }) => type === 'OPT';
        const wanted = whole.additionals.toSorted((one, other) => Number(isOpt(one)) - Number(isOpt(other)));
        assert.deepEqual([found.questions, found.answers, found.additionals], [whole.questions, whole.answers, wanted]);
      }),
    );
  });

  test('stays while a signature goes', () => {
    const tsig: WrittenRecord = { owner: ['key'], type: 250, class: 255, ttl: 0, data: [new Uint8Array(20)] };
    const octets = writeMessage(reply({ additionals: [a(WWW), optRecord(1232), a(WWW), tsig] }));
    const { additionals } = decodeMessage(trimmed(octets)!);
    assert.deepEqual(
      additionals.map(({ type }) => type),
      ['A', 'A', 'OPT'],
    );
  });
});

test('a record whose RDATA is not as its type has it is given up where names have to be moved', () => {
  for (const type of [35, 33, 15, 2]) {
    const broken = { ...a(WWW), type, data: [new Uint8Array(5).fill(0x80)] };
    const octets = writeMessage(reply({ questions: asking(type), answers: [a('bank.test'), broken] }));
    assert.deepEqual(decodeMessage(trimmed(octets)!).answers, [], String(type));
  }
});

function ofQuestion({ questions: [asked] }: WrittenMessage): (record: WrittenRecord) => WrittenRecord {
  return (from) => ({ ...from, owner: asked!.name });
}
