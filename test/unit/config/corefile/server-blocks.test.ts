import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseServerBlocks } from '../../../../src/config/corefile/server-blocks.ts';
import { COREFILE_IMPORTS, COREFILE_TOKENS } from '../../../../src/core/limits.ts';

interface Sources {
  readonly env?: Record<string, string>;
  readonly files?: Record<string, string>;
  readonly empty?: string[];
}

function blocks(text: string, { env = {}, files = {}, empty = [] }: Sources = {}) {
  const parsed = parseServerBlocks(text, 'dir/Corefile', {
    env,
    readFile: (path) => files[path] ?? assert.fail(`ENOENT ${path}`),
    listFolder: (path) =>
      Object.keys(files)
        .filter((name) => name.startsWith(`${path}/`))
        .map((name) => name.slice(path.length + 1)),
    onEmptyImport: (_at, pattern) => void empty.push(pattern),
  });
  return parsed.map(({ keys, directives }) => [
    keys.map((key) => key.text).join(' '),
    ...[...directives.values()].map((tokens) => tokens.map((token) => token.text).join(' ')),
  ]);
}

test('zones stand on one line, or go on behind a comma', () => {
  assert.deepEqual(blocks('a b, c {\n}\nd,\ne\n{\n}'), [['a b c'], ['d e']]);
});

test('a file with one block needs no braces', () => {
  assert.deepEqual(blocks('.:53\nlog\nerrors'), [['.:53', 'log', 'errors']]);
});

test('directives of one name are one behind the other, blocks and all', () => {
  assert.deepEqual(blocks('. {\n log a\n forward . b {\n  c {\n   d\n  }\n }\n log e\n}'), [
    ['.', 'log a log e', 'forward . b { c { d } }'],
  ]);
});

test('a snippet takes the place of its import, also inside a directive', () => {
  const text = '(s) {\n log\n}\n(o) {\n force_tcp\n}\n. {\n import s\n forward . a {\n  import o\n }\n}';
  assert.deepEqual(blocks(text), [['.', 'log', 'forward . a { force_tcp }']]);
});

test('a snippet may import another, and hold what only means something where it is imported', () => {
  const text = '(s) {\n import t\n}\n(t) {\n forward . {$UP}\n}\n. {\n import s\n}';
  assert.deepEqual(blocks(text, { env: { UP: '192.0.2.1' } }), [['.', 'forward . 192.0.2.1']]);
});

test('a file is looked for beside the file that imports it', () => {
  const files = { 'dir/part/a.conf': 'import b.conf\n', 'dir/part/b.conf': 'log\n' };
  assert.deepEqual(blocks('. {\n import part/a.conf\n}', { files }), [['.', 'log']]);
});

test('a pattern imports all files that it finds, in the order of their names, and may find none', () => {
  const files = { 'dir/x/2.conf': 'errors', 'dir/x/1.conf': 'log', 'dir/x/y.other': 'loop' };
  const empty: string[] = [];
  assert.deepEqual(blocks('. {\n import x/*.conf\n import x/*.none\n import x/?.other\n}', { files, empty }), [
    ['.', 'log', 'errors', 'loop'],
  ]);
  assert.deepEqual(empty, ['dir/x/*.none']);
});

test('whole server blocks may be imported', () => {
  assert.deepEqual(blocks('import a.server\nb {\n}', { files: { 'dir/a.server': 'a {\n log\n}\n' } }), [
    ['a', 'log'],
    ['b'],
  ]);
});

test('variables are replaced in zones and arguments, in both notations, and may name each other', () => {
  const env = { Z: 'a.example', A: '{$C}', C: 'd' };
  assert.deepEqual(blocks('{$Z} {\n log x{%A%}y {$NONE} {$}\n}', { env }), [['a.example', 'log xdy  {$}']]);
});

for (const [what, text, place, reason] of [
  ['a block that does not end', '. {\n log', 'dir/Corefile:2', /expected }/],
  ['a directive whose block does not end', '. {\n log {\n  a', 'dir/Corefile:3', /block of log/],
  ['a } too many', '. {\n log }\n}', 'dir/Corefile:2', /} without a {/],
  ['a comma with nothing behind it', 'a,', 'dir/Corefile:1', /another zone/],
  ['a snippet without braces', '(a)\nlog', 'dir/Corefile:2', /expected { after the snippet \(a\)/],
  ['a snippet of a name that is taken', '(a) {\n}\n(a) {\n}', 'dir/Corefile:4', /a snippet \(a\) already/],
  ['an import of nothing', '. {\n import\n}', 'dir/Corefile:2', /after import/],
  ['an import of two things', '. {\n import a b\n}', 'dir/Corefile:2', /one argument/],
  [
    'an import of a file that is not there',
    '. {\n import gone\n}',
    'dir/Corefile:2',
    /dir\/gone: ENOENT.*expected a snippet/,
  ],
  ['a pattern with too many wildcards', '. {\n import *.*\n}', 'dir/Corefile:2', /at most one \*/],
  ['a pattern with a range', '. {\n import a[12]\n}', 'dir/Corefile:2', /no \[ \]/],
] as const) {
  test(`${what} is refused, with its place`, () => {
    assert.throws(() => blocks(text), { place, message: reason });
  });
}

test('imports without end are refused: of snippets, of files, and of both', () => {
  const before = COREFILE_IMPORTS.hits;
  const snippets = '(a) {\n import b\n}\n(b) {\n import a\n}\n. {\n import a\n}';
  assert.throws(() => blocks(snippets), { message: /more than 1024 imports/ });
  assert.throws(() => blocks('import Corefile', { files: { 'dir/Corefile': 'import Corefile' } }), {
    message: /imports/,
  });
  assert.equal(COREFILE_IMPORTS.hits, before + 2);
});

test('snippets that double each other are refused before they fill the memory', () => {
  const before = COREFILE_TOKENS.hits;
  const words = 'log a b c d e f g h i j k l m n o p q r s t u v w x y z\n'.repeat(200);
  const doubling = Array.from(
    { length: 9 },
    (_, index) => `(s${index + 1}) {\n import s${index}\n import s${index}\n}\n`,
  );
  assert.throws(() => blocks(`(s0) {\n${words}}\n${doubling.join('')}. {\n import s9\n}`), {
    message: /more than 131072 words/,
  });
  assert.equal(COREFILE_TOKENS.hits, before + 1);
});

test('variables that name themselves are refused', () => {
  assert.throws(() => blocks('{$A} {\n}', { env: { A: '{$A}' } }), { place: 'dir/Corefile:1', message: /without end/ });
  assert.throws(() => blocks('{$A} {\n}', { env: { A: '{$B}{$B}', B: '{$A}{$A}' } }), { message: /without end/ });
});
