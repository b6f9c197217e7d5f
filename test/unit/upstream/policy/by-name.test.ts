import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { PolicyName } from '../../../../src/config/config.ts';
import { policyByName } from '../../../../src/upstream/policy/by-name.ts';
import type { Upstream } from '../../../../src/upstream/upstream.ts';
import { setUp } from '../asking.ts';

const ADDRESSES = [1, 2, 3, 4].map((last) => ({ host: `127.0.0.${last}`, port: 53 }));

/** Where `count` questions would go. */
function choices(t: TestContext, name: PolicyName, count: number, alive = ADDRESSES.length): number[] {
  const { upstreams, all } = setUp(ADDRESSES);
  t.after(() => upstreams.close());
  const healthy: readonly Upstream[] = all.slice(0, alive);
  const policy = policyByName(name, Math.random);
  return Array.from({ length: count }, () => policy.choose(healthy));
}

test('sequential asks the first that lives', (t) => {
  assert.ok(choices(t, 'sequential', 50).every((index) => index === 0));
});

test('round-robin asks each in turn', (t) => {
  const chosen = choices(t, 'round-robin', 40);
  for (let i = 1; i < chosen.length; i++) assert.equal(chosen[i], (chosen[i - 1]! + 1) % ADDRESSES.length);
});

test('random asks each about as often as the others', (t) => {
  const counts = [0, 0, 0, 0];
  for (const index of choices(t, 'random', 4000)) counts[index]!++;
  // 12 standard deviations.
  for (const count of counts) assert.ok(Math.abs(count - 1000) < 330, `${counts}`);
});

test('every policy chooses among those that live, down to a single one', (t) => {
  for (const name of ['random', 'round-robin', 'sequential', 'fastest'] as const) {
    for (let alive = 1; alive <= ADDRESSES.length; alive++) {
      assert.ok(choices(t, name, 100, alive).every((index) => Number.isInteger(index) && index >= 0 && index < alive));
    }
  }
});
