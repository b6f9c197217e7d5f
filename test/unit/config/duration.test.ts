import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatDuration, parseDuration } from '../../../src/config/duration.ts';

const HOUR_MS = 3_600_000;

test('durations are read in all units, with fractions and in sums', () => {
  const read = (text: string): number => parseDuration(text, 0, 10 * HOUR_MS);
  assert.deepEqual(['0', '0s', '250ms', '5s', '1.5s', '2m', '1h', '1h30m', '1m0.5s'].map(read), [
    0,
    0,
    250,
    5000,
    1500,
    120_000,
    HOUR_MS,
    1.5 * HOUR_MS,
    60_500,
  ]);
});

for (const text of [
  '',
  '5',
  '-1s',
  '5 s',
  '5sec',
  's',
  '1.s',
  '1e3s',
  'Infinity',
  '5S',
  '2h',
  '99999999999999999999h',
]) {
  test(`"${text}" is refused and the allowed range named`, () => {
    assert.throws(() => parseDuration(text, 0, HOUR_MS), {
      message: 'expected a duration from 0 to 1h, such as 250ms, 5s or 1h',
    });
  });
}

test('a duration below the least is refused', () => {
  assert.throws(() => parseDuration('1ms', 100, HOUR_MS), /from 100ms to 1h/);
});

test('what is printed can be read again', () => {
  for (const ms of [0, 1, 250, 1000, 1500, 60_000, 90_000, HOUR_MS])
    assert.equal(parseDuration(formatDuration(ms), 0, HOUR_MS), ms);
  assert.equal(formatDuration(90_000), '90s');
});
