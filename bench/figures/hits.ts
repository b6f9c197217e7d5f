import type { Bench } from '../bench.ts';
import { type Goal, type Measure, OURS } from '../measure.ts';
import { inRounds, pick, pickBusy } from '../rounds.ts';
import { PORTABLE } from '../servers/agent.ts';
import type { Running } from '../servers/server.ts';

/** Before the measured seconds, so that compilers have seen the hot path. */
export const WARM_UP_SECONDS = 2;

const GOALS: readonly Goal[] = [
  { against: 'udp-limit', bound: 'at least', value: 0.9, floor: { value: 0.75 } },
  { against: 'unbound', bound: 'at least', value: 1.4, floor: { value: 1.2 } },
  { against: 'coredns', bound: 'at least', value: 10, floor: { value: 7.5 } },
];

/** Answers from the cache over UDP: 10,000 names, asked as often as Zipf's law says, from 8 sockets with 24 queries in flight each. */
export async function hits(bench: Bench): Promise<Measure[]> {
  const servers = bench.present(bench.ours, bench.portable, bench.coredns, bench.unbound, bench.limit, ...bench.peers);
  const results = await inRounds(bench.options.rounds, servers, (server) =>
    bench.withServer(server, (running) => measureHits(bench, running)),
  );
  const { [PORTABLE]: portable = [], ...rates } = pick(results, ({ weight }) => weight.answersPerSecond);
  const portableRates = { [OURS]: portable, ...(rates['coredns'] && { coredns: rates['coredns'] }) };
  const weights = new Map([...results].map(([name, list]) => [name, list.map(({ weight }) => weight)]));
  return [
    { name: 'hits a second', unit: '1/s', samples: rates, goals: GOALS, busy: pickBusy(weights) },
    {
      name: 'hits a second, listener on node:dgram',
      unit: '1/s',
      samples: portableRates,
      goals: [{ against: 'coredns', bound: 'at least', value: 2 }],
    },
    { name: 'CPU per hit', unit: 'us', samples: pick(results, ({ weight }) => weight.cpuUs), goals: [] },
    {
      name: 'hits asked of the upstream',
      unit: '%',
      samples: pick(results, (result) => result.askedPercent),
      goals: [],
    },
  ];
}

async function measureHits(bench: Bench, running: Running) {
  const file = bench.zipfFile();
  const { seconds } = bench.options;
  await bench.warm(running);
  await bench.ask(running, file, { seconds: WARM_UP_SECONDS });
  const asked = await bench.upstream.queries();
  const weight = await bench.weigh(running, file, { seconds });
  return { weight, askedPercent: (((await bench.upstream.queries()) - asked) * 100) / weight.answered };
}
