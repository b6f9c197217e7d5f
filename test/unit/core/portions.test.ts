import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Limit } from '../../../src/core/limits.ts';
import { Portions } from '../../../src/core/portions.ts';

const A_TURN = 8;

function setUp() {
  const begun: number[] = [];
  const bound: Limit = { name: 'pieces_a_turn', value: A_TURN, hits: 0 };
  const portions = new Portions<number>(bound, (piece) => begun.push(piece));
  return { begun, bound, portions };
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

test('a piece that is not one of many begins at once', () => {
  const { begun, bound, portions } = setUp();
  for (const piece of upTo(A_TURN)) portions.add(piece);
  assert.deepEqual(begun, upTo(A_TURN));
  assert.equal(bound.hits, 0);
});

test('no more than the bound begin in a turn, in the order in which they came, and the turns that were full are counted', async () => {
  const { begun, bound, portions } = setUp();
  const all = upTo(3 * A_TURN + 5);
  for (const piece of all.slice(0, 3 * A_TURN)) portions.add(piece);
  assert.equal(begun.length, A_TURN);
  await nextTurn();
  assert.equal(begun.length, 2 * A_TURN);
  for (const piece of all.slice(3 * A_TURN)) portions.add(piece);
  assert.equal(begun.length, 2 * A_TURN, 'those that come later do not overtake');
  await nextTurn();
  assert.equal(begun.length, 3 * A_TURN);
  await nextTurn();
  assert.deepEqual(begun, all);
  assert.equal(bound.hits, 3);
});

test('each turn has the whole bound again', async () => {
  const { begun, portions } = setUp();
  for (let turn = 1; turn <= 4; turn++) {
    for (const piece of upTo(A_TURN)) portions.add(piece);
    assert.equal(begun.length, turn * A_TURN);
    await nextTurn();
  }
});

test('what is deferred begins in the next turn at the soonest, and in portions as well', async () => {
  const { begun, bound, portions } = setUp();
  for (const piece of upTo(2 * A_TURN + 1)) portions.defer(piece);
  assert.deepEqual(begun, []);
  for (const turn of [1, 2]) {
    await nextTurn();
    assert.equal(begun.length, turn * A_TURN);
  }
  await nextTurn();
  assert.deepEqual(begun, upTo(2 * A_TURN + 1));
  assert.equal(bound.hits, 2);
});

test('what is added while pieces begin comes after those that wait', async () => {
  const begun: number[] = [];
  const portions: Portions<number> = new Portions({ name: 'pieces_a_turn', value: 2, hits: 0 }, (piece) => {
    begun.push(piece);
    if (piece < 3) portions.add(piece + 10);
  });
  for (const piece of [1, 2, 3, 4]) portions.add(piece);
  for (let turn = 0; turn < 5; turn++) await nextTurn();
  assert.deepEqual(begun, [1, 11, 2, 3, 4, 12]);
});

test('what waits can be begun at once, and begins once', async () => {
  const { begun, portions } = setUp();
  for (const piece of upTo(4 * A_TURN)) portions.add(piece);
  portions.flush();
  assert.deepEqual(begun, upTo(4 * A_TURN));
  for (let turn = 0; turn < 4; turn++) await nextTurn();
  assert.equal(begun.length, 4 * A_TURN);
});
