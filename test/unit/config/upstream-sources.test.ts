import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Flags, Surroundings } from '../../../src/config/flags.ts';
import { configFromFlags, type LoadedConfig } from '../../../src/config/from-flags.ts';
import { formatUpstreamAddress } from '../../../src/config/upstream-address.ts';

const CLUSTER = { clusterDns: ['10.96.0.10'] };
const OUTSIDE = { upstream: ['192.0.2.1'] };

function load(flags: Flags, env: Surroundings['env'] = {}, resolvConf?: string): LoadedConfig {
  const readFile = (path: string): string => {
    if (resolvConf === undefined) throw new Error(`ENOENT: no such file or directory, open '${path}'`);
    return resolvConf;
  };
  return configFromFlags(flags, { env, isTerminal: false, readFile });
}

const upstreams = ({ config }: LoadedConfig, zone: string): string[] | undefined =>
  config.zones.find((candidate) => candidate.zone === zone)?.upstreams.map(formatUpstreamAddress);

test('the cluster DNS is asked over TCP unless its address says otherwise, for its zone and the reverse zones', () => {
  const loaded = load({ ...OUTSIDE, clusterDns: ['10.96.0.10', 'udp://[fd00::10]:5353', '10.96.0.10:53'] });
  for (const zone of ['cluster.local.', 'in-addr.arpa.', 'ip6.arpa.']) {
    assert.deepEqual(upstreams(loaded, zone), ['tcp://10.96.0.10:53', 'udp://[fd00::10]:5353']);
  }
});

test('the cluster DNS comes from the environment, first from the Service that is for node caches', () => {
  const both = {
    KUBE_DNS_UPSTREAM_SERVICE_HOST: '10.96.0.11',
    KUBE_DNS_UPSTREAM_SERVICE_PORT: '5353',
    KUBE_DNS_SERVICE_HOST: '10.96.0.10',
  };
  assert.deepEqual(upstreams(load(OUTSIDE, both), 'cluster.local.'), ['tcp://10.96.0.11:5353']);
  const one = { KUBE_DNS_SERVICE_HOST: 'fd00::a', KUBE_DNS_UPSTREAM_SERVICE_HOST: '' };
  assert.deepEqual(upstreams(load(OUTSIDE, one), 'cluster.local.'), ['tcp://[fd00::a]:53']);
});

test('a flag for the cluster DNS beats the environment', () => {
  const loaded = load({ ...OUTSIDE, ...CLUSTER }, { KUBE_DNS_SERVICE_HOST: '10.0.0.1' });
  assert.deepEqual(upstreams(loaded, 'cluster.local.'), ['tcp://10.96.0.10:53']);
});

test('where no cluster DNS is known, the message says what to give', () => {
  assert.throws(
    () => load(OUTSIDE),
    /Cannot tell where the cluster DNS is \(--cluster-dns\).*KUBE_DNS_UPSTREAM_SERVICE_HOST.*such as --cluster-dns 10\.96\.0\.10/,
  );
});

test('an environment with something else than an address is named', () => {
  assert.throws(
    () => load(OUTSIDE, { KUBE_DNS_SERVICE_HOST: 'dns', KUBE_DNS_SERVICE_PORT: '53' }),
    /Cannot use dns:53 as the cluster DNS \(KUBE_DNS_SERVICE_HOST/,
  );
});

test('a Service address that the agent itself listens on is never asked', () => {
  const env = { KUBE_DNS_SERVICE_HOST: '10.96.0.10' };
  const flags = { ...OUTSIDE, listen: ['169.254.20.10', '10.96.0.10'] };
  assert.throws(() => load(flags, env), /Cannot tell where the cluster DNS is/);
  const loaded = load(flags, { KUBE_DNS_UPSTREAM_SERVICE_HOST: '10.96.0.10', KUBE_DNS_SERVICE_HOST: '10.96.0.12' });
  assert.deepEqual(upstreams(loaded, 'cluster.local.'), ['tcp://10.96.0.12:53']);
  assert.deepEqual(loaded.notes, [
    "KUBE_DNS_UPSTREAM_SERVICE_HOST is passed over: 10.96.0.10:53 is this agent's own listen address",
  ]);
});

test('everything else goes to the name servers of resolv.conf over UDP, with TCP where an answer is truncated', () => {
  const loaded = load(CLUSTER, {}, 'nameserver 192.0.2.1\nnameserver 127.0.0.53\n');
  assert.deepEqual(upstreams(loaded, '.'), ['udp+tcp://192.0.2.1:53', 'udp+tcp://127.0.0.53:53']);
});

test('with --upstream no resolv.conf is read', () => {
  const loaded = load({ ...CLUSTER, upstream: ['tcp://192.0.2.9'], resolvConf: '/nowhere' });
  assert.deepEqual(upstreams(loaded, '.'), ['tcp://192.0.2.9:53']);
  assert.equal(loaded.config.resolvConf, undefined);
  assert.deepEqual(loaded.notes, ['--resolv-conf is not read, since --upstream is given']);
});

test('our own address in resolv.conf is passed over with a note, and the rest is used', () => {
  const loaded = load(CLUSTER, {}, 'nameserver 169.254.20.10\nnameserver 192.0.2.1\n');
  assert.deepEqual(upstreams(loaded, '.'), ['udp+tcp://192.0.2.1:53']);
  assert.deepEqual(loaded.notes, [
    "/etc/resolv.conf: nameserver 169.254.20.10 is passed over: it is this agent's own listen address",
  ]);
});

test('our own address on another port is another server', () => {
  const loaded = load({ ...CLUSTER, listen: ['127.0.0.1:5300'] }, {}, 'nameserver 127.0.0.1\n');
  assert.deepEqual(upstreams(loaded, '.'), ['udp+tcp://127.0.0.1:53']);
});

test('a resolv.conf with nothing but our own address is an error that names a way out', () => {
  assert.throws(
    () => load(CLUSTER, {}, 'nameserver 169.254.20.10\n'),
    /\(--resolv-conf\): it has only this agent's own address \(169\.254\.20\.10\).*give --upstream/,
  );
});

test('a resolv.conf with no name server, and one that is not there, are errors', () => {
  assert.throws(
    () => load(CLUSTER, {}, 'search example\n'),
    /Cannot take upstreams from \/etc\/resolv\.conf \(--resolv-conf\): it has no usable nameserver line/,
  );
  assert.throws(() => load({ ...CLUSTER, resolvConf: '/nowhere' }), /Cannot read \/nowhere \(--resolv-conf\): ENOENT/);
});

test('a route has its upstreams and may take a reverse zone from the cluster DNS', () => {
  const loaded = load({
    ...CLUSTER,
    ...OUTSIDE,
    route: ['Corp.Example=10.1.2.3,tcp://10.1.2.4:5353', 'ip6.arpa=10.1.2.5'],
  });
  assert.deepEqual(upstreams(loaded, 'corp.example.'), ['udp+tcp://10.1.2.3:53', 'tcp://10.1.2.4:5353']);
  assert.deepEqual(upstreams(loaded, 'ip6.arpa.'), ['udp+tcp://10.1.2.5:53']);
  assert.equal(loaded.config.zones.filter((zone) => zone.zone === 'ip6.arpa.').length, 1);
});
