import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:net';
import { type TestContext, test } from 'node:test';
import { HttpServers, type HttpServersParts } from '../../../src/agent/http-servers.ts';
import type { Config } from '../../../src/config/config.ts';
import { monotonicClock } from '../../../src/core/clock.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import { TroubleLog } from '../../../src/core/trouble-log.ts';
import { Register } from '../../../src/metrics/register.ts';
import { loadLibc } from '../../../src/native/libc.ts';

const HOST = '127.0.0.1';

/** What listens on the port, 0 for any. */
async function listen(port: number): Promise<Server> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: HOST, port, exclusive: true }, resolve);
  });
  return server;
}

function portOf(server: Server): number {
  return (server.address() as { port: number }).port;
}

async function close(server: Server): Promise<void> {
  await new Promise((resolve) => server.close(resolve));
}

/** Servers of one port, which somebody else has. */
async function withoutPort(t: TestContext): Promise<{ servers: HttpServers; port: number; other: Server }> {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const other = await listen(0);
  const port = portOf(other);
  const config = { metrics: { host: HOST, port }, probes: [] } as unknown as Config;
  const register = new Register();
  const troubles = new TroubleLog({ log: silentLogger, clock: monotonicClock });
  const parts = { register, log: silentLogger, troubles, libc: await loadLibc() } as unknown as HttpServersParts;
  const servers = await HttpServers.open(config, parts);
  t.after(() => servers.close());
  return { servers, port, other };
}

test('a port that is tried again when the servers are closed is not kept', async (t) => {
  const { servers, port, other } = await withoutPort(t);
  await close(other);
  t.mock.timers.tick(5000);
  await servers.close();
  await new Promise((resolve) => setImmediate(resolve));
  await close(await listen(port));
  assert.deepEqual(servers.passedSockets, []);
});

test('a port that was not to be had is left to the successor, and tried again when that one is gone', async (t) => {
  const { servers, port, other } = await withoutPort(t);
  servers.pause();
  await close(other);
  t.mock.timers.tick(5000);
  await new Promise((resolve) => setImmediate(resolve));
  await close(await listen(port));
  await servers.resume();
  t.mock.timers.tick(5000);
  while (servers.passedSockets.length === 0) await new Promise((resolve) => setImmediate(resolve));
  await assert.rejects(listen(port), { code: 'EADDRINUSE' });
});
