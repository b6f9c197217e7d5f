import assert from 'node:assert/strict';
import { test } from 'node:test';
import { markdownTable, shortNumber } from '../../../bench/table.ts';

test('the table has a line for ours with its goals and one for each peer with the ratio', () => {
  const text = markdownTable([
    {
      name: 'hits a second',
      unit: '1/s',
      samples: { signpost: [120_000, 100_000, 110_000], coredns: [50_000, 50_000, 50_000] },
      goals: [
        { against: 'coredns', bound: 'at least', value: 2 },
        { against: 'coredns', bound: 'at least', value: 3, floor: { value: 2.5 } },
        { against: 'unbound', bound: 'at least', value: 1 },
      ],
    },
  ]);
  const cells = text.split('\n').map((line) => line.split('|').map((cell) => cell.trim()));
  assert.deepEqual(cells[2], [
    '',
    'hits a second (1/s)',
    'signpost',
    '110,000',
    '18%',
    '',
    '',
    'at least 2 of coredns: goal met; at least 3 (2.5) of coredns: MISSED; at least 1 of unbound: not measured',
    '',
  ]);
  assert.deepEqual(cells[3], ['', '', 'coredns', '50,000', '0%', '2.2', '', '', '']);
});

test("the table says who was busy, where another core was the limit, and where somebody else ran on the server's", () => {
  const others = { generator: [40], upstream: [50] };
  const text = markdownTable([
    {
      name: 'misses a second',
      unit: '1/s',
      samples: { signpost: [9], coredns: [3], unbound: [6] },
      goals: [],
      busy: {
        signpost: { server: [70, 76, 80], serverCore: [78], otherCore: [100], ...others },
        coredns: { server: [99.6], serverCore: [100], otherCore: [97], ...others },
        unbound: { server: [60], serverCore: [90], otherCore: [97], ...others },
      },
    },
  ]);
  assert.match(text, /\| signpost +\| 9 +\| +\| +\| 76%, other 100%: the other is the limit \|/);
  assert.match(text, /\| coredns +\| 3 +\| +\| 3 +\| 100%, other 97% +\|/);
  assert.match(text, /\| unbound +\| 6 +\| +\| 1\.5 +\| 60%, other 97%: disturbed +\|/);
});

test('a single sample has no spread', () => {
  const text = markdownTable([{ name: 'heap', unit: 'MB', samples: { signpost: [4.5] }, goals: [] }]);
  assert.match(text, /\| heap \(MB\) +\| signpost +\| 4\.5 +\| +\|/);
});

test('all lines of a table are of one width', () => {
  const text = markdownTable([
    { name: 'a', unit: 'b', samples: { signpost: [1], 'udp-limit': [1_000_000] }, goals: [] },
  ]);
  assert.equal(new Set(text.split('\n').map((line) => line.length)).size, 1);
});

test('numbers keep three significant digits, and what is not a number is left out', () => {
  assert.equal(shortNumber(123_456), '123,000');
  assert.equal(shortNumber(1.98765), '1.99');
  assert.equal(shortNumber(0.0123456), '0.0123');
  assert.equal(shortNumber(0), '0');
  assert.equal(shortNumber(Number.NaN), '');
});
