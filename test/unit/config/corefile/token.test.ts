import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tokenize } from '../../../../src/config/corefile/token.ts';

const words = (text: string): string[] => tokenize(text, 'Corefile').map((token) => token.text);
const places = (text: string): string[] => tokenize(text, 'Corefile').map(({ line, text: word }) => `${line} ${word}`);

test('white space parts words, and each knows its line', () => {
  assert.deepEqual(places('. {\n\tforward  . 1.1.1.1\n}\n'), ['1 .', '1 {', '2 forward', '2 .', '2 1.1.1.1', '3 }']);
});

test('quotes hold white space, line breaks and nothing at all; only a quote is escaped in them', () => {
  assert.deepEqual(words('"a b" "" "x\\"y" "c:\\d"'), ['a b', '', 'x"y', 'c:\\d']);
  assert.deepEqual(places('"a\nb" c\nd'), ['1 a\nb', '2 c', '3 d']);
});

test('a quote inside a word is a letter, and a word may begin right behind a quoted one', () => {
  assert.deepEqual(words('a"b "c"d'), ['a"b', 'c', 'd']);
});

test('a quote that is never closed ends with the text', () => {
  assert.deepEqual(words('a "b c'), ['a', 'b c']);
  assert.deepEqual(words('a "'), ['a']);
  assert.deepEqual(words('a "b\\'), ['a', 'b']);
});

test('a comment goes to the end of its line', () => {
  assert.deepEqual(words('a # b "c" {\nd #e\nf'), ['a', 'd', 'f']);
});

test('a # inside a word hides what follows up to the next white space, as CoreDNS has it', () => {
  assert.deepEqual(words('a#b c\nd'), ['a', 'c', 'd']);
});

test('a byte order mark and carriage returns are not seen', () => {
  assert.deepEqual(places('\ufeffa\r\nb\rc'), ['1 a', '2 bc']);
});

test('white space of other alphabets parts words as well', () => {
  assert.deepEqual(words('a\u00a0b\u0085c\u3000d'), ['a', 'b', 'c', 'd']);
});
