import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judge, type Measure, median, ratio, spread } from '../../../bench/measure.ts';

const rates: Measure = {
  name: 'hits a second',
  unit: '1/s',
  samples: { signpost: [90, 120, 100], coredns: [40, 60] },
  goals: [],
};

test('the median of an odd number of samples is the middle one, whatever their order', () => {
  assert.equal(median([30, 1, 2]), 2);
});

test('the median of an even number of samples lies between the middle two', () => {
  assert.equal(median([4, 1, 3, 2]), 2.5);
});

test('the median of nothing is not a number', () => {
  assert.ok(Number.isNaN(median([])));
});

test('the spread is the distance of the extremes as a fraction of the median', () => {
  assert.equal(spread([90, 120, 100]), 0.3);
  assert.equal(spread([7]), 0);
  assert.equal(spread([0, 0]), 0);
});

test('a ratio is of medians, ours above the peer', () => {
  assert.equal(ratio(rates, 'coredns'), 2);
  assert.equal(ratio(rates, 'unbound'), undefined);
});

test('a goal against a peer is judged by the ratio', () => {
  assert.deepEqual(judge(rates, { against: 'coredns', bound: 'at least', value: 2 }), {
    text: 'at least 2 of coredns',
    isMet: true,
  });
  assert.equal(judge(rates, { against: 'coredns', bound: 'at least', value: 2.5 }).isMet, false);
  assert.equal(judge(rates, { against: 'coredns', bound: 'at most', value: 1.9 }).isMet, false);
});

test('a goal without a peer is judged by our own median', () => {
  assert.deepEqual(judge(rates, { against: undefined, bound: 'at most', value: 100 }), {
    text: 'at most 100 1/s',
    isMet: true,
  });
  assert.equal(judge(rates, { against: undefined, bound: 'at most', value: 99 }).isMet, false);
});

test('a goal is open, not missed, where a server was not measured', () => {
  assert.equal(judge(rates, { against: 'unbound', bound: 'at least', value: 1 }).isMet, undefined);
  assert.equal(judge({ ...rates, samples: {} }, { against: undefined, bound: 'at most', value: 1 }).isMet, undefined);
  const empty = { ...rates, samples: { signpost: [], coredns: [1] } };
  assert.equal(judge(empty, { against: 'coredns', bound: 'at least', value: 1 }).isMet, undefined);
});
