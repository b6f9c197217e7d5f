import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeMessage, type MessageRecord } from '../../../src/wire/codec.ts';
import { MessageScan } from '../../../src/wire/message-scan.ts';
import { skipName } from '../../../src/wire/name.ts';
import { rcodeToText, typeFromText } from '../../../src/wire/type-names.ts';
import { arbitraryReply } from '../../wire/arbitrary-message.ts';
import { embed, optRecord, type WrittenMessage, type WrittenRecord, writeMessage } from '../../wire/message-writer.ts';

const scan = new MessageScan();
const name = ['web', 'default', 'svc', 'cluster', 'local'];
const empty: WrittenMessage = {
  id: 7,
  flags: 0x8180,
  questions: [{ name, type: 1, class: 1 }],
  answers: [],
  authorities: [],
  additionals: [],
};
const address = (last: number, owner = name, ttl = 30): WrittenRecord => ({
  owner,
  type: 1,
  class: 1,
  ttl,
  data: [Uint8Array.of(10, 0, 0, last)],
});
const tsig: WrittenRecord = { owner: ['key'], type: 250, class: 255, ttl: 0, data: [new Uint8Array(20)] };
const soa = (ttl: number, minimum: number): WrittenRecord => ({
  owner: ['cluster', 'local'],
  type: 6,
  class: 1,
  ttl,
  data: [
    ['ns', 'dns'],
    ['hostmaster'],
    new Uint8Array(16),
    Uint8Array.from([24, 16, 8, 0].map((shift) => minimum >>> shift)),
  ],
});

/** The bytes where the message lies, or undefined where it is malformed. */
function scanned(octets: Uint8Array): Uint8Array | undefined {
  const { bytes, start, end } = embed(octets);
  return scan.scan(bytes, start, end) ? bytes : undefined;
}

const scannedMessage = (changes: Partial<WrittenMessage>): Uint8Array | undefined =>
  scanned(writeMessage({ ...empty, ...changes }));

const ttlsIn = (bytes: Uint8Array): number[] =>
  Array.from(scan.ttlOffsets.subarray(0, scan.ttlCount), (offset) =>
    Buffer.from(bytes.buffer).readUInt32BE(scan.questionEnd + offset),
  );

const groupsFound = (): number[][] =>
  Array.from({ length: scan.groupCount }, (_, i) => Array.from(scan.groups.subarray(3 * i, 3 * i + 3)));

test('what a scan finds is what dns-packet reads', () => {
  fc.assert(
    fc.property(arbitraryReply, fc.boolean(), (message, compresses) => {
      const octets = writeMessage(message, { compresses });
      const bytes = scanned(octets);
      assert.ok(bytes !== undefined);
      const decoded = decodeMessage(octets);
      const opt = decoded.additionals.find((record) => record.type === 'OPT');
      const kept = [
        ...decoded.answers,
        ...decoded.authorities,
        ...decoded.additionals.filter((record) => record !== opt),
      ];
      const ttls = kept.map((record) => (record as { ttl: number }).ttl);
      const capped = ttls.map((ttl) => (ttl > 0x7fffffff ? 0 : ttl));
      assert.deepEqual(ttlsIn(bytes), ttls);
      assert.equal(scan.minimumTtl, Math.min(0xffffffff, ...capped));
      assert.equal(scan.answers, decoded.answers.length);
      assert.equal(scan.authorities, decoded.authorities.length);
      assert.equal(scan.additionals, decoded.additionals.length - (opt ? 1 : 0));
      assert.equal(scan.flags, message.flags);
      assert.equal(scan.type, typeFromText(decoded.questions[0]!.type));
      assert.equal(scan.class, message.questions[0]!.class);
      assert.equal(
        scan.hasCname,
        decoded.answers.some((record) => record.type === 'CNAME'),
      );
      assert.equal(rcodeToText(scan.rcode), decoded.rcode);
      checkSoa(decoded.authorities);
      assert.equal(scan.hasOpt, opt !== undefined);
      assert.equal(scan.extendedRcode, (opt?.extendedRcode ?? 0) << 4);
      assert.equal(scan.dnssecOk, opt?.flag_do ?? false);
      assert.equal(scan.udpSize, Math.max(opt?.udpPayloadSize ?? 0, 512));
      assert.equal(opt === undefined ? scan.optEnd : scan.optOffset, opt === undefined ? -1 : scan.recordsEnd);
      assert.equal(opt === undefined ? scan.recordsEnd : scan.optEnd, scan.end);
      assert.equal(scan.isSigned, false);
    }),
  );
});

