import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isRefusal } from '../../../src/upstream/refusal.ts';
import { encodeMessage } from '../../../src/wire/codec.ts';

const AA = 0x0400;
const RA = 0x0080;
const QUESTION = { name: 'www.shop.test', type: 'A', class: 'IN' } as const;
const A = { name: 'www.shop.test', type: 'A', ttl: 30, class: 'IN', data: '192.0.2.1' } as const;
const NS = { name: 'test', type: 'NS', ttl: 30, class: 'IN', data: 'ns.test' } as const;
const SOA_DATA = { mname: 'ns.test', rname: 'h.test', serial: 1, refresh: 1, retry: 1, expire: 1, minimum: 1 };
const SOA = { name: 'test', type: 'SOA', ttl: 30, class: 'IN', data: SOA_DATA } as const;

function reply(flags: number, sections: object = {}): Uint8Array {
  const message = { type: 'response', id: 7, flags: flags & ~15, questions: [QUESTION], ...sections };
  const bytes = encodeMessage(message as Parameters<typeof encodeMessage>[0]);
  bytes[3] = (bytes[3]! & 0xf0) | (flags & 15);
  return bytes;
}

const refuses = (bytes: Uint8Array): boolean => isRefusal(bytes, 0, bytes.length);

test('SERVFAIL, NOTIMP and REFUSED say "not me"; NXDOMAIN, FORMERR and answers do not', () => {
  const found = [0, 1, 2, 3, 4, 5, 9].filter((rcode) => refuses(reply(rcode | RA)));
  assert.deepEqual(found, [2, 4, 5]);
});

test('a referral of a server that neither recurses nor knows the zone is lame, upward, sideways or down', () => {
  for (const name of ['.', 'test', 'other.test', 'www.shop.test']) {
    assert.equal(refuses(reply(0, { authorities: [{ ...NS, name }] })), true, name);
  }
  assert.equal(refuses(reply(0, { authorities: [NS, NS], additionals: [A] })), true);
});

test('what a server that recurses, or one with authority, says is an answer', () => {
  assert.equal(refuses(reply(RA, { authorities: [NS] })), false);
  assert.equal(refuses(reply(AA, { authorities: [NS] })), false);
});

test('answers, with or without name servers beside them, and NODATA are answers', () => {
  assert.equal(refuses(reply(0, { answers: [A], authorities: [NS] })), false);
  assert.equal(refuses(reply(0, { authorities: [SOA] })), false);
  assert.equal(refuses(reply(0, { authorities: [NS, SOA] })), false);
  assert.equal(refuses(reply(0)), false);
});

test('a referral that is cut anywhere never makes it read past the end', () => {
  const whole = reply(0, { authorities: [NS, NS] });
  for (let end = 12; end <= whole.length; end++) {
    const cut = new Uint8Array(whole.subarray(0, end));
    assert.equal(typeof isRefusal(cut, 0, end), 'boolean');
  }
});
