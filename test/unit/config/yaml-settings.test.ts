import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rootCertificates } from 'node:tls';
import type { Config, ZoneConfig } from '../../../src/config/config.ts';
import { formatUpstreamAddress } from '../../../src/config/upstream-address.ts';
import { complaintsAbout, configFromYaml, loadYaml } from './from-yaml.ts';

const AGENT_KEYS: [yaml: string, pick: (config: Config) => unknown, expected: unknown][] = [
  ['listen: 127.0.0.1:5300', ({ listen }) => listen, [{ host: '127.0.0.1', port: 5300 }]],
  ["listen: ['::1', 127.0.0.1]", ({ listen }) => listen.length, 2],
  ['metrics: off', ({ metrics }) => metrics, undefined],
  ['admin: 127.0.0.1:1234', ({ admin }) => admin?.port, 1234],
  ['clusterDns: [10.0.0.1, udp://10.0.0.2]', addresses('cluster.local.'), ['tcp://10.0.0.1:53', 'udp://10.0.0.2:53']],
  ['clusterDomain: K8s.Example.', ({ clusterDomain }) => clusterDomain, 'k8s.example'],
  ['upstreams: 9.9.9.9', addresses('.'), ['udp+tcp://9.9.9.9:53']],
  ['resolvConf: /other', addresses('.'), ['udp+tcp://192.0.2.9:53']],
  ['policy: fastest', ({ zones }) => new Set(zones.map(({ policy }) => policy)), new Set(['fastest'])],
  ['cacheSize: 1048576', ({ cacheBytes }) => cacheBytes, 1024 * 1024],
  ['cacheSize: "64MiB"', ({ cacheBytes }) => cacheBytes, 64 * 1024 * 1024],
  ['nodeNetwork: iptables', ({ nodeNetwork }) => nodeNetwork.mode, 'iptables'],
  ['interface: dns0', ({ nodeNetwork }) => nodeNetwork.interface, 'dns0'],
  ['noTrack: off', ({ nodeNetwork }) => nodeNetwork.hasNoTrack, false],
  ['state: /run/signpost', ({ state }) => state, '/run/signpost'],
  ['nodeName: node-7', ({ nodeName }) => nodeName, 'node-7'],
  ['search: complete', ({ search }) => search, 'complete'],
  ['lease: on', ({ hasLease }) => hasLease, true],
  ['nodeNames: on', ({ hasNodeNames }) => hasNodeNames, true],
  ['kubernetes: /etc/kubeconfig', ({ kubernetes }) => kubernetes, '/etc/kubeconfig'],
  ['lameduck: 0', ({ lameduckMs }) => lameduckMs, 0],
  ['logLevel: warn', ({ logLevel }) => logLevel, 'warn'],
  ['logFormat: text', ({ logFormat }) => logFormat, 'text'],
  ['logSample: 50', ({ logSample, zones }) => [logSample, zones[0]!.logSample], [50, 50]],
];

for (const [yaml, pick, expected] of AGENT_KEYS) {
  test(`the agent can be told ${yaml}`, () => {
    assert.deepEqual(pick(configFromYaml(yaml, {}, { '/other': 'nameserver 192.0.2.9\n' })), expected);
  });
}

const FILES = {
  '/hosts': '127.0.0.1 localhost\n10.0.0.7 A.corp.example b.example # c.corp.example\r\n\nfe80::1%lo0 x.corp.example\n',
  '/ca.pem': `Some words before.\n${rootCertificates[0]}\n`,
};

