import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RandomPolicy } from '../../../src/upstream/policy/random.ts';
import { Sequential } from '../../../src/upstream/policy/sequential.ts';
import {
  STANDING_DOUBTFUL,
  STANDING_DOWN,
  STANDING_GOOD,
  STANDING_LOOPED,
  STANDING_SLOW,
} from '../../../src/upstream/standing.ts';
import type { Upstream } from '../../../src/upstream/upstream.ts';
import { stand } from './standings.ts';

const random = new RandomPolicy(Math.random);
const upstreamOf = (candidate: unknown): Upstream => candidate as Upstream;

test('those that answer about as soon as the fastest are all asked', () => {
  const { candidates, chosen } = stand(2, random);
  candidates[0]!.answers(100, 1);
  candidates[1]!.answers(100, 15);
  assert.deepEqual(chosen(), new Set(['a', 'b']));
});

test('one whose usual answer comes after the fastest would have been hedged is not asked first', () => {
  const { candidates, chosen, selection } = stand(2, random);
  candidates[0]!.answers(100, 10);
  candidates[1]!.answers(100, 210);
  assert.deepEqual(chosen(), new Set(['a']));
  assert.equal(selection.hasSlow, true);
  assert.equal(selection.chooseSlow(undefined)?.label, 'b');
  assert.equal(selection.standing(upstreamOf(candidates[1])), STANDING_SLOW);
});

test('a slow one that answers soon again is asked as before', () => {
  const { candidates, chosen } = stand(2, random);
  candidates[0]!.answers(100, 10);
  candidates[1]!.answers(100, 210).answers(40, 10);
  assert.deepEqual(chosen(), new Set(['a', 'b']));
});

test('one that has not been tried yet is asked', () => {
  const { candidates, chosen } = stand(2, random);
  candidates[0]!.answers(100, 1);
  assert.deepEqual(chosen(), new Set(['a', 'b']));
});

test('one that owes replies for longer than it takes is left before any time limit, and asked again after any reply', () => {
  const { candidates, chosen, clock } = stand(2, random);
  for (const candidate of candidates) candidate.answers(100, 5);
  candidates[0]!.owed.add(clock.nowMs());
  clock.advance(15);
  assert.deepEqual(chosen(), new Set(['a', 'b']));
  clock.advance(10);
  assert.deepEqual(chosen(), new Set(['b']));
  candidates[0]!.owed.clear();
  assert.deepEqual(chosen(), new Set(['a', 'b']));
});

test('a pause of the fast one sends nobody to one that takes longer than the pause', () => {
  const { candidates, chosen, clock } = stand(2, random);
  candidates[0]!.answers(100, 5);
  candidates[1]!.answers(100, 300);
  candidates[0]!.owed.add(clock.nowMs());
  clock.advance(100);
  assert.deepEqual(chosen(), new Set(['a']));
  clock.advance(250);
  assert.deepEqual(chosen(), new Set(['b']));
});

test('where all owe replies, all are asked', () => {
  const { candidates, chosen, clock } = stand(2, random);
  for (const candidate of candidates) candidate.answers(100, 5).owed.add(clock.nowMs());
  clock.advance(1000);
  assert.deepEqual(chosen(), new Set(['a', 'b']));
});

test('what an upstream owed long ago is no sign any more', () => {
  const { candidates, chosen, clock } = stand(2, random);
  for (const candidate of candidates) candidate.answers(100, 5);
  candidates[0]!.owed.add(clock.nowMs());
  clock.advance(5100);
  assert.deepEqual(chosen(), new Set(['a', 'b']));
});

test('one whose refusals others contradict is asked like a slow one', () => {
  const { candidates, chosen } = stand(2, random);
  for (const candidate of candidates) candidate.answers(100, 5);
  candidates[0]!.refuted = 2;
  assert.deepEqual(chosen(), new Set(['a', 'b']));
  candidates[0]!.refuted = 3;
  assert.deepEqual(chosen(), new Set(['b']));
});

