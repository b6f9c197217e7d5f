import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseZoneName } from '../../../src/config/zone-name.ts';

test('a zone comes out in lower case with its trailing dot', () => {
  assert.deepEqual(
    ['Cluster.Local', 'cluster.local.', '.', 'local', '_tcp.example', '10.in-addr.arpa'].map(parseZoneName),
    ['cluster.local.', 'cluster.local.', '.', 'local.', '_tcp.example.', '10.in-addr.arpa.'],
  );
});

test('the longest label and the longest name are names still', () => {
  const label = 'a'.repeat(63);
  assert.equal(parseZoneName(label), `${label}.`);
  assert.equal(parseZoneName(`${label}.${label}.${label}.${'a'.repeat(61)}`).length, 254);
});

for (const text of [
  '',
  '..',
  'a..b',
  '.a',
  'a b',
  'a=b',
  'a/b',
  'a\\046b',
  '*.example',
  'a'.repeat(64),
  `${'a.'.repeat(126)}ab`,
]) {
  test(`"${text.slice(0, 20)}" is refused`, () => {
    assert.throws(() => parseZoneName(text), /expected a domain name such as corp\.example/);
  });
}

test('a name in another script is asked for in its ASCII form', () => {
  assert.throws(() => parseZoneName('bücher.example'), /ASCII form/);
});
