import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { NodePresence } from '../../../src/agent/node-presence.ts';
import type { Config } from '../../../src/config/config.ts';
import { monotonicClock } from '../../../src/core/clock.ts';
import { silentLogger } from '../../../src/core/logger.ts';

/** Sets up nothing: loopback is there, and this mode has no rules. */
const CONFIG = {
  listen: [{ host: '127.0.0.1', port: 53 }],
  zones: [],
  clusterDomain: 'cluster.local',
  nodeNetwork: { mode: 'interface', interface: 'lo', hasNoTrack: true },
} as unknown as Config;

test('a successor that comes while the agent proves that it answers finds nothing armed after it', async (t) => {
  const look = { facts: new Promise<never>(() => {}), atMs: performance.now() };
  const presence = await NodePresence.open(CONFIG, { clock: monotonicClock, log: silentLogger, look });
  t.after(() => presence.close());
  presence.redirect({ udp: [], tcp: [] }, () => true);
  presence.standBy();
  await sleep(50);
  assert.deepEqual([presence.report.state, presence.report.renewals], ['prepared', 0]);
  await presence.takeBack();
  while (presence.report.renewals === 0) await sleep(5);
  assert.equal(presence.report.state, 'armed');
});
