import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Complaints } from '../../../src/config/complaints.ts';
import type { UpstreamAddress, ZoneConfig } from '../../../src/config/config.ts';
import type { ZoneValues } from '../../../src/config/zone-values.ts';
import { zonesFrom } from '../../../src/config/zones.ts';

const address = (host: string): UpstreamAddress => ({ host, port: 53, transport: 'tcp' });
const CLUSTER_DNS = [address('10.96.0.10')];
const UPSTREAMS = [address('192.0.2.1')];
const CORP = [address('10.1.2.3')];

function zonesWith(said: Record<string, Partial<ZoneValues>>): Map<string, ZoneConfig> {
  const values = Object.entries(said).map(([zone, value]): [string, ZoneValues] => [
    zone,
    { said: { zone: { text: zone, origin: { name: 'zones' } } }, cache: {}, ...value },
  ]);
  const zones = zonesFrom(
    {
      clusterZone: 'cluster.local.',
      clusterDns: CLUSTER_DNS,
      upstreams: UPSTREAMS,
      said: new Map(values),
      policy: 'sequential',
      logSample: 7,
    },
    new Complaints(),
  );
  return new Map(zones.map((zone) => [zone.zone, zone]));
}

const CLUSTER_CACHE = {
  positiveMinSeconds: 0,
  positiveMaxSeconds: 30,
  negativeMinSeconds: 0,
  negativeMaxSeconds: 5,
  staleSeconds: 3600,
  staleTtlSeconds: 5,
  staleAfterMs: 100,
  prefetchHits: 2,
  keepLastGoodSeconds: 0,
};

const OUTSIDE_CACHE = {
  ...CLUSTER_CACHE,
  positiveMaxSeconds: 3600,
  negativeMaxSeconds: 30,
  staleTtlSeconds: 30,
  staleAfterMs: 1800,
};

test('the root is always among the zones, and last', () => {
  assert.deepEqual(
    [...zonesWith({ 'corp.example.': { upstreams: CORP } }).keys()],
    ['cluster.local.', 'in-addr.arpa.', 'ip6.arpa.', 'corp.example.', '.'],
  );
});

test('cluster names and reverse names live shortly and are bridged after 100 ms', () => {
  const zones = zonesWith({});
  for (const name of ['cluster.local.', 'in-addr.arpa.', 'ip6.arpa.']) {
    const { upstreams, tryMs, totalMs, cache } = zones.get(name)!;
    assert.deepEqual([upstreams, tryMs, totalMs, cache], [CLUSTER_DNS, 1000, 5000, CLUSTER_CACHE], name);
  }
});

test('zones with upstreams of their own, and the root, live up to an hour and are bridged after 1.8 s', () => {
  const zones = zonesWith({ 'corp.example.': { upstreams: CORP }, 'ip6.arpa.': { upstreams: CORP } });
  for (const name of ['corp.example.', 'ip6.arpa.', '.']) {
    const { upstreams, tryMs, totalMs, cache } = zones.get(name)!;
    assert.deepEqual(
      [upstreams, tryMs, totalMs, cache],
      [name === '.' ? UPSTREAMS : CORP, 2000, 5000, OUTSIDE_CACHE],
      name,
    );
  }
});

test('a zone is what is said of it, and else as all are', () => {
  const { zone, hosts, aliases, refuse, upstreams, ...rest } = zonesWith({
    'corp.example.': { upstreams: CORP, policy: 'fastest', totalMs: 3000, cache: { staleSeconds: 0 }, hasAaaa: false },
  }).get('corp.example.')!;
  assert.deepEqual(rest, {
    policy: 'fastest',
    tryMs: 2000,
    totalMs: 3000,
    cache: { ...OUTSIDE_CACHE, staleSeconds: 0 },
    hasAaaa: false,
    logSample: 7,
  });
});