function checkSoa(authorities: readonly MessageRecord[]): void {
  const found = authorities.find((record) => record.type === 'SOA');
  const capped = (ttl = 0): number => (ttl > 0x7fffffff ? 0 : ttl);
  assert.equal(scan.hasSoa, found !== undefined);
  assert.equal(scan.soaTtl, capped(found?.ttl));
  assert.equal(scan.soaMinimum, capped(found?.data.minimum));
}

test('groups are the runs of equal address records of the answer, and of PTR records where nothing comes after them', () => {
  fc.assert(
    fc.property(arbitraryReply, (message) => {
      const bytes = scanned(writeMessage(message, { compresses: false }));
      assert.ok(bytes !== undefined);
      const runs: { key: string; count: number }[] = [];
      for (const { owner, type } of message.answers) {
        const key = JSON.stringify([owner, type]);
        const last = runs.at(-1);
        if (last?.key === key && (type === 1 || type === 28 || type === 12)) last.count++;
        else runs.push({ key, count: 1 });
      }
      const isLast = message.authorities.length + scan.additionals === 0;
      const mayMove = ({ key }: { key: string }, i: number) =>
        !key.endsWith(',12]') || (isLast && i === runs.length - 1);
      assert.deepEqual(
        groupsFound().map(([, , count]) => count),
        runs
          .filter(mayMove)
          .map(({ count }) => count)
          .filter((count) => count > 1),
      );
      for (const [offset, length, count] of groupsFound() as [number, number, number][]) {
        if (length === 0) continue;
        for (let i = 1; i < count; i++) {
          const at = scan.questionEnd + offset + i * length;
          const head: number = skipName(bytes, at, scan.end) + 4 - at;
          assert.deepEqual(bytes.slice(at, at + head), bytes.slice(at - length, at - length + head));
        }
      }
    }),
  );
});

test('a group ends where owner, type or class changes, and CNAMEs stay in front', () => {
  const cname: WrittenRecord = { owner: name, type: 5, class: 1, ttl: 5, data: [['real', 'local']] };
  const answers = [
    cname,
    address(1),
    address(2),
    address(3),
    { ...address(4), class: 3 },
    address(5, ['other']),
    address(6, ['other']),
  ];
  assert.ok(scannedMessage({ answers }));
  assert.equal(scan.hasCname, true);
  assert.deepEqual(groupsFound()[0]?.slice(1), [16, 3]);
  // The CNAME: owner 2, type to RDLENGTH 10, 'real' 5 and a pointer 2.
  assert.equal(groupsFound()[0]?.[0], 19);
  assert.equal(
    groupsFound().length,
    1,
    'the first of other is written out, the second is a pointer: not equal octet by octet',
  );
});

test('PTR records are a group where nothing points to what may change its place', () => {
  const ptr = (...target: string[]): WrittenRecord => ({ owner: name, type: 12, class: 1, ttl: 5, data: [target] });
  const three = [ptr('a', 'web'), ptr('bc', 'db'), ptr('d')];
  const found = (changes: Partial<WrittenMessage>): number[][] => {
    assert.ok(scannedMessage({ questions: [{ name, type: 12, class: 1 }], ...changes }));
    return groupsFound();
  };
  const cname: WrittenRecord = { owner: name, type: 5, class: 1, ttl: 5, data: [['real', 'local']] };
  assert.deepEqual(found({ answers: three }), [[0, 0, 3]]);
  assert.deepEqual(found({ answers: three, additionals: [optRecord(1232)] }), [[0, 0, 3]]);
  assert.deepEqual(found({ answers: [address(1), address(2), ...three] }), [
    [0, 16, 2],
    [32, 0, 3],
  ]);
  assert.deepEqual(found({ answers: [cname, ...three] }), [[19, 0, 3]], 'what comes before them does no harm');
  assert.deepEqual(found({ answers: [...three, cname] }), []);
  assert.deepEqual(found({ answers: three, authorities: [soa(5, 5)] }), []);
  assert.deepEqual(found({ answers: three, additionals: [address(1)] }), []);
  assert.deepEqual(found({ answers: [ptr('a', 'web'), ptr('b', 'web')] }), [], 'a pointer to the first');
  assert.deepEqual(found({ answers: [ptr('a'), { ...ptr('b'), data: [['b'], new Uint8Array(1)] }] }), []);
});

