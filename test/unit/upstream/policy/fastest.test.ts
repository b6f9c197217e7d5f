import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fastest } from '../../../../src/upstream/policy/fastest.ts';
import { type Stand, stand } from '../standings.ts';

/** How often each of the upstreams is chosen. */
function counts({ selection, candidates }: Stand, times: number): number[] {
  const found = candidates.map(() => 0);
  const labels = candidates.map(({ label }) => label);
  for (let i = 0; i < times; i++) found[labels.indexOf(selection.choose(undefined)!.label)]!++;
  return found;
}

test('the fastest is asked, and every 16th try goes to another', () => {
  const scene = stand(3, new Fastest(Math.random));
  scene.candidates[0]!.answers(100, 12);
  scene.candidates[1]!.answers(100, 4);
  scene.candidates[2]!.answers(100, 15);
  const [first, second, third] = counts(scene, 1600);
  assert.equal(second, 1500);
  assert.equal(first! + third!, 100);
  assert.ok(first! > 0 && third! > 0);
});

test('one that has not been tried is asked, by one question at a time', () => {
  const scene = stand(2, new Fastest(Math.random));
  const [known, fresh] = scene.candidates;
  known!.answers(100, 4);
  assert.deepEqual(counts(scene, 1), [0, 1]);
  fresh!.owed.add(scene.clock.nowMs());
  const [toKnown] = counts(scene, 160);
  assert.ok(toKnown! >= 150, `${toKnown}`);
});

test('where none has been tried, questions that come together are spread', () => {
  const scene = stand(2, new Fastest(Math.random));
  for (const candidate of scene.candidates) candidate.owed.add(scene.clock.nowMs());
  for (const count of counts(scene, 400)) assert.ok(count > 100, `${count}`);
});

test('one that came back after it was down is tried anew, whatever it was before', () => {
  const scene = stand(2, new Fastest(Math.random));
  scene.candidates[0]!.answers(100, 4);
  scene.candidates[1]!.answers(100, 1000).roundTrips.forget();
  assert.deepEqual(counts(scene, 1), [0, 1]);
});

test('those that are as good as equally fast share the questions', () => {
  const scene = stand(3, new Fastest(Math.random));
  scene.candidates[0]!.answers(100, 10);
  scene.candidates[1]!.answers(100, 10.9);
  scene.candidates[2]!.answers(100, 14);
  const [first, second, third] = counts(scene, 1600);
  assert.ok(first! > 500 && second! > 500, `${first} ${second}`);
  assert.equal(third, 100);
});

test('silence counts: one that leaves questions unanswered is no longer the fastest', () => {
  const scene = stand(2, new Fastest(Math.random));
  scene.candidates[0]!.answers(100, 2);
  scene.candidates[1]!.answers(100, 8);
  for (let i = 0; i < 10; i++) scene.candidates[0]!.answers(1, 1000).answers(2, 2);
  const [first] = counts(scene, 160);
  assert.ok(first! <= 10, `${first}`);
});
