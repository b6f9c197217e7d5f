import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatByteSize, parseByteSize } from '../../../src/config/byte-size.ts';

const MIB = 1024 * 1024;

test('sizes are read in binary and decimal units, as Kubernetes writes them, and as bytes', () => {
  const read = (text: string): number => parseByteSize(text, 1, 4096 * MIB);
  assert.deepEqual(['32MiB', '32Mi', '1GiB', '64KiB', '2MB', '1.5MiB', '4096', '10B'].map(read), [
    32 * MIB,
    32 * MIB,
    1024 * MIB,
    65_536,
    2_000_000,
    1.5 * MIB,
    4096,
    10,
  ]);
});

for (const text of [
  '',
  'MiB',
  '32mib',
  '-1MiB',
  '32 MiB',
  '0',
  '32TiB',
  '2GiB',
  '1023KiB',
  'NaN',
  '1e9',
  '0x10',
  '99999999999999999999GiB',
]) {
  test(`"${text}" is refused and the allowed range named`, () => {
    assert.throws(() => parseByteSize(text, MIB, 1024 * MIB), {
      message: 'expected a size from 1MiB to 1GiB, such as 32MiB',
    });
  });
}

test('what is printed can be read again', () => {
  for (const bytes of [1, 1500, 65_536, 32 * MIB, 1024 * MIB])
    assert.equal(parseByteSize(formatByteSize(bytes), 0, 1024 * MIB), bytes);
  assert.equal(formatByteSize(32 * MIB), '32MiB');
});
