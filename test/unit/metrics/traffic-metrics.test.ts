import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Register } from '../../../src/metrics/register.ts';
import { SOURCE_CACHE, SOURCE_FORWARD, SOURCE_LOCAL } from '../../../src/metrics/traffic.ts';
import { registerTrafficMetrics } from '../../../src/metrics/traffic-metrics.ts';
import { TrafficTable } from '../../../src/metrics/traffic-table.ts';
import { NO_ZONE, ZoneIds } from '../../../src/metrics/zone-ids.ts';

const SERVER = 'dns://127.0.0.1:53';

/** What the metrics page of CoreDNS 1.15 shows: name, type, labels. Dashboards select by them. */
const COREDNS: readonly [name: string, type: string, labels: string[]][] = [
  ['coredns_dns_requests_total', 'counter', ['family', 'proto', 'server', 'type', 'view', 'zone']],
  ['coredns_dns_do_requests_total', 'counter', ['server', 'view', 'zone']],
  ['coredns_dns_responses_total', 'counter', ['plugin', 'rcode', 'server', 'view', 'zone']],
  ['coredns_dns_request_duration_seconds', 'histogram', ['server', 'view', 'zone']],
  ['coredns_dns_request_size_bytes', 'histogram', ['proto', 'server', 'view', 'zone']],
  ['coredns_dns_response_size_bytes', 'histogram', ['proto', 'server', 'view', 'zone']],
];
const DURATIONS =
  '0.00025 0.0005 0.001 0.002 0.004 0.008 0.016 0.032 0.064 0.128 0.256 0.512 1.024 2.048 4.096 8.192 +Inf'.split(' ');
const SIZES = '0 100 200 300 400 511 1023 2047 4095 8291 16000 32000 48000 64000 +Inf'.split(' ');

function made() {
  const zones = new ZoneIds();
  const table = new TrafficTable(zones);
  const register = new Register();
  registerTrafficMetrics(register, table);
  return { zones, table, lines: async () => (await register.text()).split('\n') };
}

function labelsOf(line: string): Record<string, string> {
  return Object.fromEntries([...line.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name, value]));
}

/** The value of the one series of `name` that has at least these labels. */
function value(lines: string[], name: string, labels: Record<string, string>): number {
  const matching = lines.filter((line) => {
    const found = labelsOf(line);
    return line.startsWith(`${name}{`) && Object.entries(labels).every(([key, wanted]) => found[key] === wanted);
  });
  assert.equal(matching.length, 1, `one series of ${name} with ${JSON.stringify(labels)}: ${matching.join('\n')}`);
  return Number(matching[0]!.split(' ').at(-1));
}

test('names, types and labels are those of CoreDNS', async () => {
  const { zones, table, lines } = made();
  const traffic = table.open(SERVER, 'udp', 1);
  traffic.request(zones.id('.'), 1, 40, true);
  traffic.response(zones.id('.'), 0, 120, 3, SOURCE_FORWARD);
  const page = await lines();
  for (const [name, type, labels] of COREDNS) {
    assert.ok(page.includes(`# TYPE ${name} ${type}`), `${name} is a ${type}`);
    const series = page.filter((line) => line.startsWith(`${name}${type === 'histogram' ? '_sum' : ''}{`));
    assert.ok(series.length > 0, `${name} has a series`);
    for (const line of series) assert.deepEqual(Object.keys(labelsOf(line)).sort(), labels, line);
  }
  const names = page.filter((line) => line.startsWith('# TYPE')).map((line) => line.split(' ')[2]);
  assert.deepEqual(names.sort(), COREDNS.map(([name]) => name).sort());
});

test('buckets end where those of CoreDNS end', async () => {
  const { zones, table, lines } = made();
  const traffic = table.open(SERVER, 'udp', 1);
  traffic.request(zones.id('.'), 1, 40, false);
  traffic.response(zones.id('.'), 0, 120, 3, SOURCE_FORWARD);
  const page = await lines();
  const bounds = (name: string) =>
    page
      .filter((line) => line.startsWith(name))
      .map(labelsOf)
      .map(({ le }) => le);
  assert.deepEqual(bounds('coredns_dns_request_duration_seconds_bucket'), DURATIONS);
  assert.deepEqual(bounds('coredns_dns_request_size_bytes_bucket'), SIZES);
  assert.deepEqual(bounds('coredns_dns_response_size_bytes_bucket'), SIZES);
});

