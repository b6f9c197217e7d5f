import type { Bench } from '../bench.ts';
import type { Measure } from '../measure.ts';
import { uniqueNames } from '../names.ts';
import { connectionsTo } from '../processes.ts';
import { inRounds, pick, pickBusy } from '../rounds.ts';
import type { Running } from '../servers/server.ts';

const WARM_UP_SECONDS = 2;
const SAMPLE_MS = 100;
/** More than the upstream can answer, so that no name is asked twice. */
const NAMES_PER_SECOND = 200_000;
/** 128 in flight together: CoreDNS, which has one query on a connection, then opens about a hundred. */
const PACE = { sockets: 4, window: 32 };

/** Names that nobody asked before, forwarded over TCP to BIND. A fresh process each time, so all are given the same names. */
export async function misses(bench: Bench): Promise<Measure[]> {
  const servers = bench.present(bench.ours, bench.coredns, ...bench.peers);
  const results = await inRounds(bench.options.rounds, servers, (server) =>
    bench.withServer(server, (running) => measureMisses(bench, running)),
  );
  return [
    {
      name: 'misses a second',
      unit: '1/s',
      samples: pick(results, (result) => result.answersPerSecond),
      goals: [{ against: 'coredns', bound: 'at least', value: 4, floor: { value: 3 } }],
      busy: pickBusy(results),
    },
    {
      name: 'CPU per miss',
      unit: 'us',
      samples: pick(results, (result) => result.cpuUs),
      goals: [{ against: 'coredns', bound: 'at most', value: 0.25, floor: { value: 0.4 } }],
    },
    {
      name: 'TCP connections to the upstream, at most',
      unit: 'connections',
      samples: pick(results, (result) => result.connections),
      goals: [{ against: undefined, bound: 'at most', value: 2 }],
    },
  ];
}

async function measureMisses(bench: Bench, running: Running) {
  const { seconds } = bench.options;
  const warmUp = bench.queryFile('unique-warm-up', () => uniqueNames('w', NAMES_PER_SECOND * WARM_UP_SECONDS));
  const file = bench.queryFile('unique', () => uniqueNames('q', NAMES_PER_SECOND * seconds));
  await bench.ask(running, warmUp, { ...PACE, seconds: WARM_UP_SECONDS });
  const asked = await bench.upstream.queries();
  let connections = 0;
  const sampling = setInterval(() => {
    connections = Math.max(connections, connectionsTo(bench.upstream.port));
  }, SAMPLE_MS);
  const result = await bench.weigh(running, file, { ...PACE, seconds }).finally(() => clearInterval(sampling));
  if (result.wrapped > 0)
    throw new Error('Cannot use this run: the list of names was too short, and answers came from the cache');
  const forwarded = (await bench.upstream.queries()) - asked;
  if (forwarded < result.answered) {
    throw new Error(
      `Cannot use this run: ${result.answered} answers, but only ${forwarded} questions reached the upstream`,
    );
  }
  return { ...result, connections };
}
