import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { DEPARTURES_A_TURN } from '../../../src/core/limits.ts';
import { type Departing, Departures } from '../../../src/upstream/departures.ts';

const A_TURN = DEPARTURES_A_TURN.value;

/** Notes the order in which `count` questions leave. */
function questions(count: number, left: number[]): Departing[] {
  return Array.from({ length: count }, (_, index) => ({ depart: () => void left.push(index) }));
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

test('a question that is not one of many leaves at once', () => {
  const left: number[] = [];
  const departures = new Departures();
  for (const question of questions(A_TURN, left)) departures.add(question);
  assert.deepEqual(left, upTo(A_TURN));
});

test('no more than the bound leave in a turn, in the order in which they were asked, and the bound is counted', async () => {
  const left: number[] = [];
  const departures = new Departures();
  const hitsBefore = DEPARTURES_A_TURN.hits;
  const all = questions(3 * A_TURN + 5, left);
  for (const question of all.slice(0, 3 * A_TURN)) departures.add(question);
  assert.equal(left.length, A_TURN);
  await nextTurn();
  assert.equal(left.length, 2 * A_TURN);
  for (const question of all.slice(3 * A_TURN)) departures.add(question);
  assert.equal(left.length, 2 * A_TURN, 'those that come later do not overtake');
  await nextTurn();
  assert.equal(left.length, 3 * A_TURN);
  await nextTurn();
  assert.deepEqual(left, upTo(all.length));
  assert.equal(DEPARTURES_A_TURN.hits - hitsBefore, 2 * A_TURN + 5);
});

test('each turn has the whole bound again', async () => {
  const left: number[] = [];
  const departures = new Departures();
  for (let turn = 1; turn <= 4; turn++) {
    for (const question of questions(A_TURN, left)) departures.add(question);
    assert.equal(left.length, turn * A_TURN);
    await nextTurn();
  }
});

test('what waits can be sent at once, and leaves once', async () => {
  const left: number[] = [];
  const departures = new Departures();
  const all = questions(4 * A_TURN, left);
  for (const question of all) departures.add(question);
  departures.flush();
  assert.deepEqual(left, upTo(all.length));
  for (let turn = 0; turn < 4; turn++) await nextTurn();
  assert.equal(left.length, all.length);
});
