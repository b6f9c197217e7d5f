import assert from 'node:assert/strict';
import { test } from 'node:test';
import { zonesFrom } from '../../../src/config/zones.ts';

const CLUSTER_DNS = [{ host: '10.96.0.10', port: 53, transport: 'tcp' as const }];
const UPSTREAMS = [{ host: '192.0.2.1', port: 53, transport: 'udp+tcp' as const }];

const zones = zonesFrom({
  clusterZone: 'cluster.local.',
  clusterDns: CLUSTER_DNS,
  upstreams: UPSTREAMS,
  routes: [{ zone: 'corp.example.', upstreams: UPSTREAMS }],
  policy: 'sequential',
  logSample: 0,
});

test('cluster names and reverse names live shortly and are bridged after 100 ms', () => {
  for (const zone of zones.slice(0, 3)) {
    assert.deepEqual([zone.upstreams, zone.tryMs, zone.totalMs], [CLUSTER_DNS, 1000, 5000]);
    assert.deepEqual(zone.cache, {
      positiveMinSeconds: 0,
      positiveMaxSeconds: 30,
      negativeMinSeconds: 0,
      negativeMaxSeconds: 5,
      staleSeconds: 3600,
      staleTtlSeconds: 5,
      staleAfterMs: 100,
      prefetchHits: 2,
      keepLastGoodSeconds: 0,
    });
  }
});

test('routes and the root live up to an hour and are bridged after 1.8 s', () => {
  for (const zone of zones.slice(3)) {
    assert.deepEqual([zone.upstreams, zone.tryMs, zone.totalMs], [UPSTREAMS, 2000, 5000]);
    assert.deepEqual(zone.cache, {
      positiveMinSeconds: 0,
      positiveMaxSeconds: 3600,
      negativeMinSeconds: 0,
      negativeMaxSeconds: 30,
      staleSeconds: 3600,
      staleTtlSeconds: 30,
      staleAfterMs: 1800,
      prefetchHits: 2,
      keepLastGoodSeconds: 0,
    });
  }
});

test('the root is always among the zones, and every zone is there once', () => {
  assert.deepEqual(
    zones.map((zone) => zone.zone),
    ['cluster.local.', 'in-addr.arpa.', 'ip6.arpa.', 'corp.example.', '.'],
  );
});
