import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Agent } from './agent.ts';

/** What must be zero again once all clients are served: nothing was forgotten in a table. */
const TABLES = ['signpost_questions_in_flight', 'signpost_clients_waiting', 'signpost_tcp_connections'];

/** Waits until the agent's tables are empty. All time limits together are below 15 s. */
export async function assertIdle(agent: Agent, limitMs = 15_000): Promise<void> {
  const endMs = performance.now() + limitMs;
  for (;;) {
    const metrics = await agent.scrape();
    const left = TABLES.map((name) => [name, metrics.sum(name)] as const).filter(([, count]) => count !== 0);
    if (left.length === 0) return;
    if (performance.now() > endMs) assert.deepEqual(left, [], 'tables that are not empty again');
    await sleep(50);
  }
}
