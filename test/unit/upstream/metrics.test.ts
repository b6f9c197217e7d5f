import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Register } from '../../../src/metrics/register.ts';
import { registerUpstreamMetrics } from '../../../src/upstream/metrics.ts';
import { ask, setUp, zone } from './asking.ts';
import { answerTo, ScriptedServer } from './scripted-server.ts';

test('the page shows what was asked, under the names and labels of CoreDNS and our own', async (t) => {
  const server = await ScriptedServer.start(({ label, query, reply, overTcp }) => {
    const garbled = answerTo(query);
    garbled[13]! ^= 1;
    reply(garbled);
    reply(answerTo(query, { rcode: label === 'none' ? 3 : 0, isTruncated: !overTcp }));
  });
  const { upstreams, forwarder } = setUp([server.address], { transport: 'udp' });
  t.after(() => [upstreams.close(), server.close()]);
  const register = new Register();
  registerUpstreamMetrics(register, upstreams);
  await ask(forwarder, 'a.test');
  await ask(forwarder, 'none.test');
  const to = `127.0.0.1:${server.port}`;
  const page = await register.text();
  const expected = [
    `coredns_proxy_request_duration_seconds_bucket{le="0.00025",proxy_name="forward",to="${to}",rcode="NOERROR"}`,
    `coredns_proxy_request_duration_seconds_bucket{le="8.192",proxy_name="forward",to="${to}",rcode="NOERROR"} 1`,
    `coredns_proxy_request_duration_seconds_count{proxy_name="forward",to="${to}",rcode="NXDOMAIN"} 1`,
    `coredns_proxy_conn_cache_hits_total{proxy_name="forward",to="${to}",proto="tcp"} 1`,
    `coredns_proxy_conn_cache_misses_total{proxy_name="forward",to="${to}",proto="tcp"} 1`,
    `coredns_proxy_healthcheck_failures_total{proxy_name="forward",to="${to}"} 0`,
    'coredns_forward_healthcheck_broken_total 0',
    'coredns_forward_max_concurrent_rejects_total 0',
    `signpost_upstream_up{to="${to}",transport="udp"} 1`,
    `signpost_upstream_in_flight{to="${to}",transport="udp"} 0`,
    `signpost_upstream_connections{to="${to}",transport="udp",proto="tcp"} 1`,
    `signpost_upstream_truncated_total{to="${to}",transport="udp"} 2`,
    `signpost_upstream_bad_replies_total{to="${to}",transport="udp",reason="question"} 4`,
  ];
  for (const line of expected) assert.ok(page.includes(line), `${line}\n${page}`);
});

test('a server that is asked over UDP and TCP has one series under the names of CoreDNS', async (t) => {
  const server = await ScriptedServer.start(({ query, reply }) => reply(answerTo(query)));
  const { upstreams } = setUp([]);
  t.after(() => [upstreams.close(), server.close()]);
  const register = new Register();
  registerUpstreamMetrics(register, upstreams);
  const zones = (['udp', 'tcp'] as const).map((transport) =>
    zone(`${transport}.test.`, [{ ...server.address, transport }]),
  );
  for (const forwarder of upstreams.apply(zones).values()) await ask(forwarder, 'n.test');
  const series = (await register.text())
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split(' ')[0]);
  assert.equal(new Set(series).size, series.length);
  assert.match(await register.text(), /coredns_proxy_request_duration_seconds_count\{[^}]*NOERROR"\} 2/);
});

test('a server that zones ask with other settings is one series, and down where it is down for one', async (t) => {
  const server = await ScriptedServer.start(({ query, reply }) => reply(answerTo(query)));
  const { upstreams } = setUp([]);
  t.after(() => [upstreams.close(), server.close()]);
  const register = new Register();
  registerUpstreamMetrics(register, upstreams);
  const address = { ...server.address, transport: 'tcp' } as const;
  const zones = [zone('a.test.', [address]), zone('b.test.', [{ ...address, hasMixedCase: true }])];
  for (const forwarder of upstreams.apply(zones).values()) await ask(forwarder, 'n.test');
  const [first] = upstreams.list();
  for (let i = 0; i < 3; i++) first!.health.failed('timeout');
  const lines = (await register.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const series = lines.map((line) => line.replace(/ [^ ]*$/, ''));
  assert.equal(new Set(series).size, series.length);
  const labels = `{to="127.0.0.1:${server.port}",transport="tcp"`;
  assert.ok(lines.includes(`signpost_upstream_up${labels}} 0`));
  assert.ok(lines.includes(`signpost_upstream_connections${labels},proto="tcp"} 2`));
});
