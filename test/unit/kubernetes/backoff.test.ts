import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Backoff } from '../../../src/kubernetes/backoff.ts';

test('each wait may be twice as long as the one before, up to the bound, and is at least half of what it may be', () => {
  const longest = new Backoff({ firstMs: 100, mostMs: 500, random: () => 1 });
  assert.deepEqual(
    [longest.next(), longest.next(), longest.next(), longest.next(), longest.next()],
    [100, 200, 400, 500, 500],
  );
  const shortest = new Backoff({ firstMs: 100, mostMs: 500, random: () => 0 });
  assert.deepEqual([shortest.next(), shortest.next(), shortest.next(), shortest.next()], [50, 100, 200, 250]);
});

test('after a success the next wait is a short one', () => {
  const backoff = new Backoff({ firstMs: 100, mostMs: 5000, random: () => 1 });
  backoff.next();
  backoff.next();
  backoff.reset();
  assert.equal(backoff.next(), 100);
});

test('what the server asks to wait is waited, and spread', () => {
  assert.equal(new Backoff({ firstMs: 100, random: () => 0 }).next(8000), 8000);
  assert.equal(new Backoff({ firstMs: 100, random: () => 1 }).next(8000), 10_000);
  assert.equal(new Backoff({ firstMs: 100, random: () => 1 }).next(10), 100);
});
