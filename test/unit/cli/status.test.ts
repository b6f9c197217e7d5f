import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Status, UpstreamStatus } from '../../../src/admin/status.ts';
import { statusText } from '../../../src/cli/status-text.ts';
import { TrafficTable } from '../../../src/metrics/traffic-table.ts';
import { ZoneIds } from '../../../src/metrics/zone-ids.ts';
import { run } from '../../servers/child.ts';
import { freePort } from '../../servers/free-port.ts';

const ENTRY = fileURLToPath(new URL('../../../bin/signpost.js', import.meta.url));

const CLUSTER: UpstreamStatus = {
  address: 'tcp://10.96.0.10:53',
  transport: 'tcp',
  state: 'up',
  healthy: true,
  rank: 0,
  roundTripMs: 0.42,
  p95Ms: 1.19,
  inFlight: 3,
  connections: 2,
  failures: 0,
  lastError: null,
};

const STATUS: Status = {
  version: '1.2.3',
  node: 'node-7',
  uptimeSeconds: 93_784,
  ready: false,
  reasons: [
    { name: 'listeners', ok: true, message: 'all addresses are bound' },
    { name: 'lameduck', ok: false, message: 'stopping: still answering what comes' },
    { name: 'configuration', ok: true, warning: true, message: 'the files are bad: a.yaml:1: …\na.yaml:2: …' },
  ],
  listen: ['169.254.20.10:53'],
  traffic: { ...new TrafficTable(new ZoneIds()).totals(), responsesByRcode: { NOERROR: 990, SERVFAIL: 10 } },
  zones: [
    { zone: 'cluster.local.', policy: 'random', requests: 1, upstreams: [CLUSTER] },
    {
      zone: 'in-addr.arpa.',
      policy: 'random',
      requests: 1,
      upstreams: [{ ...CLUSTER, state: 'looped', healthy: false }],
    },
    { zone: 'ip6.arpa.', policy: 'random', requests: 1, upstreams: [{ ...CLUSTER, state: 'looped', healthy: false }] },
    {
      zone: '.',
      policy: 'fastest',
      requests: 1,
      upstreams: [
        {
          address: 'udp://192.0.2.1:53',
          transport: 'udp',
          state: 'down',
          healthy: false,
          rank: 0,
          roundTripMs: 31.6,
          p95Ms: null,
          inFlight: 0,
          connections: 0,
          failures: 12,
          lastError: { reason: 'ECONNREFUSED', time: '2026-01-02T03:04:05.678Z' },
        },
      ],
    },
  ],
  cache: { bytes: 3 * 2 ** 20, budgetBytes: 32 * 2 ** 20, entries: 12_000, hits: 900, misses: 100, stale: 4 },
  limits: [
    { name: 'in_flight', value: 4096, hits: 0 },
    { name: 'waiters', value: 4, hits: 7 },
  ],
  residentBytes: 1,
  handOver: null,
  network: null,
};

test("the node's network and the hand-over have a line where there are any, and an older agent that says nothing of them is shown as well", () => {
  const network = {
    mode: 'nftables',
    modeReason: 'asked for',
    state: 'armed',
    link: 'signpost0',
    addresses: ['169.254.20.10'],
    rules: { listen: [], hasNoTrack: true, failovers: [] },
    renewals: 9,
    renewedSecondsAgo: 0.42,
    notServing: 0,
    repairs: { 'rules-missing': 2, 'address-missing': 1 },
    errors: {},
    findings: [],
  };
  const standby = { pod: 'pod-6', pid: 1, generation: 6 };
  const handOver = { role: 'serving', generation: 7, arrival: 'taken', standbys: [standby] };
  const text = statusText({ ...STATUS, network, handOver });
  assert.match(text, /^network +nftables on signpost0, armed, switch renewed 0\.4 s ago, repaired 3x$/m);
  assert.match(text, /^hand-over +serving, generation 7, 1 standing by$/m);
  const { network: _network, handOver: _handOver, ...older } = STATUS;
  assert.doesNotMatch(statusText(older as Status), /^(network|hand-over)/m);
});

async function serve(t: TestContext, body: string): Promise<string> {
  const server = createServer((_request, response) => response.end(body)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const status = (...args: string[]) => run(process.execPath, [ENTRY, 'status', ...args]);

test('the report says what is wrong, and has a line for each server and each way that it stands', () => {
  const text = statusText(STATUS);
  assert.match(text, /^agent +version 1\.2\.3 on node-7, up 1d2h$/m);
  assert.match(text, /^ready +no\n +lameduck: stopping/m);
  assert.match(text, /^ +configuration: the files are bad: a\.yaml:1: …\n +a\.yaml:2: …$/m);
  assert.match(text, /^answers +1000, 1\.0% of them SERVFAIL$/m);
  assert.match(text, /^limits +hit since the start: waiters 7x$/m);
  const rows = text.slice(text.indexOf('UPSTREAM')).trimEnd().split('\n');
  assert.deepEqual(
    rows.slice(1).map((row) => row.split(/ {2,}/)),
    [
      ['tcp://10.96.0.10:53', 'yes', 'up', '0', '0.4ms', '1.2ms', '3', '2', '0', '-', 'cluster.local.'],
      ['tcp://10.96.0.10:53', 'no', 'looped', '0', '0.4ms', '1.2ms', '3', '2', '0', '-', 'in-addr.arpa. ip6.arpa.'],
      ['udp://192.0.2.1:53', 'no', 'down', '0', '32ms', '-', '0', '0', '12', 'ECONNREFUSED 2026-01-02T03:04:05Z', '.'],
    ],
  );
});

test('of the DNS pods and the address of their Service each has its rank', () => {
  const pod = { ...CLUSTER, address: 'tcp://10.244.1.7:53' };
  const zone = (name: string, upstreams: UpstreamStatus[]) => ({ ...STATUS.zones[0]!, zone: name, upstreams });
  const zones = [zone('cluster.local.', [pod, { ...CLUSTER, rank: 1 }]), zone('shop.example.', [CLUSTER])];
  const rows = statusText({ ...STATUS, zones })
    .split('\n')
    .slice(-4, -1);
  assert.deepEqual(
    rows.map((row) => row.split(/ {2,}/)).map((cells) => [cells[0], cells[3], cells.at(-1)]),
    [
      ['tcp://10.244.1.7:53', '0', 'cluster.local.'],
      ['tcp://10.96.0.10:53', '1', 'cluster.local.'],
      ['tcp://10.96.0.10:53', '0', 'shop.example.'],
    ],
  );
});

test('it asks the admin address, and --json gives what that said', async (t) => {
  const admin = await serve(t, JSON.stringify(STATUS));
  const text = await status('--admin', admin);
  assert.deepEqual([text.code, text.stdout, text.stderr], [0, statusText(STATUS), '']);
  const json = await status('--admin', admin, '--json');
  assert.deepEqual(JSON.parse(json.stdout), STATUS);
});

test('where no agent answers it ends with 3 and says whom it asked', async (t) => {
  const silent = `127.0.0.1:${await freePort()}`;
  const other = await serve(t, '{"hello":"world"}');
  for (const admin of [silent, other]) {
    const { code, stdout, stderr } = await status('--admin', admin);
    assert.deepEqual([code, stdout], [3, '']);
    assert.match(stderr, new RegExp(`^Cannot ask ${admin} \\(--admin\\): .*--admin IP`));
  }
});

test('an address that is none ends with 2', async () => {
  const { code, stderr } = await status('--admin', 'localhost');
  assert.equal(code, 2);
  assert.match(stderr, /--admin/);
});
