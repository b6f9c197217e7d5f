import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { Script } from 'node:vm';
import { adminPages, metricsPages } from '../../../src/admin/pages.ts';
import { AdminServer } from '../../../src/admin/server.ts';
import type { Status } from '../../../src/admin/status.ts';
import { monotonicClock } from '../../../src/core/clock.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import { TroubleLog } from '../../../src/core/trouble-log.ts';
import { Register } from '../../../src/metrics/register.ts';
import { TrafficTable } from '../../../src/metrics/traffic-table.ts';
import { ZoneIds } from '../../../src/metrics/zone-ids.ts';

const STATUS: Status = {
  version: '1.2.3',
  node: 'node-7',
  uptimeSeconds: 12,
  ready: true,
  reasons: [],
  listen: ['127.0.0.1:5300'],
  traffic: new TrafficTable(new ZoneIds()).totals(),
  zones: [],
  cache: { bytes: 0, budgetBytes: 1, entries: 0, hits: 0, misses: 0, stale: 0 },
  limits: [],
  residentBytes: 1,
  handOver: null,
  network: null,
};

const CONFIG = { version: null, error: null, restartNeeded: [], config: { zones: [] } };

async function open(t: TestContext, option: '--admin' | '--metrics') {
  const register = new Register();
  const admin = adminPages({
    register,
    probe: async () => {},
    reasons: () => STATUS.reasons,
    status: () => STATUS,
    config: () => CONFIG,
    podUid: undefined,
    clock: monotonicClock,
  });
  const server = await AdminServer.open({
    address: { host: '127.0.0.1', port: 0 },
    option,
    pages: option === '--admin' ? admin : metricsPages(register, monotonicClock),
    troubles: new TroubleLog({ log: silentLogger, clock: monotonicClock }),
  });
  t.after(() => server.close());
  return `http://127.0.0.1:${server.address.port}`;
}

test('the admin server has health, readiness, metrics, the API and the status page', async (t) => {
  const url = await open(t, '--admin');
  assert.equal(await (await fetch(`${url}/health`)).text(), 'OK\n');
  assert.deepEqual(await (await fetch(`${url}/ready`)).json(), { ready: true, reasons: [] });
  assert.deepEqual(await (await fetch(`${url}/api/v1/status`)).json(), STATUS);
  assert.deepEqual(await (await fetch(`${url}/api/v1/config`)).json(), CONFIG);
  const metrics = await fetch(`${url}/metrics`);
  assert.equal(metrics.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
  assert.match(await metrics.text(), /^coredns_health_request_duration_seconds_count 1$/m);
  assert.match(await (await fetch(url)).text(), /<title>Signpost<\/title>/);
});

test('the metrics server shows metrics and nothing else', async (t) => {
  const url = await open(t, '--metrics');
  assert.equal((await fetch(`${url}/metrics`)).status, 200);
  for (const path of ['/', '/health', '/ready', '/api/v1/status']) {
    assert.equal((await fetch(`${url}${path}`)).status, 404, path);
  }
});

test('the status page runs its own script and style and nothing from elsewhere', async (t) => {
  const response = await fetch(await open(t, '--admin'));
  const html = await response.text();
  const policy = response.headers.get('content-security-policy')!;
  assert.match(policy, /default-src 'none'/);
  for (const tag of ['script', 'style']) {
    const text = new RegExp(`<${tag}>([^]*)</${tag}>`).exec(html)![1]!;
    const hash = createHash('sha256').update(text).digest('base64');
    assert.ok(policy.includes(`${tag}-src 'sha256-${hash}'`), tag);
    if (tag === 'script') new Script(text);
  }
  const elsewhere = [...html.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, target]) => target!);
  for (const target of elsewhere) assert.doesNotMatch(target, /^(https?:)?\/\//);
});
