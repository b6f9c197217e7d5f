import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { a, brief, SearchingWorld, TEAM1 } from './completion/searching-world.ts';

const NODE = 'node-1.example.test';

async function worldWith(addresses: readonly string[], options = {}): Promise<SearchingWorld> {
  const world = new SearchingWorld({}, {}, options);
  await know(world, addresses);
  return world;
}

async function know({ house }: SearchingWorld, addresses: readonly string[] | undefined): Promise<void> {
  house.nodeNames.change(new Map([[NODE, addresses]]));
  await inForce();
}

/** Each turn takes a step at least, of a name or two. */
async function inForce(): Promise<void> {
  for (let turns = 0; turns < 200; turns++) await turn();
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

test('a node that is called like a Service, a domain or the cluster hides none of them from a search', async () => {
  const names = [
    'web',
    'kubernetes',
    'svc',
    'com',
    'local',
    'cluster',
    'cluster.local',
    'svc.cluster.local',
    'localhost',
  ];
  const services = ['web.team1.svc.cluster.local', 'kubernetes.default.svc.cluster.local'];
  for (const isCompleting of [true, false]) {
    const answers = Object.fromEntries(
      [...services, 'www.shop.com'].map((name) => [`${name} A`, a(name, '192.0.2.7')]),
    );
    const world = new SearchingWorld(answers, {}, { isCompleting, hasSearch: true });
    world.house.nodeNames.change(new Map(names.map((name) => [name, ['10.0.0.1']])));
    await inForce();
    for (const name of [...services, 'www.shop.com'])
      assert.match(brief(await world.ask(name, 'A')), /A=c0000207/, name);
    if (isCompleting) assert.match(brief(await world.ask(`kubernetes.default.${TEAM1}`, 'A')), /A=c0000207/);
    assert.match(brief(await world.ask(`com.${TEAM1}`, 'A')), /^NXDOMAIN/);
    assert.match(brief(await world.ask('localhost', 'A')), /A=7f000001/);
  }
});
