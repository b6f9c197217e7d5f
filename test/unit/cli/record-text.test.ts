import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nameText, recordDataText, recordText } from '../../../src/cli/record-text.ts';
import { decodeMessage, encodeMessage, type MessageRecord } from '../../../src/wire/codec.ts';

/** The record as it comes off the wire. */
function received(record: MessageRecord): MessageRecord {
  return decodeMessage(encodeMessage({ type: 'response', answers: [record] })).answers[0]!;
}

const name = 'a.example';
const RECORDS: [record: MessageRecord, data: string][] = [
  [{ type: 'A', name, data: '192.0.2.1' }, '192.0.2.1'],
  [{ type: 'AAAA', name, data: '2001:db8::1' }, '2001:db8::1'],
  [{ type: 'CNAME', name, data: 'b.example' }, 'b.example.'],
  [{ type: 'NS', name, data: '.' }, '.'],
  [{ type: 'PTR', name, data: 'b.example' }, 'b.example.'],
  [{ type: 'MX', name, data: { preference: 10, exchange: 'mx.example' } }, '10 mx.example.'],
  [{ type: 'SRV', name, data: { priority: 0, weight: 100, port: 80, target: 'b.example' } }, '0 100 80 b.example.'],
  [
    {
      type: 'SOA',
      name,
      data: { mname: 'ns.example', rname: 'host.example', serial: 1, refresh: 2, retry: 3, expire: 4, minimum: 5 },
    },
    'ns.example. host.example. 1 2 3 4 5',
  ],
  [
    { type: 'TXT', name, data: ['plain', 'with "quotes" and \\', Buffer.from([0, 27, 255])] },
    '"plain" "with \\"quotes\\" and \\\\" "\\000\\027\\255"',
  ],
  [{ type: 'HINFO', name, data: { cpu: 'RFC8482', os: '' } }, '"RFC8482" ""'],
  [{ type: 'CAA', name, data: { flags: 128, tag: 'issue', value: 'ca.example' } }, '128 issue "ca.example"'],
  [
    {
      type: 'NAPTR',
      name,
      data: { order: 1, preference: 2, flags: 'S', services: 'SIP', regexp: '', replacement: 'b.example' },
    },
    '1 2 "S" "SIP" "" b.example.',
  ],
  [
    { type: 'DS', name, data: { keyTag: 1, algorithm: 13, digestType: 2, digest: Buffer.from('0aff', 'hex') } },
    '1 13 2 0AFF',
  ],
  [{ type: 'DNSKEY', name, data: { flags: 257, algorithm: 13, key: Buffer.from('key') } }, '257 3 13 a2V5'],
  [{ type: 'NSEC', name, data: { nextDomain: 'b.example', rrtypes: ['A', 'NSEC'] } }, 'b.example. A NSEC'],
  [{ type: 'HTTPS', name, data: Buffer.from('000100', 'hex') }, '\\# 3 000100'],
  [{ type: 'TYPE1234', name, data: new Uint8Array(0) }, '\\# 0'],
];

for (const [record, data] of RECORDS) {
  test(`a ${record.type} record reads as in a zone file`, () => {
    assert.equal(recordDataText(received(record)), data);
  });
}

test('the times of an RRSIG are dates', () => {
  const data = {
    typeCovered: 'A',
    algorithm: 13,
    labels: 2,
    originalTTL: 300,
    expiration: 1_767_225_600,
    inception: 1_735_689_600,
    keyTag: 7,
    signersName: 'example',
    signature: Buffer.from('sig'),
  };
  assert.equal(
    recordDataText(received({ type: 'RRSIG', name, data })),
    'A 13 2 300 20260101000000 20250101000000 7 example. c2ln',
  );
});

test('a line has name, TTL, class, type and data', () => {
  assert.equal(
    recordText({ type: 'A', name, ttl: 30, class: 'IN', data: '192.0.2.1' }),
    'a.example.\t30\tIN\tA\t192.0.2.1',
  );
});

test('what could move a terminal’s cursor is escaped', () => {
  assert.equal(nameText('a\u001b[2J.example'), 'a\\027[2J.example.');
  assert.equal(nameText('.'), '.');
});
