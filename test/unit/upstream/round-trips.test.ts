import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RoundTrips } from '../../../src/upstream/round-trips.ts';

/** Far from the beginning, and all in one moment. */
const NOW_MS = 1_000_000;

test('the 95th percentile is within a fifth of the true one', () => {
  for (const scaleMs of [0.2, 1, 30, 900]) {
    const roundTrips = new RoundTrips();
    for (let i = 0; i < 400; i++) roundTrips.add(scaleMs * (1 + ((i * 37) % 100) / 100), NOW_MS);
    const trueMs = scaleMs * 1.95;
    assert.ok(
      roundTrips.p95Ms >= trueMs * 0.8 && roundTrips.p95Ms <= trueMs * 1.25,
      `${roundTrips.p95Ms} for ${trueMs}`,
    );
  }
});

test('a few slow replies among many do not move the percentile, many do', () => {
  const roundTrips = new RoundTrips();
  for (let i = 0; i < 500; i++) roundTrips.add(i % 50 === 0 ? 4000 : 1, NOW_MS);
  assert.ok(roundTrips.p95Ms < 1.5);
  for (let i = 0; i < 500; i++) roundTrips.add(i % 5 === 0 ? 4000 : 1, NOW_MS);
  assert.ok(roundTrips.p95Ms > 3000);
});

test('what was long ago fades', () => {
  const roundTrips = new RoundTrips();
  for (let i = 0; i < 2000; i++) roundTrips.add(200, NOW_MS);
  for (let i = 0; i < 6000; i++) roundTrips.add(1, NOW_MS);
  assert.ok(roundTrips.p95Ms < 1.5, `${roundTrips.p95Ms}`);
  assert.ok(Math.abs(roundTrips.smoothedMs - 1) < 0.01);
});

test('no sample, and samples of no time or of minutes, give a number', () => {
  const roundTrips = new RoundTrips();
  assert.equal(roundTrips.p95Ms, 0);
  assert.equal(roundTrips.smoothedMs, 0);
  roundTrips.add(0, NOW_MS);
  assert.ok(roundTrips.p95Ms > 0 && roundTrips.p95Ms < 0.2);
  for (let i = 0; i < 100; i++) roundTrips.add(600_000, NOW_MS);
  assert.ok(roundTrips.p95Ms > 7000);
});

test('one slow reply hardly moves the mean; when all are slow, a dozen show it', () => {
  const roundTrips = new RoundTrips();
  for (let i = 0; i < 100; i++) roundTrips.add(1, NOW_MS);
  roundTrips.add(4000, NOW_MS);
  assert.ok(roundTrips.smoothedMs < 5, `${roundTrips.smoothedMs}`);
  for (let i = 0; i < 4; i++) roundTrips.add(200, NOW_MS);
  assert.ok(roundTrips.smoothedMs > 20, `${roundTrips.smoothedMs}`);
  for (let i = 0; i < 16; i++) roundTrips.add(200, NOW_MS);
  assert.ok(roundTrips.smoothedMs > 150, `${roundTrips.smoothedMs}`);
});

test('of one that is seldom asked, the latest replies tell', () => {
  const roundTrips = new RoundTrips();
  for (let i = 0; i < 100; i++) roundTrips.add(200, NOW_MS);
  for (let i = 1; i <= 4; i++) roundTrips.add(1, NOW_MS + i * 5000);
  assert.ok(roundTrips.smoothedMs < 20, `${roundTrips.smoothedMs}`);
});

test('what is forgotten is as if it had never been', () => {
  const roundTrips = new RoundTrips();
  for (let i = 0; i < 100; i++) roundTrips.add(200, NOW_MS);
  roundTrips.forget();
  assert.equal(roundTrips.samples, 0);
  assert.equal(roundTrips.p95Ms, 0);
  roundTrips.add(3, NOW_MS);
  assert.equal(roundTrips.smoothedMs, 3);
  assert.ok(roundTrips.p95Ms < 4);
});
