import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { run } from '../servers/child.ts';
import { program } from '../servers/programs.ts';
import { skipWithoutNamespaces } from './namespace.ts';
import { KUBE_DNS, LINK_LOCAL, NAMES } from './world/addresses.ts';
import { ControlGroup } from './world/control-group.ts';
import type { ProxyKind } from './world/kube-proxy.ts';
import { lanesTo, QueryClient } from './world/query-client.ts';
import { WORLD_PROGRAMS, World } from './world/world.ts';

const MODES: readonly { readonly mode: string; readonly proxy: ProxyKind }[] = [
  { mode: 'nftables', proxy: 'nftables' },
  { mode: 'iptables', proxy: 'iptables-nft' },
];

const skip = skipWithoutNamespaces(...WORLD_PROGRAMS, 'ipset', 'dnsperf');

suite('a flood and an agent with little CPU time', { skip, concurrency: true }, () => {
  for (const { mode, proxy } of MODES) {
    test(`${mode}: the switch stays armed, whatever pods send and however slow the agent is`, async () => {
      const world = await World.create(proxy);
      try {
        const hosts = [LINK_LOCAL[4], KUBE_DNS[4]];
        const agent = world.startAgent(['--node-network', mode, ...hosts.flatMap((host) => ['--listen', host])], {
          env: { KUBE_DNS_SERVICE_HOST: KUBE_DNS[4] },
        });
        await world.untilReady(agent);
        const client = QueryClient.start(world.pods[1], lanesTo(hosts, 100));
        world.own(client.child);
        await client.untilAnsweredBy('signpost');
        await flood(world, 3);
        const group = ControlGroup.create(`slow-${mode}`, { cpus: 0.1 });
        group.add(agent.pid);
        await flood(world, 5);
        const everyAnswerer = [...client.everyAnswerer];
        assert.deepEqual(
          everyAnswerer.map((name) => name.split(' ')[0]),
          ['signpost'],
        );
        const metrics = await world.scrape();
        assert.equal(metrics.sum('signpost_switch_not_serving_total'), 0);
        await agent.stop();
        group.delete();
      } finally {
        await world.delete();
      }
    });
  }
});

/** All that a pod can send, over and over, to the address that every pod asks. */
async function flood(world: World, seconds: number): Promise<void> {
  const file = join(world.folder, 'queries');
  await writeFile(file, `${NAMES.service} A\n`);
  const [pod] = world.pods;
  const [first, ...rest] = pod.prefix;
  const args = ['-s', LINK_LOCAL[4], '-d', file, '-l', `${seconds}`, '-c', '8', '-q', '20000', '-t', '1'];
  const { code, stderr } = await run(first!, [...rest, program('dnsperf'), ...args]);
  assert.equal(code, 0, stderr);
}
