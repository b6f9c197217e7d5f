import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeMessage } from '../../../src/wire/codec.ts';
import {
  equalFolded,
  expandedLength,
  expandName,
  nameFromText,
  nameToText,
  skipName,
  skipPlainName,
} from '../../../src/wire/name.ts';
import { arbitraryName } from '../../wire/arbitrary-message.ts';
import { embed, type Labels, writeMessage } from '../../wire/message-writer.ts';

/** A header of nothing, then `octets`: names start at 12. */
const after12 = (...octets: number[]): Uint8Array => Uint8Array.from([...new Array(12).fill(0), ...octets]);
const label = (length: number, letter = 97): number[] => [length, ...new Array(length).fill(letter)];

function expand(message: Uint8Array, offset: number): string | undefined {
  const { bytes, start, end } = embed(message);
  const target = new Uint8Array(300).fill(0xee);
  const length = expandName(bytes, start, start + offset, end, target, 7);
  assert.equal(expandedLength(bytes, start, start + offset, end), length, 'both walks agree');
  if (length < 0) return undefined;
  assert.equal(target[7 + length], 0xee, 'nothing is written behind the name');
  return nameToText(target, 7);
}

function message(names: Labels[]): Uint8Array {
  const questions = names.map((name) => ({ name, type: 1, class: 1 }));
  return writeMessage({ id: 0, flags: 0, questions, answers: [], authorities: [], additionals: [] });
}

test('a compressed name expands to what dns-packet reads', () => {
  fc.assert(
    fc.property(fc.array(arbitraryName, { minLength: 1, maxLength: 12 }), (names) => {
      const written = message(names);
      let offset = 12;
      for (const { name } of decodeMessage(written).questions) {
        assert.equal(expand(written, offset), name === '.' ? '.' : `${name}.`);
        offset = skipName(written, offset, written.length) + 4;
      }
      assert.equal(offset, written.length, 'each name is skipped to its end');
    }),
  );
});

test('a pointer that does not lead strictly backwards is malformed', () => {
  assert.equal(expand(after12(0xc0, 12), 12), undefined, 'to itself');
  assert.equal(expand(after12(...label(1), 0xc0, 12), 12), undefined, 'to the labels that it ends');
  assert.equal(expand(after12(...label(1), 0xc0, 14), 12), undefined, 'to itself, behind a label');
  assert.equal(expand(after12(0xc0, 14, 0), 12), undefined, 'forward');
  assert.equal(expand(after12(0xc0, 15, 0, 0xc0, 12), 15), undefined, 'forward, at the second jump');
  assert.equal(expand(after12(0, 0xc0, 11), 13), undefined, 'into the header');
  assert.equal(expand(after12(0, 0xc0), 13), undefined, 'cut in two');
  assert.equal(
    expandName(after12(0, 0xc0, 12), 0, 13, 14, new Uint8Array(255), 0),
    -1,
    'its second octet not in the message',
  );
  assert.equal(expand(after12(0, 0xc0, 12), 13), '.');
});

test('a name takes 128 jumps and no more', () => {
  const chain = (jumps: number): Uint8Array => {
    const octets = [0];
    for (let i = 0; i < jumps; i++)
      octets.push(0xc0 | ((12 + Math.max(0, 2 * i - 1)) >> 8), (12 + Math.max(0, 2 * i - 1)) & 0xff);
    return after12(...octets);
  };
  assert.equal(expand(chain(128), 12 + 2 * 127 + 1), '.');
  assert.equal(expand(chain(129), 12 + 2 * 128 + 1), undefined);
});

test('a name has at most 255 octets and a label 63', () => {
  const longest = [...label(63), ...label(63), ...label(63), ...label(61), 0];
  assert.equal(longest.length, 255);
  assert.equal(expand(after12(...longest), 12)?.length, 254);
  assert.equal(skipName(after12(...longest), 12, 12 + 255), 12 + 255);
  assert.equal(skipPlainName(after12(...longest), 12, 12 + 255), 12 + 255);
  const tooLong = [...label(63), ...label(63), ...label(63), ...label(62), 0];
  assert.equal(expand(after12(...tooLong), 12), undefined);
  assert.equal(skipName(after12(...tooLong), 12, 12 + 256), -1);
  assert.equal(skipPlainName(after12(...tooLong), 12, 12 + 256), -1);
  const byPointer = after12(...tooLong.slice(64), ...label(63), 0xc0, 12);
  assert.equal(expand(byPointer, 12 + 192), undefined, 'the parts are within, the whole is not');
  assert.equal(skipName(byPointer, 12 + 192, byPointer.length), byPointer.length, 'and a pointer is not followed');
});

