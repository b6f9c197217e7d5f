import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Refusal } from '../../../src/config/refusal.ts';
import { parseLabel } from '../../../src/manifests/node-label.ts';

test('a label is read with and without a prefix', () => {
  assert.deepEqual(parseLabel('dns=signpost'), { key: 'dns', value: 'signpost' });
  assert.deepEqual(parseLabel('example.com/dns_1=a.b'), { key: 'example.com/dns_1', value: 'a.b' });
});

for (const text of [
  '',
  'dns',
  '=a',
  'dns=',
  'dns=-a',
  'a b=c',
  'Example.com/dns=a',
  '/dns=a',
  'dns=a=b',
  `d${'n'.repeat(63)}=a`,
]) {
  test(`${JSON.stringify(text)} is no label`, () => {
    assert.throws(() => parseLabel(text), Refusal);
  });
}
