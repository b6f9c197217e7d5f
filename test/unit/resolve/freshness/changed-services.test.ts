import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CHANGED_SERVICES } from '../../../../src/core/limits.ts';
import { ChangedServices, REMEMBERED_MS } from '../../../../src/resolve/freshness/changed-services.ts';

test('how long ago a Service changed is known for as long as an answer of before could live', () => {
  const changed = new ChangedServices();
  assert.equal(changed.ageMs(1, 0), Number.POSITIVE_INFINITY);
  changed.note(1, 1000);
  changed.note(2, 5000);
  assert.equal(changed.ageMs(1, 6000), 5000);
  changed.note(1, 6000);
  assert.equal(changed.ageMs(1, 6500), 500);
  assert.ok(changed.ageMs(3, 6500) > REMEMBERED_MS);
  changed.note(4, 6000 + REMEMBERED_MS);
  assert.ok(changed.ageMs(2, 6000 + REMEMBERED_MS) >= REMEMBERED_MS);
  assert.ok(changed.ageMs(4, 7000 + 2 * REMEMBERED_MS) >= REMEMBERED_MS);
});

test('in a storm that is too large to remember, every Service counts as changed', () => {
  const changed = new ChangedServices();
  const { hits } = CHANGED_SERVICES;
  const nowMs = 1_000_000;
  for (let group = 0; group <= CHANGED_SERVICES.value; group++) changed.note(group, nowMs + group / 1000);
  assert.equal(CHANGED_SERVICES.hits, hits + 1);
  assert.ok(changed.ageMs(0, nowMs + 10) < 20, 'it was forgotten');
  assert.ok(changed.ageMs(-1, nowMs + 10) < 20, 'nobody knows');
  assert.ok(changed.ageMs(-1, nowMs + 5010) >= 5000);
});
