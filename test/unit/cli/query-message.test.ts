import assert from 'node:assert/strict';
import { test } from 'node:test';
import { queryMessage } from '../../../src/cli/query-message.ts';
import { decodeMessage } from '../../../src/wire/codec.ts';
import { OPTION_ORIGIN, TYPE_AAAA } from '../../../src/wire/constants.ts';
import { nameFromText } from '../../../src/wire/name.ts';

test('a query asks one question, with recursion, and brings the options that were asked for', () => {
  const bytes = queryMessage(nameFromText('Web.example')!, TYPE_AAAA, {
    id: 4711,
    dnssecOk: true,
    askedOptions: [OPTION_ORIGIN],
  });
  const message = decodeMessage(bytes);
  assert.deepEqual(
    [message.id, message.type, message.flag_rd, message.flag_ad, message.flag_cd],
    [4711, 'query', true, true, false],
  );
  assert.deepEqual(message.questions, [{ name: 'Web.example', type: 'AAAA', class: 'IN' }]);
  const [opt] = message.additionals;
  assert.ok(opt?.type === 'OPT');
  assert.deepEqual([opt.udpPayloadSize, opt.flag_do, opt.options.length], [1232, true, 1]);
});

test('a query without options ends with its OPT record', () => {
  assert.equal(queryMessage(new Uint8Array(1), 2, { id: 0, dnssecOk: false, askedOptions: [] }).length, 12 + 5 + 11);
});
