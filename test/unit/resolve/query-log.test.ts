import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger } from '../../../src/core/logger.ts';
import { a, NODATA, SearchingWorld, TEAM1 } from './completion/searching-world.ts';
import { House } from './house.ts';

const NAME = 'www.example.com';
const CLUSTER_NAME = 'web.shop.svc.cluster.local';

/** A house whose log is read after the turn of the loop in which lines are made. */
function logging() {
  const names: unknown[] = [];
  const log = { ...silentLogger, info: (fields: object) => names.push((fields as { name: string }).name) };
  const house = new House(undefined, { log });
  const ids = { outside: house.zones.id('.'), cluster: house.zones.id('cluster.local.') };
  const sample = (outside: number, cluster: number) => {
    const every = new Array<number>(house.zones.size).fill(0);
    every[ids.outside] = outside;
    every[ids.cluster] = cluster;
    house.queryLog.sample(every);
  };
  const logged = async () => {
    await new Promise((resolve) => setImmediate(resolve));
    return names.splice(0);
  };
  return { house, sample, logged };
}

test('one query in so many of a zone is logged, hits and misses alike, and nothing of other zones', async () => {
  const { house, sample, logged } = logging();
  sample(3, 0);
  house.ask({ name: NAME, type: 'A' });
  house.outside.answer({ answers: [{ type: 'A', name: NAME, ttl: 60, data: '192.0.2.1' }] });
  for (let i = 0; i < 5; i++) house.ask({ name: NAME, type: 'A' });
  for (let i = 0; i < 5; i++) house.ask({ name: CLUSTER_NAME, type: 'A' });
  assert.deepEqual(await logged(), [`${NAME}.`, `${NAME}.`]);
});

test('each zone has a share of its own, and a reload changes it', async () => {
  const { house, sample, logged } = logging();
  sample(0, 0);
  house.ask({ name: NAME, type: 'A' });
  assert.equal(house.queryLog.isOn, false);
  assert.deepEqual(await logged(), []);
  sample(1, 2);
  for (let i = 0; i < 2; i++) house.ask({ name: NAME, type: 'A' });
  for (let i = 0; i < 2; i++) house.ask({ name: CLUSTER_NAME, type: 'A' });
  assert.deepEqual(await logged(), [`${NAME}.`, `${NAME}.`, `${CLUSTER_NAME}.`]);
});

test('a search that is completed is logged with its client, once, also where its answer is waited for', async () => {
  const lines: unknown[] = [];
  const log = { ...silentLogger, info: (fields: object) => lines.push(fields) };
  // Nothing is kept of a TTL of 0, so the target is asked for each time.
  const world = new SearchingWorld({ [`${NAME} A`]: a(NAME, '192.0.2.1', 0), [`${NAME} AAAA`]: NODATA }, {}, { log });
  world.house.queryLog.sample(new Array<number>(world.house.zones.size).fill(1));
  const line = {
    client: '192.0.2.9:4242',
    proto: 'udp',
    name: `${NAME}.${TEAM1}.`,
    type: 'A',
    oneIn: 1,
  };
  for (const time of ['decided', 'decided before']) {
    await world.ask(`${NAME}.${TEAM1}`, 'A');
    assert.deepEqual(lines.splice(0), [line], time);
  }
});
