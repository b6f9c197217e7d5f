import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as constants from '../../../src/wire/constants.ts';
import { rcodeToText, typeFromText, typeToText } from '../../../src/wire/type-names.ts';

test('every type has a text, and every text leads back', () => {
  for (let type = 0; type <= 0xffff; type++) {
    assert.equal(typeFromText(typeToText(type)), type);
    assert.equal(typeFromText(`type${type}`), type);
  }
});

test('the numbers have the mnemonics that they are named after', () => {
  for (const [name, value] of Object.entries(constants)) {
    if (name.startsWith('TYPE_')) assert.equal(typeToText(value), name.slice('TYPE_'.length));
    if (name.startsWith('RCODE_') && name !== 'RCODE_MASK')
      assert.equal(rcodeToText(value), name.slice('RCODE_'.length));
  }
});

test('what is no type is -1', () => {
  for (const text of ['', 'B', 'TYPE', 'TYPE65536', 'TYPE-1', 'TYPE1x', 'UNKNOWN'])
    assert.equal(typeFromText(text), -1, text);
  assert.equal(typeFromText('aaaa'), constants.TYPE_AAAA);
});

test('an RCODE without a mnemonic has its number', () => {
  assert.equal(rcodeToText(15), 'RCODE15');
  assert.equal(rcodeToText(4095), 'RCODE4095');
});
