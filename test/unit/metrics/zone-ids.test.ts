import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ZONES } from '../../../src/core/limits.ts';
import { NO_ZONE, ZoneIds } from '../../../src/metrics/zone-ids.ts';

test('a zone keeps its id, and ids are small and dense', () => {
  const zones = new ZoneIds();
  const cluster = zones.id('cluster.local.');
  const root = zones.id('.');
  assert.equal(zones.id('cluster.local.'), cluster);
  assert.notEqual(root, cluster);
  assert.equal(zones.name(root), '.');
  assert.equal(zones.name(NO_ZONE), 'dropped');
  assert.equal(zones.size, 3);
});

test('past the limit zones are counted together, and the limit says so', () => {
  const zones = new ZoneIds();
  const hits = ZONES.hits;
  for (let i = 0; i < ZONES.value; i++) assert.notEqual(zones.id(`zone${i}.`), NO_ZONE);
  assert.equal(zones.id('one-more.'), NO_ZONE);
  assert.equal(ZONES.hits, hits + 1);
  assert.equal(zones.id('zone0.'), 1);
});