test('every query and answer is counted once, under its own labels', async () => {
  const { zones, table, lines } = made();
  const udp = table.open(SERVER, 'udp', 1);
  const tcp = table.open(SERVER, 'tcp', 1);
  const six = table.open('dns://[::1]:53', 'udp', 2);
  const cluster = zones.id('cluster.local.');
  udp.request(cluster, 28, 60, true);
  tcp.request(cluster, 65_280, 60, true);
  tcp.request(cluster, 99, 60, false);
  six.request(NO_ZONE, 0, 12, false);
  udp.response(cluster, 3, 130, 0, SOURCE_CACHE);
  tcp.response(cluster, 16, 23, 0, SOURCE_LOCAL);
  tcp.response(cluster, 4000, 23, 0, SOURCE_FORWARD);
  const page = await lines();
  const requests = 'coredns_dns_requests_total';
  assert.equal(value(page, requests, { server: SERVER, proto: 'udp', family: '1', type: 'AAAA' }), 1);
  assert.equal(value(page, requests, { zone: 'cluster.local.', proto: 'tcp', type: 'other', view: '' }), 2);
  assert.equal(value(page, requests, { server: 'dns://[::1]:53', family: '2', zone: 'dropped' }), 1);
  assert.equal(value(page, 'coredns_dns_do_requests_total', { server: SERVER }), 2);
  const responses = 'coredns_dns_responses_total';
  assert.equal(value(page, responses, { rcode: 'NXDOMAIN', plugin: 'cache' }), 1);
  assert.equal(value(page, responses, { rcode: 'BADVERS', plugin: 'signpost' }), 1);
  assert.equal(value(page, responses, { rcode: 'other', plugin: 'forward' }), 1);
});

test('a value on a bound belongs to the bucket that ends there', async () => {
  const { zones, table, lines } = made();
  const traffic = table.open(SERVER, 'udp', 1);
  const root = zones.id('.');
  traffic.response(root, 0, 511, 0.25, SOURCE_CACHE);
  traffic.response(root, 0, 512, 0.26, SOURCE_CACHE);
  traffic.response(root, 0, 65_535, 9000, SOURCE_FORWARD);
  const page = await lines();
  const sizes = 'coredns_dns_response_size_bytes';
  assert.equal(value(page, `${sizes}_bucket`, { le: '400' }), 0);
  assert.equal(value(page, `${sizes}_bucket`, { le: '511' }), 1);
  assert.equal(value(page, `${sizes}_bucket`, { le: '64000' }), 2);
  assert.equal(value(page, `${sizes}_bucket`, { le: '+Inf' }), 3);
  assert.equal(value(page, `${sizes}_sum`, {}), 511 + 512 + 65_535);
  const durations = 'coredns_dns_request_duration_seconds';
  assert.equal(value(page, `${durations}_bucket`, { le: '0.00025' }), 1);
  assert.equal(value(page, `${durations}_bucket`, { le: '8.192' }), 2);
  assert.equal(value(page, `${durations}_count`, {}), 3);
  assert.ok(Math.abs(value(page, `${durations}_sum`, {}) - 9.00051) < 1e-9);
});

test('UDP and TCP of a server are one where CoreDNS has no protocol label', async () => {
  const { zones, table, lines } = made();
  table.open(SERVER, 'udp', 1).response(zones.id('.'), 0, 100, 1, SOURCE_CACHE);
  table.open(SERVER, 'tcp', 1).response(zones.id('.'), 0, 100, 1, SOURCE_CACHE);
  const page = await lines();
  assert.equal(value(page, 'coredns_dns_responses_total', { server: SERVER }), 2);
  assert.equal(value(page, 'coredns_dns_request_duration_seconds_count', { server: SERVER }), 2);
});

test('a listener that is opened again goes on with its figures', () => {
  const table = new TrafficTable(new ZoneIds());
  const first = table.open(SERVER, 'udp', 1);
  assert.equal(table.open(SERVER, 'udp', 1), first);
  assert.notEqual(table.open(SERVER, 'tcp', 1), first);
});

test('the totals of the status page sum up listeners and zones', () => {
  const zones = new ZoneIds();
  const table = new TrafficTable(zones);
  for (const proto of ['udp', 'tcp'] as const) {
    const traffic = table.open(SERVER, proto, 1);
    for (const zone of ['.', 'cluster.local.']) {
      traffic.request(zones.id(zone), 1, 40, false);
      traffic.response(zones.id(zone), zone === '.' ? 2 : 0, 40, 0.1, zone === '.' ? SOURCE_FORWARD : SOURCE_CACHE);
    }
  }
  const totals = table.totals();
  assert.equal(totals.requests, 4);
  assert.equal(table.requests(zones.id('.')), 2);
  assert.deepEqual(totals.responsesBySource, { cache: 2, forward: 2, signpost: 0 });
  assert.deepEqual(totals.responsesByRcode, { NOERROR: 2, SERVFAIL: 2 });
  assert.equal(totals.durations.counts[0], 4);
  assert.equal(totals.durations.counts.length, totals.durations.boundsSeconds.length + 1);
});
