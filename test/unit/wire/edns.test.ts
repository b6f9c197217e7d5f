import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeMessage } from '../../../src/wire/codec.ts';
import { EDE_STALE_ANSWER, OPTION_COOKIE, OPTION_EDE, RCODE_BADVERS } from '../../../src/wire/constants.ts';
import { edeOption, findOption, writeOpt } from '../../../src/wire/edns.ts';

const NO_OPTIONS = new Uint8Array(0);

/** A message of a header and the OPT record alone, read by dns-packet. */
function decodeOpt(opt: Uint8Array) {
  const decoded = decodeMessage(Uint8Array.from([0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 1, ...opt]));
  const [record] = decoded.additionals;
  assert.ok(record?.type === 'OPT');
  return { record, rcode: decoded.rcode };
}

test('dns-packet reads the OPT record that is written', () => {
  const option = fc.tuple(fc.integer({ min: 100, max: 0xffff }), fc.uint8Array({ maxLength: 30 }));
  fc.assert(
    fc.property(fc.nat(0xffff), fc.boolean(), fc.array(option, { maxLength: 4 }), (udpSize, dnssecOk, list) => {
      const options = Uint8Array.from(
        list.flatMap(([code, data]) => [code >>> 8, code & 0xff, 0, data.length, ...data]),
      );
      const target = new Uint8Array(400).fill(0xee);
      const padded = Uint8Array.from([9, 9, ...options, 9]);
      const end = writeOpt(target, 5, udpSize, 0, dnssecOk, padded, 2, padded.length - 1);
      assert.equal(end, 5 + 11 + options.length);
      assert.equal(target[4], 0xee);
      assert.equal(target[end], 0xee);
      const { record } = decodeOpt(target.subarray(5, end));
      assert.equal(record.udpPayloadSize, udpSize);
      assert.equal(record.flag_do, dnssecOk);
      assert.equal(record.ednsVersion, 0);
      const read = record.options.map(({ code, data }) => [Number(code), Uint8Array.from(data ?? [])]);
      assert.deepEqual(read, list);
      for (const [code] of list) {
        const at = findOption(target, 16, end, code);
        assert.equal((target[at]! << 8) | target[at + 1]!, code);
      }
      assert.equal(findOption(target, 16, end, 99), -1);
    }),
  );
});

test('the high bits of the RCODE go into OPT', () => {
  const target = new Uint8Array(11);
  writeOpt(target, 0, 1232, RCODE_BADVERS >> 4, false, NO_OPTIONS, 0, 0);
  assert.equal(decodeOpt(target).rcode, 'BADVERS');
});

test('an extended error is found among other options and says code and text', () => {
  const ede = edeOption(EDE_STALE_ANSWER, 'all upstreams are down');
  const options = Uint8Array.from([0, OPTION_COOKIE, 0, 8, ...new Array(8).fill(1), ...ede]);
  const at = findOption(options, 0, options.length, OPTION_EDE);
  assert.equal(at, 12);
  assert.equal((options[at + 4]! << 8) | options[at + 5]!, EDE_STALE_ANSWER);
  assert.equal(Buffer.from(options.subarray(at + 6)).toString(), 'all upstreams are down');
  assert.equal(findOption(options, 0, options.length, OPTION_COOKIE), 0);
  assert.equal(edeOption(EDE_STALE_ANSWER, '').length, 6);
});

test('an option that is cut short is not found', () => {
  const options = Uint8Array.of(0, 10, 0, 2, 1, 2, 0, 15, 0, 2, 0, 3);
  assert.equal(findOption(options, 0, 12, 15), 6);
  for (let end = 0; end < 12; end++) assert.equal(findOption(options, 0, end, 15), -1);
});
