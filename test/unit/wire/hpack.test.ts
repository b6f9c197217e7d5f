import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ResponseHead } from '../../../src/wire/hpack.ts';
import { postHead, writeContentLength } from '../../../src/wire/hpack-request.ts';
import { decodeHuffman } from '../../../src/wire/huffman.ts';

const hex = (digits: string): Uint8Array => Uint8Array.from(Buffer.from(digits.replaceAll(' ', ''), 'hex'));

function read(digits: string): ResponseHead | undefined {
  const bytes = hex(digits);
  const head = new ResponseHead();
  return head.read(bytes, 0, bytes.length) ? head : undefined;
}

function decoded(digits: string): string | undefined {
  const bytes = hex(digits);
  const target = new Uint8Array(64);
  const length = decodeHuffman(bytes, 0, bytes.length, target);
  return length < 0 ? undefined : Buffer.from(target.subarray(0, length)).toString('latin1');
}

const CODED: [digits: string, text: string][] = [
  ['f1e3c2e5f23a6ba0ab90f4ff', 'www.example.com'],
  ['a8eb10649cbf', 'no-cache'],
  ['25a849e95ba97d7f', 'custom-key'],
  ['6402', '302'],
  ['d07abe941054d444a8200595040b8166e082a62d1bff', 'Mon, 21 Oct 2013 20:13:21 GMT'],
];

for (const [digits, text] of CODED) {
  test(`the Huffman code of "${text}" is read as in RFC 7541, appendix C`, () => {
    assert.equal(decoded(digits), text);
  });
}

test('a Huffman code that ends in other bits than ones, in a whole octet of them, or with the end mark is refused', () => {
  for (const digits of ['64', '6402ff', 'ffffffff', 'fffffffffc']) {
    assert.equal(decoded(digits), undefined);
  }
});

test('status, content type and the time to wait are read, however they are written', () => {
  const typed = Buffer.from('application/dns-message');
  const plain = read(`88 5f ${Buffer.of(typed.length).toString('hex')} ${typed.toString('hex')}`);
  assert.equal(plain?.status, 200);
  assert.equal(plain?.contentType, 'application/dns-message');
  const named = Buffer.from('retry-after');
  // 503 as a literal behind the index of :status, then a field by its name in full.
  const busy = read(`48 03 353033 00 0b ${named.toString('hex')} 02 3330`);
  assert.equal(busy?.status, 503);
  assert.equal(busy?.retryAfter, '30');
  assert.equal(read('48 82 6402')?.status, 302);
});

test('a field that no head has named is refused, and so is a table that is larger than agreed', () => {
  assert.equal(read('88 be'), undefined);
  assert.equal(read('80'), undefined);
  assert.equal(read('3f e2 1f 88'), undefined);
  assert.equal(read('3f e1 1f 88')?.status, 200);
  assert.equal(read('20 88')?.status, 200);
});

/** RFC 7541, appendix C.6: responses of one connection, whose table has room for 256 octets. */
const RESPONSES: [status: number, digits: string][] = [
  [
    302,
    '3fe101 4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3',
  ],
  [307, '4883 640e ffc1 c0bf'],
  [
    200,
    '88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07',
  ],
];

test('heads that build on those before them are read as in RFC 7541, appendix C', () => {
  const readNext = (head: ResponseHead, digits: string) => head.read(hex(digits), 0, hex(digits).length);
  const afterAll = (): ResponseHead => {
    const head = new ResponseHead();
    for (const [status, digits] of RESPONSES) {
      assert.equal(readNext(head, digits), true);
      assert.equal(head.status, status);
    }
    return head;
  };
  // Three are left; the older ones had to make room.
  assert.equal(readNext(afterAll(), 'be bf c0'), true);
  assert.equal(readNext(afterAll(), 'c1'), false);
  assert.equal(readNext(afterAll(), '20 be'), false);
});

test('an entry that is larger than the table empties it', () => {
  const head = new ResponseHead();
  const read = (...parts: Uint8Array[]) => head.read(Buffer.concat(parts), 0, Buffer.concat(parts).length);
  assert.equal(read(hex('40 01 61 01 62'), hex('be')), true);
  // A value of 5,000 octets.
  assert.equal(read(hex('40 01 61 7f 89 26'), new Uint8Array(5000)), true);
  assert.equal(read(hex('be')), false);
});

test('how large the table is may be told at the beginning only', () => {
  assert.equal(read('20 3f e1 1f 88')?.status, 200);
  assert.equal(read('88 20'), undefined);
});

test('a head of any bytes is read or refused, and never past its end', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const isRead = new ResponseHead().read(bytes, 0, bytes.length);
      assert.equal(typeof isRead, 'boolean');
    }),
    { numRuns: 2000 },
  );
});

test('the head of a question is read back by the rules of HPACK', () => {
  const start = postHead('dns.example', '/dns-query', 'application/dns-message');
  const bytes = new Uint8Array(start.length + 8);
  bytes.set(start);
  for (const length of [7, 17, 128, 1024, 65_535]) {
    const end = writeContentLength(bytes, start.length, length);
    assert.deepEqual(Buffer.from(bytes.subarray(start.length + 3, end)).toString(), `${length}`);
    assert.ok(new ResponseHead().read(bytes, 0, end));
  }
});
