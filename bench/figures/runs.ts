import type { Bench } from '../bench.ts';
import type { Measure } from '../measure.ts';
import { inRounds, pick, pickBusy } from '../rounds.ts';
import { WARM_UP_SECONDS } from './hits.ts';

/**
 * Hits when those queries that leave together come in the order of their lengths. A server that answers neighbours of one length together gains by it, and
 * how much so shows what it would gain from clients that ask in such runs.
 */
export async function runs(bench: Bench): Promise<Measure[]> {
  const servers = bench.present(bench.ours, bench.coredns, bench.unbound, bench.limit, ...bench.peers);
  const weights = await inRounds(bench.options.rounds, servers, (server) =>
    bench.withServer(server, async (running) => {
      const file = bench.zipfFile();
      await bench.warm(running);
      await bench.ask(running, file, { seconds: WARM_UP_SECONDS });
      return bench.weigh(running, file, { seconds: bench.options.seconds, isSorted: true });
    }),
  );
  return [
    {
      name: 'hits a second, queries sorted by length',
      unit: '1/s',
      samples: pick(weights, ({ answersPerSecond }) => answersPerSecond),
      goals: [],
      busy: pickBusy(weights),
    },
    {
      name: 'CPU per hit, queries sorted by length',
      unit: 'us',
      samples: pick(weights, ({ cpuUs }) => cpuUs),
      goals: [],
    },
  ];
}
