import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeGoal, type Goal, judge, type Measure, median, ratio, spread } from '../../../bench/measure.ts';

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

test('two medians of 0 are the same', () => {
  const losses = { ...rates, samples: { signpost: [0], unbound: [0], coredns: [4] } };
  assert.equal(ratio(losses, 'unbound'), 1);
  assert.equal(ratio(losses, 'coredns'), 0);
});

const atLeast = (value: number, floor?: number): Goal => ({
  against: 'coredns',
  bound: 'at least',
  value,
  ...(floor !== undefined && { floor: { value: floor } }),
});

test('a goal against a peer is judged by the ratio', () => {
  assert.equal(judge(rates, atLeast(2)), 'goal met');
  assert.equal(judge(rates, atLeast(2.5)), 'MISSED');
  assert.equal(judge(rates, { against: 'coredns', bound: 'at most', value: 1.9 }), 'MISSED');
});

test('between goal and floor the floor is met', () => {
  assert.equal(judge(rates, atLeast(3, 2)), 'floor met');
  assert.equal(judge(rates, atLeast(3, 2.5)), 'MISSED');
  assert.equal(judge(rates, atLeast(2, 1)), 'goal met');
  assert.equal(judge(rates, { against: 'coredns', bound: 'at most', value: 1, floor: { value: 2 } }), 'floor met');
});

test('a goal without a peer is judged by our own median', () => {
  assert.equal(judge(rates, { against: undefined, bound: 'at most', value: 100 }), 'goal met');
  assert.equal(judge(rates, { against: undefined, bound: 'at most', value: 99 }), 'MISSED');
});

test("a floor in the measure's own unit is judged by our own median", () => {
  const goal = (valueInUnit: number): Goal => ({
    against: 'coredns',
    bound: 'at most',
    value: 1,
    floor: { valueInUnit },
  });
  assert.equal(judge(rates, goal(100)), 'floor met');
  assert.equal(judge(rates, goal(99)), 'MISSED');
});

test('a goal is open, not missed, where a server was not measured', () => {
  assert.equal(judge(rates, { against: 'unbound', bound: 'at least', value: 1 }), 'not measured');
  const alone: Goal = { against: undefined, bound: 'at most', value: 1 };
  assert.equal(judge({ ...rates, samples: {} }, alone), 'not measured');
  const empty = { ...rates, samples: { signpost: [], coredns: [1] } };
  assert.equal(judge(empty, atLeast(1, 1)), 'not measured');
});

test('a goal is told with its floor in brackets', () => {
  assert.equal(describeGoal('1/s', atLeast(10, 7.5)), 'at least 10 (7.5) of coredns');
  assert.equal(describeGoal('ms', { against: undefined, bound: 'at most', value: 200 }), 'at most 200 ms');
  const memory: Goal = { against: 'coredns', bound: 'at most', value: 1, floor: { valueInUnit: 40 } };
  assert.equal(describeGoal('MB', memory), 'at most 1 (40 MB) of coredns');
});
