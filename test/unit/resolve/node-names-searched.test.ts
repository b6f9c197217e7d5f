import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { brief, SearchingWorld, TEAM1 } from './searching-world.ts';

const NODE = 'node-1.example.test';

async function worldWith(addresses: readonly string[], options = {}): Promise<SearchingWorld> {
  const world = new SearchingWorld({}, {}, options);
  await know(world, addresses);
  return world;
}

async function know({ house }: SearchingWorld, addresses: readonly string[] | undefined): Promise<void> {
  house.nodeNames.change(new Map([[NODE, addresses]]));
  await turn();
}

test("a pod's search ends at a node's name, and never leads it elsewhere", async () => {
  const world = await worldWith(['10.0.0.1']);
  const [ipv4, ipv6] = await world.both(`${NODE}.${TEAM1}`);
  assert.match(brief(ipv4), /node-1\.example\.test.*A=0a000001/);
  assert.doesNotMatch(brief(ipv6), /AAAA=/);
  await know(world, ['10.0.0.9']);
  assert.match(brief(await world.ask(`${NODE}.${TEAM1}`, 'A')), /A=0a000009/);
  assert.doesNotMatch(world.take().join(), /node-1\.example\.test\.? A/);
});

test("a node's first label is no name of the cluster: the search goes through, and the name itself is answered", async () => {
  const world = await worldWith(['10.0.0.1']);
  for (const suffix of [TEAM1, 'svc.cluster.local', 'cluster.local']) {
    assert.match(brief(await world.ask(`node-1.${suffix}`, 'A')), /^NXDOMAIN/);
  }
  assert.match(brief(await world.ask('node-1', 'A')), /A=0a000001/);
});

test('what is looked up ahead of a pod leaves nothing in the cache that hides a node', async () => {
  const world = await worldWith(['10.0.0.1'], { isCompleting: false, hasSearch: true });
  for (const suffix of [TEAM1, 'svc.cluster.local', 'cluster.local']) await world.ask(`${NODE}.${suffix}`, 'A');
  assert.match(brief(await world.ask(NODE, 'A')), /A=0a000001/);
  assert.doesNotMatch(world.take().join('\n'), /^node-1\.example\.test\.? A/m);
  await know(world, ['10.0.0.9']);
  assert.match(brief(await world.ask(NODE, 'A')), /A=0a000009/);
});
