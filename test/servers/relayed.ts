import assert from 'node:assert/strict';
import type { Agent } from './agent.ts';

/**
 * Fails where the agent has not relayed messages of each of these kinds, or has lost any. What the servers said to them does not count, nor does a client that
 * left in the middle because its test was over.
 */
export async function assertRelayed(agent: Agent, kinds: readonly string[]): Promise<void> {
  const metrics = await agent.scrape();
  for (const kind of kinds) assert.ok(metrics.sum('signpost_relays_total', { kind, outcome: 'answered' }) > 0, kind);
  for (const outcome of ['unreachable', 'timeout', 'broken', 'overload', 'refused']) {
    assert.equal(metrics.sum('signpost_relays_total', { outcome }), 0, outcome);
  }
}