const ZONE_KEYS: [yaml: string, pick: (zone: ZoneConfig) => unknown, expected: unknown][] = [
  ['policy: sequential', ({ policy }) => policy, 'sequential'],
  ['tryTimeout: 500ms', ({ tryMs }) => tryMs, 500],
  ['totalTimeout: 3s', ({ totalMs }) => totalMs, 3000],
  ['source: 10.0.0.5', ({ upstreams }) => upstreams.map(({ source }) => source), ['10.0.0.5', '10.0.0.5']],
  ['cookies: on', ({ upstreams }) => upstreams[0]!.hasCookies, true],
  ['mixedCase: true', ({ upstreams }) => upstreams[0]!.hasMixedCase, true],
  ['aaaa: off', ({ hasAaaa }) => hasAaaa, false],
  ['logSample: 9', ({ logSample }) => logSample, 9],
  ['refuse: ads.Corp.Example', ({ refuse }) => refuse, ['ads.corp.example.']],
  ['refuse: [corp.example., corp.example]', ({ refuse }) => refuse, ['corp.example.']],
  [
    "hosts: ['10.0.0.5  db.corp.example  old.corp.example # why']",
    ({ hosts }) => hosts,
    [{ address: '10.0.0.5', names: ['db.corp.example.', 'old.corp.example.'] }],
  ],
  [
    "hosts: {db.corp.example: [10.0.0.5, 'FD00:0::5'], w.corp.example: 10.0.0.6}",
    ({ hosts }) => hosts.map(({ address, names }) => `${address} ${names}`),
    ['10.0.0.5 db.corp.example.', 'fd00::5 db.corp.example.', '10.0.0.6 w.corp.example.'],
  ],
  [
    'aliases: {Db.corp.example: Pg.shop.svc.cluster.local., w.corp.example.: x.corp.example}',
    ({ aliases }) => aliases,
    [
      { from: 'db.corp.example.', to: 'pg.shop.svc.cluster.local.' },
      { from: 'w.corp.example.', to: 'x.corp.example.' },
    ],
  ],
  ['hostsFile: /hosts\n    aliases: {a.corp.example: b.example}', ({ hosts }) => hosts, []],
  ['aliases:', ({ aliases }) => aliases, []],
  ['hostsFile: /hosts', ({ hosts }) => hosts, [{ address: '10.0.0.7', names: ['a.corp.example.'] }]],
  [
    'tls: {caFile: /ca.pem}',
    ({ upstreams }) => upstreams.map(({ ca }) => ca),
    [undefined, rootCertificates[0]!.trim()],
  ],
  ['cache: {minTtl: 5s}', ({ cache }) => cache.positiveMinSeconds, 5],
  ['cache: {maxTtl: 10m}', ({ cache }) => cache.positiveMaxSeconds, 600],
  ['cache: {negativeMinTtl: 1s}', ({ cache }) => cache.negativeMinSeconds, 1],
  ['cache: {negativeMaxTtl: 0}', ({ cache }) => cache.negativeMaxSeconds, 0],
  ['cache: {stale: off}', ({ cache }) => cache.staleSeconds, 0],
  ['cache: {stale: 24h}', ({ cache }) => cache.staleSeconds, 86_400],
  ['cache: {staleTtl: 10s}', ({ cache }) => cache.staleTtlSeconds, 10],
  ['cache: {staleAfter: 250ms}', ({ cache }) => cache.staleAfterMs, 250],
  ['cache: {prefetch: 5}', ({ cache }) => cache.prefetchHits, 5],
  ['cache: {prefetch: off}', ({ cache }) => cache.prefetchHits, 0],
  ['cache: {keepLastGood: 30s}', ({ cache }) => cache.keepLastGoodSeconds, 30],
];

for (const [yaml, pick, expected] of ZONE_KEYS) {
  test(`a zone can be told ${yaml}`, () => {
    const text = `zones:\n  Corp.Example:\n    upstreams: [10.1.2.3, 'tls://10.1.2.4']\n    ${yaml}\n`;
    assert.deepEqual(pick(zoneOf(configFromYaml(text, {}, FILES), 'corp.example.')), expected);
  });
}