test('a zone without upstreams is a part of the closest zone around it, in all that is not said of it', () => {
  const zones = zonesWith({
    'a.b.corp.example.': { hasAaaa: true },
    'corp.example.': { upstreams: CORP, tryMs: 300, hasAaaa: false, cache: { positiveMaxSeconds: 9 } },
    'b.corp.example.': { cache: { negativeMaxSeconds: 3 } },
    'svc.cluster.local.': { hasAaaa: false },
    '7.in-addr.arpa.': { logSample: 1 },
    'example.org.': { policy: 'random' },
  });
  const deep = zones.get('a.b.corp.example.')!;
  assert.deepEqual(
    [deep.upstreams, deep.tryMs, deep.hasAaaa, deep.cache.positiveMaxSeconds, deep.cache.negativeMaxSeconds],
    [CORP, 300, true, 9, 3],
  );
  assert.deepEqual(zones.get('svc.cluster.local.')!.cache, CLUSTER_CACHE);
  assert.deepEqual(zones.get('7.in-addr.arpa.')!.upstreams, CLUSTER_DNS);
  assert.deepEqual(zones.get('example.org.')!.upstreams, UPSTREAMS);
});

test('hosts entries and refused names of a zone reach its parts, and no zone with upstreams of its own', () => {
  const zones = zonesWith({
    '.': {
      hosts: [
        { address: '10.0.0.1', names: ['x.part.example.', 'y.own.example.', 'z.example.'] },
        { address: '10.0.0.2', names: ['w.part.example.'] },
      ],
      refuse: ['ads.part.example.', 'ads.own.example.', 'example.org.'],
    },
    'part.example.': { hosts: [{ address: '10.0.0.9', names: ['w.part.example.'] }] },
    'own.example.': { upstreams: CORP },
    'deep.example.org.': { hasAaaa: false },
    'deeper.deep.example.org.': {},
    'own.example.org.': { upstreams: CORP },
  });
  assert.deepEqual(zones.get('part.example.')!.hosts, [
    { address: '10.0.0.9', names: ['w.part.example.'] },
    { address: '10.0.0.1', names: ['x.part.example.'] },
  ]);
  assert.deepEqual(zones.get('part.example.')!.refuse, ['ads.part.example.']);
  assert.deepEqual(zones.get('own.example.')!.hosts, []);
  assert.deepEqual(zones.get('own.example.')!.refuse, []);
  assert.deepEqual(zones.get('deep.example.org.')!.refuse, ['deep.example.org.']);
  assert.deepEqual(zones.get('deeper.deep.example.org.')!.refuse, ['deeper.deep.example.org.']);
  assert.deepEqual(zones.get('own.example.org.')!.refuse, []);
});

test('aliases of a zone reach its parts, which may say something else, and no zone with upstreams of its own', () => {
  const alias = (from: string, to: string) => ({ from, to, said: { text: to, origin: { name: 'aliases' } } });
  const zones = zonesWith({
    '.': {
      aliases: ['a', 'b', 'c'].flatMap((name) => [
        alias(`${name}.part.example.`, 'x.example.'),
        alias(`${name}.own.example.`, 'x.example.'),
      ]),
      hosts: [{ address: '10.0.0.1', names: ['d.part.example.', 'e.part.example.'] }],
    },
    'part.example.': {
      aliases: [alias('b.part.example.', 'y.example.'), alias('d.part.example.', 'y.example.')],
      hosts: [{ address: '10.0.0.2', names: ['c.part.example.'] }],
    },
    'own.example.': { upstreams: CORP },
  });
  assert.deepEqual(zones.get('part.example.')!.aliases, [
    { from: 'b.part.example.', to: 'y.example.' },
    { from: 'd.part.example.', to: 'y.example.' },
    { from: 'a.part.example.', to: 'x.example.' },
  ]);
  assert.deepEqual(
    zones.get('part.example.')!.hosts.flatMap(({ names }) => names),
    ['c.part.example.', 'e.part.example.'],
  );
  assert.deepEqual(zones.get('own.example.')!.aliases, []);
});

test('what concerns the way to an upstream is put on those that can use it', () => {
  const upstreams: UpstreamAddress[] = [
    { host: '10.1.2.3', port: 853, transport: 'tls' },
    { host: 'fd00::3', port: 53, transport: 'udp' },
  ];
  const zone = zonesWith({
    'corp.example.': { upstreams, ca: 'PEM', source: '10.0.0.5', hasCookies: true, hasMixedCase: true },
  }).get('corp.example.')!;
  assert.deepEqual(zone.upstreams, [
    { host: '10.1.2.3', port: 853, transport: 'tls', ca: 'PEM', source: '10.0.0.5' },
    { host: 'fd00::3', port: 53, transport: 'udp', hasCookies: true, hasMixedCase: true },
  ]);
});
