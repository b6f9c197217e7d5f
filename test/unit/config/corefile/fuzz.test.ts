import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { read } from './read.ts';
import { FILES, SHAPES } from './shapes.ts';

/** What a Corefile is made of, and what it is not. */
const WORDS = [
  ...[
    '{',
    '}',
    '{',
    '}',
    '\n',
    '\n',
    '\n',
    ' ',
    '"',
    '\\',
    '#',
    ',',
    '\r',
    '\ufeff',
    '\u0000',
    '%',
    '[',
    ']',
    ':',
    '{$UP}',
    '{%UP%}',
    '{$LOOP}',
  ],
  ...[
    '.',
    '.:53',
    'cluster.local',
    'tls://.',
    '10.0.0.0/22',
    'fd00::/57',
    '(a)',
    '(b)',
    '(a) {\n import b\n}\n',
    'import',
    'import a',
    'import b',
    'import *.conf',
    'import self.conf',
  ],
  ...[
    'forward',
    'forward . 192.0.2.1',
    'forward . /etc/resolv.conf',
    'except',
    'force_tcp',
    'policy',
    'tls',
    'read_timeout',
    'next',
    'health_check',
    '192.0.2.1',
    'tls://192.0.2.1%a.b',
    '[::1]:53',
    '__PILLAR__CLUSTER__DNS__',
    '__PILLAR__UPSTREAM__SERVERS__',
    '__PILLAR__LOCAL__DNS__',
  ],
  ...[
    'cache',
    'cache 30',
    'success',
    'denial',
    'disable',
    'serve_stale',
    'prefetch',
    '9984',
    '30',
    '-1',
    '1e9',
    '99999999999999999999',
    '5s',
    '1h30m',
    '-5s',
    '0',
    '10%',
  ],
  ...[
    'hosts',
    'hosts /etc/hosts a',
    'template',
    'IN',
    'AAAA',
    'ANY',
    'match',
    'rcode',
    'NXDOMAIN',
    'rewrite',
    'name',
    'exact',
    'kubernetes',
    'fallthrough',
    'bind',
    'log',
    'class',
    'health',
    ':8080',
    'ready',
    'prometheus',
    'root',
    '/x',
    'errors',
    'loop',
    'constructor',
    '__proto__',
    'toString',
  ],
];

const files = {
  ...FILES,
  'a.conf': 'import *.conf\n',
  'b.conf': 'log {\n',
  'self.conf': 'import self.conf\nlog\n',
};
const env = { UP: '192.0.2.1', LOOP: '{$LOOP}' };

/** It returns: whatever else happens to be thrown fails the test, and so does what never ends. */
function survives(corefile: string): void {
  const { errors } = read(corefile, { files, env });
  for (const error of errors) assert.match(error, /: Cannot /);
}

test('whatever words stand in a Corefile, it is read, or refused with a place', () => {
  const words = fc.array(fc.constantFrom(...WORDS), { maxLength: 60 });
  fc.assert(
    fc.property(words, (parts) => survives(parts.join(' '))),
    { numRuns: 500 },
  );
});

test('whatever bytes stand in a Corefile, it is read, or refused with a place', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => survives(text)),
    { numRuns: 500 },
  );
});

test('a Corefile with anything cut out, doubled or put in is read, or refused with a place', () => {
  const shape = fc.constantFrom(...Object.values(SHAPES));
  const edit = fc.record({ at: fc.nat(2000), length: fc.nat(60), text: fc.constantFrom('', ...WORDS) });
  const edited = fc
    .tuple(shape, fc.array(edit, { minLength: 1, maxLength: 4 }))
    .map(([text, edits]) =>
      edits.reduce((before, { at, length, text: put }) => before.slice(0, at) + put + before.slice(at + length), text),
    );
  fc.assert(
    fc.property(edited, (text) => survives(text)),
    { numRuns: 300 },
  );
});