test('upstreams of the root and of the cluster zone may stand with the zone', () => {
  const made = configFromYaml('zones:\n  .: {upstreams: 9.9.9.9}\n  cluster.local: {upstreams: 10.0.0.1, aaaa: off}\n');
  assert.deepEqual(addresses('.')(made), ['udp+tcp://9.9.9.9:53']);
  assert.equal(made.resolvConf, undefined);
  assert.deepEqual(addresses('cluster.local.')(made), ['tcp://10.0.0.1:53']);
  assert.deepEqual(addresses('ip6.arpa.')(made), ['tcp://10.0.0.1:53']);
  assert.equal(zoneOf(made, 'cluster.local.').hasAaaa, false);
});

test('a flag beats the file, key by key', () => {
  const text = [
    'listen: 127.0.0.1',
    'cacheSize: 8MiB',
    'logLevel: error',
    'clusterDns: 10.0.0.1',
    'upstreams: 9.9.9.9',
    'zones: {corp.example: {upstreams: 10.1.2.3, tryTimeout: 300ms}, other.example: {upstreams: 10.1.2.4}}',
  ].join('\n');
  const flags = {
    listen: ['127.0.0.2'],
    cacheSize: '16MiB',
    clusterDns: ['10.0.0.2'],
    upstream: ['1.1.1.1'],
    route: ['corp.example=10.9.9.9'],
  };
  const made = configFromYaml(text, flags);
  assert.deepEqual([made.listen[0]!.host, made.cacheBytes, made.logLevel], ['127.0.0.2', 16 * 1024 * 1024, 'error']);
  assert.deepEqual(addresses('cluster.local.')(made), ['tcp://10.0.0.2:53']);
  assert.deepEqual(addresses('.')(made), ['udp+tcp://1.1.1.1:53']);
  assert.deepEqual(addresses('corp.example.')(made), ['udp+tcp://10.9.9.9:53']);
  assert.equal(zoneOf(made, 'corp.example.').tryMs, 300);
  assert.deepEqual(addresses('other.example.')(made), ['udp+tcp://10.1.2.4:53']);
});

test('a value that a flag beats must be right all the same', () => {
  assert.deepEqual(complaintsAbout('logLevel: loud', { logLevel: 'info' }), [
    'signpost.yaml:1: Cannot set logLevel to loud: expected debug, info, warn, error',
  ]);
});

test('a resolv.conf that is not needed is said not to be read', () => {
  assert.deepEqual(loadYaml('upstreams: 9.9.9.9', { resolvConf: '/nowhere' }).notes, [
    '--resolv-conf is not read, since upstreams in signpost.yaml:1 is given',
  ]);
});

test('a line of a hosts file that cannot be read is passed over with a note, and so are many', () => {
  const bad = Array.from({ length: 12 }, () => 'nonsense').join('\n');
  const { notes, config } = loadYaml(
    'zones: {corp.example: {upstreams: 10.1.2.3, hostsFile: /hosts}}',
    {},
    {
      '/hosts': `10.0.0.1 a.corp.example\n10.0.0.2\n${bad}`,
    },
  );
  assert.equal(zoneOf(config, 'corp.example.').hosts.length, 1);
  assert.equal(
    notes[0],
    '/hosts:2: the line is passed over: there is no name; expected an address and its names, such as 10.1.2.3 db.corp.example',
  );
  assert.equal(notes.length, 11);
  assert.equal(notes.at(-1), '/hosts: 3 more lines are passed over');
});

test('zones and settings without anything in them are as if they were not there', () => {
  assert.deepEqual(configFromYaml('zones:\n'), configFromYaml('{}'));
  const made = configFromYaml('zones:\n  corp.example:\n  other.example:\n    cache:\n    tls:\n');
  assert.deepEqual(addresses('corp.example.')(made), ['udp+tcp://192.0.2.1:53']);
});

function addresses(zone: string): (config: Config) => string[] {
  return (config) => zoneOf(config, zone).upstreams.map(formatUpstreamAddress);
}

function zoneOf({ zones }: Config, name: string): ZoneConfig {
  const zone = zones.find((candidate) => candidate.zone === name);
  assert.ok(zone, `no zone ${name}`);
  return zone;
}
