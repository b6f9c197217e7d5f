import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Agent, startAgent } from '../servers/agent.ts';

const MIB = 1024 * 1024;
const CHURN = fileURLToPath(new URL('../servers/heap-churn.ts', import.meta.url));

/** No flag of V8's, on the command line or in the environment: as somebody starts it who knows of none. */
async function start(t: TestContext): Promise<Agent> {
  const upstream = ['--cluster-dns', '127.0.0.1:9', '--upstream', '127.0.0.1:9'];
  const agent = await startAgent(upstream, { nodeFlags: ['--import', CHURN], env: { NODE_OPTIONS: '' } });
  t.after(() => agent.stop());
  return agent;
}

/** What a start may take before the agent listens, and what is kept then. */
const MOST_BYTES = 8 * MIB;

/** Bytes of each of the two halves for new objects, after the agent has made millions of them. V8 would let each grow to 16 MiB. */
async function halfBytes(agent: Agent): Promise<number> {
  return ((await agent.child.request('churn')) as number) / 2;
}

test('an agent started without any flag keeps the part of its heap for new objects small', async (t) => {
  const agent = await start(t);
  const bytes = await halfBytes(agent);
  assert.ok(bytes <= MOST_BYTES, `${bytes} bytes`);
  // The limit holds for good, not only until the next collection.
  const later = await halfBytes(agent);
  assert.ok(later <= MOST_BYTES, `${later} bytes`);
});
