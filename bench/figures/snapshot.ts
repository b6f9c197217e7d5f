import { join } from 'node:path';
import { LINK_LOCAL, NAMES } from '../../test/netns/world/addresses.ts';
import { QueryClient } from '../../test/netns/world/query-client.ts';
import { World } from '../../test/netns/world/world.ts';
import { Child } from '../../test/servers/child.ts';
import type { Bench } from '../bench.ts';
import { BenchError } from '../bench-error.ts';
import { type Measure, OURS } from '../measure.ts';
import { uniqueNames } from '../names.ts';

const ENTRIES = 100_000;
const FILL_SECONDS = 120;

/** How soon a process that finds a snapshot has the node's queries, and the snapshot. In network namespaces; as root. */
export async function snapshot(bench: Bench): Promise<Measure[]> {
  if (process.getuid?.() !== 0) throw new BenchError('Cannot measure the snapshot: network namespaces need root');
  const world = await World.create('nftables');
  try {
    const redirected: number[] = [];
    const loaded: number[] = [];
    const ended: number[] = [];
    await fill(bench, world);
    for (let round = 0; round < bench.options.rounds; round++) {
      const client = QueryClient.start(world.pods[0], [
        { name: 'pod', host: LINK_LOCAL[4], transport: 'udp', intervalMs: 5 },
      ]);
      await client.untilAnsweredBy('cluster-dns');
      const startMs = performance.now();
      const agent = start(bench, world);
      await client.untilAnsweredBy('signpost');
      redirected.push(performance.now() - startMs);
      await agent.waitUntil('its snapshot is loaded', () => loadMs(agent) !== undefined);
      loaded.push(loadMs(agent)!);
      const stopMs = performance.now();
      await agent.stop();
      ended.push(performance.now() - stopMs);
      await client.stop();
    }
    return rows({ redirected, loaded, ended });
  } finally {
    await world.delete();
  }
}

function rows({ redirected, loaded, ended }: Record<'redirected' | 'loaded' | 'ended', number[]>): Measure[] {
  const row = (name: string, samples: number[]): Measure => ({
    name,
    unit: 'ms',
    samples: { [OURS]: samples },
    goals: [],
  });
  return [
    {
      ...row(`start until queries come, with a snapshot of ${ENTRIES.toLocaleString('en')} answers`, redirected),
      goals: [{ against: undefined, bound: 'at most', value: 500 }],
    },
    row('... from then on in the background: loading all of it', loaded),
    row('SIGTERM until the process has ended, the snapshot written', ended),
  ];
}

function start(bench: Bench, world: World): Child {
  const flags = ['--node-network', 'nftables', '--state', join(world.folder, 'state')];
  return world.startAgent(flags, { entry: bench.programs.agent });
}

function loadMs(agent: Child): number | undefined {
  const line = agent.output.split('\n').find((text) => text.includes('cache loaded from its snapshot'));
  return line === undefined ? undefined : (JSON.parse(line) as { ms: number }).ms;
}

/** Their lives are short, but they bridge a silent upstream for an hour: they are all in the snapshot. */
async function fill(bench: Bench, world: World): Promise<void> {
  const agent = start(bench, world);
  await world.untilReady(agent);
  const file = bench.queryFile('snapshot', () => uniqueNames('s', ENTRIES, NAMES.wild));
  const [first, ...rest] = world.node.prefix;
  const pace = [FILL_SECONDS, 2, 48, ENTRIES, 0].map(String);
  await new Child(first!, [...rest, bench.programs.dnsblast, LINK_LOCAL[4], '53', file, ...pace]).exit;
  await agent.stop();
}