test('worse ones are asked where there is no better: slow, then doubtful, and a down one only once a second', () => {
  const { candidates, chosen, selection } = stand(3, random);
  const [a, b, c] = candidates;
  a!.answers(100, 10);
  b!.answers(100, 210);
  c!.answers(100, 10).health.isDoubtful = true;
  assert.deepEqual(chosen(), new Set(['a']));
  a!.isDown = true;
  assert.deepEqual(chosen(), new Set(['b']));
  b!.isDown = true;
  assert.deepEqual(chosen(), new Set(['c']));
  c!.isDown = true;
  assert.deepEqual(chosen(), new Set(['none']));
  assert.equal(selection.isAllDown, true);
  assert.ok(selection.chooseDown() !== undefined);
});

test('a loop is never asked, not even where all others are down', () => {
  const { candidates, chosen, selection } = stand(2, random);
  selection.looped.add(upstreamOf(candidates[0]));
  assert.deepEqual(chosen(), new Set(['b']));
  assert.equal(selection.isAllLooped, false);
  candidates[1]!.isDown = true;
  assert.deepEqual(chosen(), new Set(['none']));
  for (let i = 0; i < 50; i++) assert.equal(selection.chooseDown()?.label, 'b');
  selection.looped.add(upstreamOf(candidates[1]));
  assert.equal(selection.isAllLooped, true);
  assert.equal(selection.chooseDown(), undefined);
});

test("where the order is the user's, a slow first is asked, a silent one is not, and nothing is hedged", () => {
  const { candidates, chosen, clock, selection } = stand(2, new Sequential());
  candidates[0]!.answers(100, 210);
  candidates[1]!.answers(100, 1);
  assert.deepEqual(chosen(), new Set(['a']));
  assert.equal(selection.hedgeMs(upstreamOf(candidates[0])), 0);
  for (let i = 0; i < 3; i++) candidates[0]!.owed.add(clock.nowMs());
  clock.advance(310);
  assert.deepEqual(chosen(), new Set(['b']));
});

test("a hedge comes after the fastest's p95, not after the slow one's own", () => {
  const { candidates, chosen, selection } = stand(2, random);
  candidates[0]!.answers(100, 30);
  candidates[1]!.answers(100, 210);
  chosen(1);
  const hedgeMs = selection.hedgeMs(upstreamOf(candidates[1]));
  assert.ok(hedgeMs > 30 && hedgeMs < 45, `${hedgeMs}`);
});

test('every standing has its name for people', () => {
  const { candidates, selection } = stand(5, random);
  const [a, b, c, d, e] = candidates;
  a!.answers(100, 10);
  b!.answers(100, 210);
  c!.health.isDoubtful = true;
  d!.isDown = true;
  selection.looped.add(upstreamOf(e));
  assert.deepEqual(
    candidates.map((candidate) => selection.standing(upstreamOf(candidate))),
    [STANDING_GOOD, STANDING_SLOW, STANDING_DOUBTFUL, STANDING_DOWN, STANDING_LOOPED],
  );
});

test('of those that stand equally the lower rank is asked, and a higher one as soon as that stands worse', () => {
  const { candidates, chosen, clock, selection } = stand(3, random);
  const [near, far, last] = candidates.map(upstreamOf);
  for (const candidate of candidates) candidate.answers(100, 5);
  selection.replace([[near!], [far!], [last!]]);
  assert.deepEqual(chosen(), new Set(['a']));
  candidates[0]!.owed.add(clock.nowMs());
  clock.advance(50);
  assert.deepEqual(chosen(), new Set(['b']));
  candidates[1]!.isDown = true;
  assert.deepEqual(chosen(), new Set(['c']));
  candidates[0]!.owed.clear();
  assert.deepEqual(chosen(), new Set(['a']));
  assert.deepEqual(
    candidates.map((candidate) => selection.rank(upstreamOf(candidate))),
    [0, 1, 2],
  );
});

test('those of one rank are all asked, in whatever order they stand in the list', () => {
  const { candidates, chosen, selection } = stand(3, random);
  for (const candidate of candidates) candidate.answers(100, 5);
  selection.replace([[upstreamOf(candidates[2]), upstreamOf(candidates[0])], [upstreamOf(candidates[1])]]);
  assert.deepEqual(chosen(), new Set(['a', 'c']));
});

test('what leads back and is replaced is forgotten', () => {
  const { candidates, selection } = stand(2, random);
  selection.looped.add(upstreamOf(candidates[0]));
  selection.replace([[upstreamOf(candidates[1])]]);
  assert.equal(selection.looped.size, 0);
  assert.equal(selection.isAllLooped, false);
});
