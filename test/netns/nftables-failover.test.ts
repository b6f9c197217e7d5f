import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { skipWithoutNamespaces } from './namespace.ts';
import { DNS_PODS, KUBE_DNS, KUBE_DNS_UPSTREAM, LINK_LOCAL, NAMES } from './world/addresses.ts';
import type { ProxyKind } from './world/kube-proxy.ts';
import { WORLD_PROGRAMS, World } from './world/world.ts';

const skip = skipWithoutNamespaces(...WORLD_PROGRAMS);

const FAMILIES = [4, 6] as const;
const ANSWERS = { 4: '192.0.2.53', 6: '2001:db8::53' } as const;

const worlds = new Set<World>();
after(async () => {
  for (const world of worlds) await world.delete();
});

for (const kind of ['nftables', 'iptables-legacy'] as const) {
  for (const hasNoTrack of [true, false]) {
    test(`without an agent the cluster DNS answers on every listen address, behind kube-proxy by ${kind}, ${hasNoTrack ? 'untracked' : 'tracked'} queries`, {
      skip,
    }, async () => {
      const world = await worldOf(kind);
      const listen = FAMILIES.flatMap((family) => [at(LINK_LOCAL[family]), at(KUBE_DNS[family])]);
      const failovers = FAMILIES.map((family) =>
        failover(family, at(LINK_LOCAL[family]), at(KUBE_DNS_UPSTREAM[family])),
      );
      await applyRules(world, { listen, hasNoTrack, failovers });
      for (const family of FAMILIES) {
        for (const host of [LINK_LOCAL[family], KUBE_DNS[family]]) await assertAnswered(world, family, host, 53);
      }
    });
  }
}

test('other ports than 53 lead to the port of the cluster DNS, and a cluster DNS needs no Service', {
  skip,
}, async () => {
  const world = await worldOf('nftables');
  const listen = FAMILIES.map((family) => at(LINK_LOCAL[family], 5300));
  const failovers = FAMILIES.map((family, i) => failover(family, listen[i]!, at(DNS_PODS[family][0])));
  await applyRules(world, { listen, hasNoTrack: true, failovers });
  for (const family of FAMILIES) await assertAnswered(world, family, LINK_LOCAL[family], 5300);
});

test("nothing but the listen addresses' ports is touched: a neighbour's refusal arrives, on the same address too", {
  skip,
}, async () => {
  const world = await worldOf('nftables');
  await applyRules(world, { listen: [at(LINK_LOCAL[4])], hasNoTrack: true, failovers: [] });
  const refused = await world.pods[0].dig(`@${LINK_LOCAL[4]}`, '-p', '5399', NAMES.service);
  assert.match(refused, /connection refused/);
  // While on the port itself silence lets a client ask again.
  assert.doesNotMatch(await world.pods[0].dig(`@${LINK_LOCAL[4]}`, '+time=1', NAMES.service), /connection refused/);
  assert.doesNotMatch(await world.pods[0].dig(`@${LINK_LOCAL[4]}`, '+tcp', '+time=1', NAMES.service), /refused/);
});

/** A world a kind: making one takes longer than what is asked in it. */
async function worldOf(kind: ProxyKind): Promise<World> {
  const there = [...worlds].find(({ proxy }) => proxy === kind);
  if (there !== undefined) return there;
  const world = await World.create(kind);
  worlds.add(world);
  for (const family of FAMILIES) {
    for (const host of [LINK_LOCAL[family], KUBE_DNS[family]]) {
      const prefix = family === 4 ? 32 : 128;
      await world.node.run('ip', 'address', 'add', `${host}/${prefix}`, 'dev', 'lo');
    }
  }
  return world;
}

/** In the node's namespace, by a process of its own: this one is outside. */
async function applyRules(world: World, wanted: object): Promise<void> {
  const module = new URL('../../src/node-network/nftables.ts', import.meta.url).href;
  const script = `
    const { NftablesRules } = await import(process.argv[1]);
    const rules = await NftablesRules.open();
    await rules.apply(JSON.parse(process.argv[2]));
    console.log(JSON.stringify(await rules.inspect(JSON.parse(process.argv[2]))));
    rules.close();`;
  const { stdout, stderr } = await world.node.run(
    process.execPath,
    ...['--input-type=module', '--eval', script, module, JSON.stringify(wanted)],
  );
  assert.equal(stdout, '[]\n', stderr);
}

async function assertAnswered(world: World, family: 4 | 6, host: string, port: number): Promise<void> {
  for (const from of [world.pods[0], world.node]) {
    for (const transport of ['+notcp', '+tcp']) {
      const reply = await from.dig(
        `@${host}`,
        '-p',
        String(port),
        transport,
        '+short',
        NAMES.service,
        family === 4 ? 'A' : 'AAAA',
      );
      assert.equal(
        reply.trim(),
        ANSWERS[family],
        `${from === world.node ? 'host' : 'pod'} ${host}#${port} ${transport}`,
      );
    }
  }
}

function at(host: string, port = 53) {
  return { host, port };
}

function failover(family: 4 | 6, listen: object, service: object) {
  return { family, listen, service, targets: [] };
}
