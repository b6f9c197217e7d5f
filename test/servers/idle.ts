import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Agent } from './agent.ts';
import type { Metrics } from './metrics.ts';

/** What must be zero again once all clients are served: nothing was forgotten in a table. */
const TABLES = ['signpost_questions_in_flight', 'signpost_clients_waiting', 'signpost_tcp_connections'];

/** A page of metrics is up to a second old where many are asked for: this many apart, every one is new. */
const FRESH_MS = 300;

/** Waits until the agent's tables are empty. All time limits together are below 15 s. */
export async function assertIdle(agent: Agent, limitMs = 15_000): Promise<void> {
  const left = (metrics: Metrics) => TABLES.filter((name) => metrics.sum(name) !== 0);
  await assertMetrics(agent, (metrics) => left(metrics).length === 0, 'the tables are not empty again', limitMs);
}

/** Waits until the metrics are so. */
export async function assertMetrics(
  agent: Agent,
  isSo: (metrics: Metrics) => boolean,
  complaint: string,
  limitMs = 8000,
): Promise<void> {
  const endMs = performance.now() + limitMs;
  for (;;) {
    await sleep(FRESH_MS);
    if (isSo(await agent.scrape())) return;
    assert.ok(performance.now() < endMs, complaint);
  }
}
