import type { Bench } from '../bench.ts';
import { WARM_UP_SECONDS } from '../figures/hits.ts';
import type { Measure } from '../measure.ts';
import { inRounds, pick, pickBusy } from '../rounds.ts';
import { agent } from '../servers/agent.ts';
import type { BenchCluster } from './bench-cluster.ts';
import { NODE_NAME } from './bench-cluster.ts';

const WITHOUT = 'signpost, off';

/** Whether hits pay for what is known of the cluster: everything on, beside everything off. */
export async function hitPath(bench: Bench, { plane }: BenchCluster): Promise<Measure> {
  const api = ['--kubernetes', plane.kubeconfig, '--node-name', NODE_NAME];
  const ours = agent(bench.programs.agent, { serve: ['--search', 'complete', '--lease', ...api] });
  const off = { ...agent(bench.programs.agent, { serve: ['--search', 'off', '--kubernetes', 'off'] }), name: WITHOUT };
  const { seconds, rounds } = bench.options;
  const results = await inRounds(rounds, [ours, off], (server) =>
    bench.withServer(server, async (running) => {
      await bench.warm(running);
      await bench.ask(running, bench.zipfFile(), { seconds: WARM_UP_SECONDS });
      return bench.weigh(running, bench.zipfFile(), { seconds });
    }),
  );
  return {
    name: 'hits a second, watch and complete on',
    unit: '1/s',
    samples: pick(results, (cost) => cost.answersPerSecond),
    goals: [{ against: WITHOUT, bound: 'at least', value: 0.95 }],
    busy: pickBusy(results),
  };
}
