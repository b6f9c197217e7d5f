import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changedNames } from '../../../src/agent/zone-changes.ts';
import type { Config, ZoneConfig } from '../../../src/config/config.ts';
import { configFromFlags } from '../../../src/config/from-flags.ts';
import { atOnce } from '../../../src/core/slices.ts';

const FLAGS = { clusterDns: ['10.96.0.10'], upstream: ['192.0.2.1'], route: ['corp.example=10.1.2.3,10.1.2.4'] };
const BASE = configFromFlags(FLAGS, { env: {}, isTerminal: false, readFile: () => '' }).config;

/** The configuration with something else said of corp.example. */
function corp(change: Partial<ZoneConfig>): Config {
  return { ...BASE, zones: BASE.zones.map((zone) => (zone.zone === 'corp.example.' ? { ...zone, ...change } : zone)) };
}

function changes(before: Config, after: Config): string[] {
  return [...atOnce(changedNames(before, after))].toSorted();
}

const zone = BASE.zones.find(({ zone: name }) => name === 'corp.example.')!;

test('how a zone is asked, waited for and logged changes no answer', () => {
  assert.deepEqual(changes(BASE, structuredClone(BASE)), []);
  const alike = {
    policy: 'sequential',
    tryMs: 1,
    totalMs: 2,
    logSample: 3,
    upstreams: zone.upstreams.toReversed(),
  } as const;
  assert.deepEqual(changes(BASE, corp(alike)), []);
  assert.deepEqual(changes(BASE, corp({ cache: { ...zone.cache, positiveMaxSeconds: 7200, staleSeconds: 0 } })), []);
});

test('other upstreams, no AAAA and shorter lives change a whole zone', () => {
  const { cache } = zone;
  for (const change of [
    { upstreams: zone.upstreams.slice(1) },
    { upstreams: zone.upstreams.map((address) => ({ ...address, transport: 'tcp' as const })) },
    { hasAaaa: false },
    { cache: { ...cache, positiveMaxSeconds: 5 } },
    { cache: { ...cache, negativeMaxSeconds: 5 } },
  ]) {
    assert.deepEqual(changes(BASE, corp(change)), ['corp.example.']);
  }
});

test('a zone that is new or gone is changed, and so is another cluster domain', () => {
  const without = { ...BASE, zones: BASE.zones.filter((each) => each !== zone) };
  assert.deepEqual(changes(BASE, without), ['corp.example.']);
  assert.deepEqual(changes(without, BASE), ['corp.example.']);
  assert.deepEqual(changes(BASE, { ...BASE, clusterDomain: 'k8s.local' }), ['cluster.local.', 'k8s.local.']);
});

test('hosts entries, aliases and refused names change what they are about', () => {
  const hosts = [{ address: '192.0.2.7', names: ['www.corp.example.'] }];
  const about = ['7.2.0.192.in-addr.arpa.', 'www.corp.example.'];
  assert.deepEqual(changes(BASE, corp({ hosts })), about);
  assert.deepEqual(changes(corp({ hosts }), BASE), about);
  const more = [...hosts, { address: '192.0.2.8', names: ['mail.corp.example.'] }];
  assert.deepEqual(changes(corp({ hosts }), corp({ hosts: more })), ['8.2.0.192.in-addr.arpa.', 'mail.corp.example.']);
  assert.deepEqual(changes(BASE, corp({ refuse: ['bad.corp.example.'] })), ['bad.corp.example.']);
  const aliases = [{ from: 'a.corp.example.', to: 'x.other.example.' }];
  assert.deepEqual(changes(BASE, corp({ aliases })), ['a.corp.example.']);
  const elsewhere = [{ from: 'a.corp.example.', to: 'y.other.example.' }];
  assert.deepEqual(changes(corp({ aliases }), corp({ aliases: elsewhere })), ['a.corp.example.']);
});

test('an alias is changed with what it leads to', () => {
  const aliases = [{ from: 'a.corp.example.', to: 'x.other.example.' }];
  const before = corp({ aliases });
  const root = (config: Config): Config => ({
    ...config,
    zones: config.zones.map((each) => (each.zone === '.' ? { ...each, hasAaaa: false } : each)),
  });
  assert.deepEqual(changes(before, root(before)), ['.', 'a.corp.example.']);
});
