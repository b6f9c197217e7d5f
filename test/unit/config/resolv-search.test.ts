import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseResolvSearch } from '../../../src/config/resolv-search.ts';

const FILES: readonly (readonly [what: string, text: string, suffixes: readonly string[]])[] = [
  ['no line', 'nameserver 192.0.2.1\n', []],
  [
    'suffixes in their order, without their dots',
    'search corp.example.  example\tlab.\n',
    ['corp.example', 'example', 'lab'],
  ],
  ['the last line alone', 'search a b\nnameserver 192.0.2.1\nsearch c\n', ['c']],
  ['an empty last line', 'search a b\nsearch\n', []],
  ['no domain', 'domain corp.example\n', []],
  ['the root as it is', 'search .\n', ['.']],
  ['lines of Windows', 'search a b\r\n', ['a', 'b']],
  ['blanks before the keyword', '  search a\n', ['a']],
  ['other words', 'searching a\n# search b\n', []],
];
for (const [what, text, suffixes] of FILES) {
  test(`kubelet takes ${what}`, () => assert.deepEqual(parseResolvSearch(text), suffixes));
}
