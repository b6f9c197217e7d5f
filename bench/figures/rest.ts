import { setTimeout as sleep } from 'node:timers/promises';
import { KUBE_DNS, LINK_LOCAL } from '../../test/netns/world/addresses.ts';
import type { ProxyKind } from '../../test/netns/world/kube-proxy.ts';
import { World } from '../../test/netns/world/world.ts';
import type { Bench } from '../bench.ts';
import { BenchError } from '../bench-error.ts';
import { type Measure, OURS } from '../measure.ts';
import { cpuSecondsOfAll } from '../processes.ts';

const MODES: readonly { readonly mode: string; readonly proxy: ProxyKind }[] = [
  { mode: 'nftables', proxy: 'nftables' },
  { mode: 'iptables', proxy: 'iptables-nft' },
  { mode: 'iptables', proxy: 'iptables-legacy' },
];
const HOSTS = [LINK_LOCAL[4], LINK_LOCAL[6], KUBE_DNS[4], KUBE_DNS[6]];
const SETTLE_MS = 10_000;
const SECONDS = 60;

/** What the switch and the looks at the node's network cost while nobody asks anything: an agent with them against one without. In network namespaces; as root. */
export async function rest(bench: Bench): Promise<Measure[]> {
  if (process.getuid?.() !== 0) throw new BenchError('Cannot measure an agent at rest: network namespaces need root');
  const measures: Measure[] = [];
  for (const { mode, proxy } of MODES) {
    const world = await World.create(proxy);
    try {
      const samples: number[] = [];
      for (let round = 0; round < bench.options.rounds; round++) {
        const without = await percentAtRest(bench, world, 'interface');
        samples.push((await percentAtRest(bench, world, mode)) - without);
      }
      measures.push({
        name: `${mode} (kube-proxy: ${proxy}): CPU of renewals and looks at rest`,
        unit: '% of a core',
        samples: { [OURS]: samples },
        goals: [{ against: undefined, bound: 'at most', value: 0.2 }],
      });
    } finally {
      await world.delete();
    }
  }
  return measures;
}

/** The agent's own time, that of tools that it has run to their end, and of those that run with it. */
async function percentAtRest(bench: Bench, world: World, mode: string): Promise<number> {
  const listen = HOSTS.flatMap((host) => ['--listen', host]);
  const agent = world.startAgent(['--node-network', mode, ...listen], {
    env: { KUBE_DNS_SERVICE_HOST: KUBE_DNS[4] },
    entry: bench.programs.agent,
  });
  await world.untilReady(agent);
  await sleep(SETTLE_MS);
  const before = cpuSecondsOfAll(agent.pid);
  await sleep(SECONDS * 1000);
  const percent = ((cpuSecondsOfAll(agent.pid) - before) * 100) / SECONDS;
  await agent.stop();
  return percent;
}
