import type { Bench } from '../bench.ts';
import { type Measure, OURS } from '../measure.ts';
import { inRounds, pick } from '../rounds.ts';
import type { Server } from '../servers/server.ts';
import { askMisses, ROUND_TRIP_MS, type TwoPaths, withTwoPaths } from '../two-paths.ts';

const WARM_UP_SECONDS = 2;
const SLOWER_MS = 200;

/** One of two upstreams takes 200 ms longer than the other; against the good one alone. */
export async function slowUpstream(bench: Bench): Promise<Measure[]> {
  const [both, alone] = await withTwoPaths(bench, async (paths) => {
    const results = await inRounds(bench.options.rounds, paths.servers, (server) => measureSlow(bench, paths, server));
    paths.first.delayMs = ROUND_TRIP_MS;
    return [results, await inRounds(bench.options.rounds, [paths.ofOne], (server) => measureAlone(bench, server))];
  });
  const aloneMs = alone.get(OURS)!;
  const times = [...both].map(([name, list]) => [name, list.map(({ p99Us }, i) => p99Us / aloneMs[i]!)]);
  return [
    {
      name: `p99 with one upstream of two ${SLOWER_MS} ms slower, of that with the good one alone`,
      unit: 'times',
      samples: Object.fromEntries(times),
      goals: [{ against: undefined, bound: 'at most', value: 1.3 }],
    },
    { name: '... p99', unit: 'ms', samples: pick(both, ({ p99Us }) => p99Us / 1000), goals: [] },
    {
      name: '... questions more than were asked',
      unit: '%',
      samples: pick(both, ({ extraPercent }) => extraPercent),
      goals: [{ against: undefined, bound: 'at most', value: 5 }],
    },
  ];
}

async function measureSlow(bench: Bench, { first }: TwoPaths, server: Server) {
  first.delayMs = ROUND_TRIP_MS + SLOWER_MS;
  return bench.withServer(server, async (running) => {
    await askMisses(bench, running, WARM_UP_SECONDS);
    const before = await bench.upstream.queries();
    const { p99Us, answered } = await askMisses(bench, running, bench.options.seconds);
    const asked = (await bench.upstream.queries()) - before;
    return { p99Us, extraPercent: (asked / answered - 1) * 100 };
  });
}

async function measureAlone(bench: Bench, server: Server): Promise<number> {
  return bench.withServer(server, async (running) => {
    await askMisses(bench, running, WARM_UP_SECONDS);
    return (await askMisses(bench, running, bench.options.seconds)).p99Us;
  });
}
