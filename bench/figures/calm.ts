import type { Bench, Cost } from '../bench.ts';
import type { Measure } from '../measure.ts';
import { uniqueNames } from '../names.ts';
import { inRounds, pick } from '../rounds.ts';
import type { Running, Server } from '../servers/server.ts';

/** At full speed, so that compilers have seen the hot path; then at the pace that is measured. */
const WARM_UP_SECONDS = 1;
const HITS_PER_SECOND = 5000;
const MISSES_PER_SECOND = 2000;

/** What a query costs where few come: one wakes the process, and is alone in its batch. Evenly spaced, whatever comes back. */
export async function calm(bench: Bench): Promise<Measure[]> {
  const caches = bench.present(bench.ours, bench.coredns, ...bench.peers);
  const results = await inRounds(bench.options.rounds, [...caches, bench.limit], (server) =>
    bench.withServer(server, (running) => measureCalm(bench, server, running)),
  );
  const misses = new Map(caches.map(({ name }) => [name, results.get(name)!.map((result) => result.misses!)]));
  return [
    {
      name: `CPU per hit at ${HITS_PER_SECOND.toLocaleString('en')}/s`,
      unit: 'us',
      samples: pick(results, (result) => result.hits.cpuUs),
      goals: [
        { against: 'coredns', bound: 'at most', value: 0.42, floor: { value: 0.5 } },
        { against: 'udp-limit', bound: 'at most', value: 1.1, floor: { value: 1.3 } },
      ],
    },
    {
      name: `CPU per miss at ${MISSES_PER_SECOND.toLocaleString('en')}/s`,
      unit: 'us',
      samples: pick(misses, (result) => result.cpuUs),
      goals: [{ against: 'coredns', bound: 'at most', value: 0.6, floor: { value: 0.75 } }],
    },
  ];
}

async function measureCalm(bench: Bench, server: Server, running: Running) {
  const { seconds } = bench.options;
  const file = bench.zipfFile();
  await bench.warm(running);
  await bench.ask(running, file, { seconds: WARM_UP_SECONDS });
  await bench.ask(running, file, { seconds: WARM_UP_SECONDS, rate: HITS_PER_SECOND });
  const hits = await bench.weigh(running, file, { seconds, rate: HITS_PER_SECOND });
  return server === bench.limit ? { hits } : { hits, misses: await measureMisses(bench, running) };
}

async function measureMisses(bench: Bench, running: Running): Promise<Cost> {
  const { seconds } = bench.options;
  const names = (prefix: string, count: number) =>
    bench.queryFile(`calm-${prefix}`, () => uniqueNames(prefix, count * MISSES_PER_SECOND + 1));
  // At full speed there are more than a second's worth of names for the compilers too.
  await bench.ask(running, names('w', 10), { seconds: WARM_UP_SECONDS });
  const result = await bench.weigh(running, names('q', seconds), { seconds, rate: MISSES_PER_SECOND });
  if (result.wrapped > 0) throw new Error('Cannot use this run: the list of names was too short for its misses');
  return result;
}