test('a message without records has no lowest TTL', () => {
  assert.ok(scannedMessage({}));
  assert.equal(scan.minimumTtl, 0xffffffff);
  assert.equal(scan.ttlCount, 0);
  assert.equal(scan.recordsEnd, scan.questionEnd);
});

test('a message may come without a question, and not with two', () => {
  assert.ok(scannedMessage({ questions: [] }));
  assert.equal(scan.questionEnd, scan.start + 12);
  assert.equal(scan.type, 0);
  assert.equal(scannedMessage({ questions: [...empty.questions, ...empty.questions] }), undefined);
});

test('a TTL or MINIMUM with the top bit set counts as 0', () => {
  assert.ok(scannedMessage({ flags: 0x8183, authorities: [soa(0x80000000, 0xffffffff)] }));
  assert.equal(scan.minimumTtl, 0);
  assert.equal(scan.soaTtl, 0);
  assert.equal(scan.soaMinimum, 0);
  assert.ok(scannedMessage({ flags: 0x8183, authorities: [soa(300, 5)] }));
  assert.deepEqual([scan.rcode, scan.hasSoa, scan.soaTtl, scan.soaMinimum], [3, true, 300, 5]);
});

test('an SOA in the answer is data', () => {
  assert.ok(scannedMessage({ answers: [soa(300, 5)] }));
  assert.equal(scan.hasSoa, false);
});

test('a signature is cut off with OPT and must come last', () => {
  assert.ok(scannedMessage({ answers: [address(1)], additionals: [address(2), optRecord(1232), tsig] }));
  assert.equal(scan.isSigned, true);
  assert.equal(scan.additionals, 1);
  assert.equal(scan.recordsEnd, scan.optOffset);
  assert.equal(scan.minimumTtl, 30, 'the TTL 0 of a TSIG is none');
  assert.equal(scannedMessage({ additionals: [tsig, optRecord(1232)] }), undefined);
  assert.equal(scannedMessage({ answers: [tsig] }), undefined);
});

test('OPT in the middle is told by where the records end', () => {
  assert.ok(scannedMessage({ additionals: [address(1), optRecord(1232), address(2)] }));
  assert.ok(scan.optOffset < scan.recordsEnd);
  assert.equal(scan.recordsEnd, scan.end);
  assert.equal(scan.additionals, 2);
});

test('OPT stands once, at the root, in the additional section', () => {
  assert.equal(scannedMessage({ additionals: [optRecord(1232), optRecord(1232)] }), undefined);
  assert.equal(scannedMessage({ additionals: [{ ...optRecord(1232), owner: ['a'] }] }), undefined);
  assert.equal(scannedMessage({ answers: [optRecord(1232)] }), undefined);
  assert.equal(scannedMessage({ authorities: [optRecord(1232)] }), undefined);
});

test('a message that is cut short anywhere is malformed', () => {
  const octets = writeMessage({
    ...empty,
    answers: [address(1)],
    authorities: [soa(5, 5)],
    additionals: [optRecord(1232)],
  });
  assert.ok(scanned(octets));
  for (let end = 0; end < octets.length; end++) assert.equal(scanned(octets.subarray(0, end)), undefined);
});

test('a malformed owner, or an SOA without its numbers, is malformed', () => {
  const octets = writeMessage({ ...empty, answers: [address(1)] });
  const ownerAt = scanned(octets) ? scan.questionEnd - scan.start : 0;
  for (const pointed of [0, 11, ownerAt, ownerAt + 2, 0x3fff]) {
    octets[ownerAt] = 0xc0 | (pointed >>> 8);
    octets[ownerAt + 1] = pointed;
    assert.equal(scanned(octets), undefined, String(pointed));
  }
  const short = { ...soa(5, 5), data: [['ns'], ['hostmaster'], new Uint8Array(19)] };
  assert.equal(scannedMessage({ authorities: [short] }), undefined);
});

test('the longest message with the most records is read whole', () => {
  const count = 5956;
  const octets = new Uint8Array(12 + count * 11);
  octets.set([0, 1, 0x81, 0x80, 0, 0, count >>> 8, count & 0xff]);
  for (let i = 0; i < count; i++) octets.set([0, 0, 1, 0, 1, 0, 0, 0, 60, 0, 0], 12 + i * 11);
  assert.ok(scan.scan(octets, 0, octets.length));
  assert.equal(scan.ttlCount, count);
  assert.deepEqual(groupsFound(), [[0, 11, count]]);
  assert.equal(scan.scan(new Uint8Array(65_536), 0, 65_536), false, 'longer than TCP can carry');
});
