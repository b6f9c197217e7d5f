import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CONFIG_BYTES, CONFIG_VALUES } from '../../../src/core/limits.ts';
import { complaintsAbout, configFromYaml, readerComplaints } from './from-yaml.ts';

/** Texts of which nothing can be made, and what is said of each. */
const UNREADABLE: [what: string, text: string, complaint: RegExp][] = [
  ['nothing at all', '', /^signpost\.yaml:1: Cannot read YAML: there is nothing in it; expected keys, or \{\}$/],
  ['comments alone', '# clusterDns: 10.0.0.1\n', /there is nothing in it/],
  ['a list', '- a\n- b\n', /:1: Cannot use this as a configuration: expected a map of keys, such as/],
  ['a word', 'hello\n', /:1: Cannot use this as a configuration: expected a map of keys, such as/],
  ['a tab that indents', 'zones:\n\tcorp.example:\n', /:2: Cannot read YAML: .*[Tt]ab/],
  ['a bracket that is left open', 'policy: fastest\nlisten: [a\n', /Cannot read YAML: .*\]/],
  ['two documents', 'policy: fastest\n---\npolicy: random\n', /:2: Cannot read YAML: .*multiple documents/],
  [
    'UTF-16',
    Buffer.from('\ufeffpolicy: fastest\n', 'utf16le').toString('utf8'),
    /:1: Cannot read YAML: this is no UTF-8 text/,
  ],
  ['Latin-1', Buffer.from('# a\n# für\n', 'latin1').toString('utf8'), /:2: Cannot read YAML: this is no UTF-8 text/],
  ['an anchor that is not there', 'zones: *gone\n', /:1: Cannot .*gone/],
  ['an alias within itself', 'zones: &z\n  a.example: *z\n', /:2: Cannot read YAML: it is nested too deep/],
  ['a map as a key', '? {a: b}\n: c\n', /:1: Cannot read YAML: /],
  [
    'the same key twice',
    'policy: random\npolicy: fastest\n',
    /^signpost\.yaml:2: Cannot set policy twice: it is set already; give it once$/,
  ],
];

for (const [what, text, complaint] of UNREADABLE) {
  test(`a file that is ${what} is a clear error`, () => {
    assert.match(readerComplaints(text)[0] ?? 'no complaint', complaint);
  });
}

test('a file that begins with a byte order mark is read', () => {
  assert.equal(configFromYaml('\ufeffpolicy: fastest\n').zones[0]!.policy, 'fastest');
});

test('aliases stand for what they name, and << merges it', () => {
  const { zones } = configFromYaml(
    [
      'zones:',
      '  a.example: &base {upstreams: 10.0.0.1, cache: &short {maxTtl: 5s, stale: off}}',
      '  b.example: {cache: *short}',
      '  c.example: {cache: {<<: *short, maxTtl: 9s}}',
      '  d.example: {<<: [*base, {policy: fastest}]}',
    ].join('\n'),
  );
  const values = zones.slice(3, 7).map(({ cache, policy }) => [cache.positiveMaxSeconds, cache.staleSeconds, policy]);
  assert.deepEqual(values, [
    [5, 0, 'random'],
    [5, 0, 'random'],
    [9, 0, 'random'],
    [5, 0, 'fastest'],
  ]);
});

test('an error in a part that is used twice names its line, and both keys', () => {
  assert.deepEqual(
    complaintsAbout('zones:\n  a.example:\n    cache: &c\n      maxTtl: 5y\n  b.example: {cache: *c}\n').map((line) =>
      line.slice(0, 60),
    ),
    [
      'signpost.yaml:4: Cannot set zones."a.example".cache.maxTtl t',
      'signpost.yaml:4: Cannot set zones."b.example".cache.maxTtl t',
    ],
  );
});

test('a merge of something else than a map is refused', () => {
  assert.match(readerComplaints('a: &a [1]\n<<: *a\n')[0]!, /Cannot merge with <<: expected aliases of maps/);
});

test('a few lines that stand for millions of values are refused, and counted', () => {
  const levels = 'bcdefgh'.split('').map((name, index) => `${name}: &${name} [${`*${'abcdefg'[index]},`.repeat(10)}]`);
  const before = CONFIG_VALUES.hits;
  assert.match(
    readerComplaints(`a: &a [x,x,x,x,x,x,x,x,x,x]\n${levels.join('\n')}\n`)[0]!,
    /with its aliases it has more than/,
  );
  assert.equal(CONFIG_VALUES.hits, before + 1);
});

test('a file that is longer than any that is meant is refused, and counted', () => {
  const before = CONFIG_BYTES.hits;
  assert.match(readerComplaints('#'.repeat(CONFIG_BYTES.value + 1))[0]!, /Cannot read YAML: it has 2097153 characters/);
  assert.equal(CONFIG_BYTES.hits, before + 1);
});

test('nesting without end is refused', () => {
  assert.match(readerComplaints('['.repeat(20_000))[0]!, /Cannot read YAML: it is nested too deep/);
});

const GOOD = [
  'clusterDns: [10.0.0.1]\nzones:\n  a.example: &a\n    upstreams: [10.0.0.2, tls://10.0.0.3]\n    cache: {maxTtl: 5s, stale: off}\n',
  '  b.example:\n    <<: *a\n    hosts: {x.b.example: 10.0.0.1}\n    refuse: [y.b.example]\n    aaaa: "off"\n',
].join('');

test('no bytes make the reader do anything but complain', () => {
  const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array).toString('utf8'));
  const words = fc.constantFrom(
    'zones:',
    ' ',
    '\n',
    '\n  ',
    '- ',
    '{',
    '}',
    '[',
    ']',
    '*a',
    '&a ',
    '<<: ',
    'cache: ',
    '? ',
    '!!map ',
    '"',
    '|\n',
    'null',
    '.',
    'a.example:',
    '%YAML 1.1\n',
    '---',
    '#',
    '\t',
    'upstreams: ',
    'hosts: ',
  );
  const soup = fc.array(words, { maxLength: 40 }).map((parts) => parts.join(''));
  const cut = fc
    .tuple(fc.nat(GOOD.length), fc.nat(20), soup)
    .map(([at, length, put]) => GOOD.slice(0, at) + put + GOOD.slice(at + length));
  fc.assert(
    fc.property(fc.oneof(bytes, soup, cut), (text) => {
      complaintsAbout(text);
    }),
    { numRuns: 2000 },
  );
});