test('label types 0x40 and 0x80 are malformed', () => {
  for (const octet of [0x40, 0x7f, 0x80, 0xbf]) {
    assert.equal(expand(after12(octet, ...label(63), 0), 12), undefined);
    assert.equal(skipName(after12(octet, ...label(63), 0), 12, 80), -1);
    assert.equal(skipPlainName(after12(octet, ...label(63), 0), 12, 80), -1);
  }
});

test('a name that is cut short anywhere is malformed', () => {
  const whole = message([['web', 'default', 'svc', 'cluster', 'local']]);
  for (let end = 12; end < whole.length - 4; end++) {
    assert.equal(expandName(whole, 0, 12, end, new Uint8Array(255), 0), -1);
    assert.equal(skipName(whole, 12, end), -1);
    assert.equal(skipPlainName(whole, 12, end), -1);
  }
});

test('a plain name has no pointer', () => {
  assert.equal(skipPlainName(after12(0, ...label(3), 0xc0, 12), 13, 19), -1);
});

test('any octets in labels survive the way to text and back', () => {
  const labels = fc.array(fc.uint8Array({ minLength: 1, maxLength: 63 }), { maxLength: 8 });
  fc.assert(
    fc.property(labels, (parts) => {
      const wire = Uint8Array.from([...parts.flatMap((part) => [part.length, ...part]), 0]);
      fc.pre(wire.length <= 255);
      const text = nameToText(wire, 0);
      assert.match(text, /^[\x21-\x7e]+$/);
      assert.deepEqual(nameFromText(text), wire);
      if (text !== '.') assert.deepEqual(nameFromText(text.slice(0, -1)), wire, 'without the trailing dot');
    }),
  );
});

test('text has the escapes of RFC 1035', () => {
  assert.equal(nameToText(Uint8Array.of(5, 97, 0x2e, 0x5c, 0x20, 0xff, 0), 0), 'a\\.\\\\\\032\\255.');
  assert.deepEqual(nameFromText('a\\.b.c'), Uint8Array.of(3, 97, 0x2e, 98, 1, 99, 0));
  assert.deepEqual(nameFromText('\\097\\b'), Uint8Array.of(2, 97, 98, 0));
});

test('what is not a name in text is none', () => {
  for (const text of [
    '',
    '..',
    '.a',
    'a..b',
    'a..',
    'a b',
    'a\\',
    'a\\25',
    'a\\256',
    'a\\2x5',
    'é',
    'a'.repeat(64),
    'a\n',
  ]) {
    assert.equal(nameFromText(text), undefined, JSON.stringify(text));
  }
  const longest = `${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(61)}`;
  assert.equal(nameFromText(longest)?.length, 255);
  assert.equal(nameFromText(`${longest}.`)?.length, 255);
  assert.equal(nameFromText(`${longest}d`), undefined);
  assert.equal(nameFromText(`${longest.slice(0, -1)}.e`), undefined);
});

test('a name that ends without its root is written as far as it goes', () => {
  assert.equal(nameToText(Uint8Array.of(3, 97, 98), 0), 'ab.');
  assert.equal(nameToText(Uint8Array.of(1, 97, 0xc0, 0), 0), 'a.');
  assert.equal(nameToText(new Uint8Array(0), 0), '.');
});

test('names are equal whatever the case of A to Z, and of nothing else', () => {
  for (let x = 0; x < 256; x++) {
    for (let y = 0; y < 256; y++) {
      const folded = (octet: number): number => (octet >= 65 && octet <= 90 ? octet + 32 : octet);
      assert.equal(equalFolded(Uint8Array.of(9, x), 1, Uint8Array.of(y), 0, 1), folded(x) === folded(y), `${x} ${y}`);
    }
  }
  const a = nameFromText('Web.Default.SVC')!;
  const b = nameFromText('wEB.default.svc')!;
  assert.equal(equalFolded(a, 0, b, 0, a.length), true);
  assert.equal(equalFolded(a, 0, nameFromText('web.default.svd')!, 0, a.length), false);
});
