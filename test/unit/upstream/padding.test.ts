import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PADDING_MOST, pad } from '../../../src/upstream/padding.ts';
import { decodeMessage } from '../../../src/wire/codec.ts';
import { encodeQuestion } from '../../client/message.ts';

test('a padded query is a multiple of 128 octets long, and the same query', () => {
  for (let labels = 0; labels < 60; labels++) {
    for (const options of [new Uint8Array(0), Uint8Array.of(0, 11, 0, 0)]) {
      const name = `${'abc.'.repeat(labels)}example.test`;
      const query = encodeQuestion({ name, type: 'AAAA', udpSize: 1232, options });
      const target = new Uint8Array(7 + query.length + PADDING_MOST).fill(0xaa);
      target.set(query, 7);
      const end = pad(target, 7, 7 + query.length, 7 + query.length - options.length - 2);
      assert.equal((end - 7) % 128, 0);
      assert.ok(end <= target.length);
      const padded = decodeMessage(target.subarray(7, end));
      assert.deepEqual(padded.questions, decodeMessage(query).questions);
      const added = Buffer.from(target.subarray(7 + query.length, end));
      assert.deepEqual([added.readUInt16BE(0), added.readUInt16BE(2)], [12, added.length - 4]);
      assert.ok(added.subarray(4).every((octet) => octet === 0));
    }
  }
});
