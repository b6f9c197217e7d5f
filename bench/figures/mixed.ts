import type { Bench, Cost } from '../bench.ts';
import type { Measure } from '../measure.ts';
import { mixedSample } from '../names.ts';
import { inRounds, pick, pickBusy } from '../rounds.ts';
import type { Running } from '../servers/server.ts';

const WARM_UP_SECONDS = 2;
/** More than any server gives while one in ten is a miss, so that no name of those is asked twice. */
const QUERIES_PER_SECOND = 250_000;

/** Of ten queries over UDP, nine for names in the cache and one for a name that nobody asked before. */
export async function mixed(bench: Bench): Promise<Measure[]> {
  const servers = bench.present(bench.ours, bench.coredns, bench.unbound, ...bench.peers);
  const results = await inRounds(bench.options.rounds, servers, (server) =>
    bench.withServer(server, (running) => measureMixed(bench, running)),
  );
  return [
    {
      name: 'answers a second, of which 10% misses',
      unit: '1/s',
      samples: pick(results, (result) => result.answersPerSecond),
      goals: [{ against: 'coredns', bound: 'at least', value: 4 }],
      busy: pickBusy(results),
    },
    { name: 'CPU per answer, 10% misses', unit: 'us', samples: pick(results, (result) => result.cpuUs), goals: [] },
  ];
}

async function measureMixed(bench: Bench, running: Running): Promise<Cost> {
  const { seconds } = bench.options;
  const list = (prefix: string, length: number) =>
    bench.queryFile(`mixed-${prefix}`, () => mixedSample(bench.names, prefix, QUERIES_PER_SECOND * length));
  await bench.warm(running);
  await bench.ask(running, list('w', WARM_UP_SECONDS), { seconds: WARM_UP_SECONDS });
  const result = await bench.weigh(running, list('q', seconds), { seconds });
  if (result.wrapped > 0) throw new Error('Cannot use this run: the list of names was too short for its misses');
  return result;
}
