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
const SOCKETS = 4;
/**
 * So many queries in flight on each socket, in turn; the best rate counts. CoreDNS, which has one query on a connection, opens about a hundred at the first
 * and loses answers at the last.
 */
const WINDOWS = [32, 64, 128];

/** Names that nobody asked before, forwarded over TCP to BIND. A fresh process in each round, so all are given the same names. */
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
      name: '... queries in flight at that rate',
      unit: 'queries',
      samples: pick(results, (result) => result.inFlight),
      goals: [],
    },
    {
      name: 'TCP connections to the upstream, at most',
      unit: 'connections',
      samples: pick(results, (result) => result.connections),
      goals: [{ against: undefined, bound: 'at most', value: 2 }],
    },
  ];
}

/** The best rate that the server has with names which nobody asked before. */
export async function measureMisses(bench: Bench, running: Running) {
  const warmUp = bench.queryFile('unique-warm-up', () => uniqueNames('w', NAMES_PER_SECOND * WARM_UP_SECONDS));
  await bench.ask(running, warmUp, { sockets: SOCKETS, window: WINDOWS[0]!, seconds: WARM_UP_SECONDS });
  let best: Awaited<ReturnType<typeof measureWith>> | undefined;
  let connections = 0;
  let refusal: unknown;
  for (const window of WINDOWS) {
    try {
      const result = await measureWith(bench, running, window);
      connections = Math.max(connections, result.connections);
      if (best === undefined || result.answersPerSecond > best.answersPerSecond) best = result;
    } catch (error) {
      // More than it can take is no figure, but no end of the others either.
      refusal = error;
    }
  }
  if (best === undefined) throw refusal;
  return { ...best, connections };
}

async function measureWith(bench: Bench, running: Running, window: number) {
  const { seconds } = bench.options;
  const file = bench.queryFile(`unique-${window}`, () => uniqueNames(`q${window}-`, NAMES_PER_SECOND * seconds));
  const asked = await bench.upstream.queries();
  let connections = 0;
  const sampling = setInterval(() => {
    connections = Math.max(connections, connectionsTo(bench.upstream.port));
  }, SAMPLE_MS);
  const pace = { sockets: SOCKETS, window, seconds };
  const result = await bench.weigh(running, file, pace).finally(() => clearInterval(sampling));
  if (result.wrapped > 0)
    throw new Error('Cannot use this run: the list of names was too short, and answers came from the cache');
  const forwarded = (await bench.upstream.queries()) - asked;
  if (forwarded < result.answered) {
    throw new Error(
      `Cannot use this run: ${result.answered} answers, but only ${forwarded} questions reached the upstream`,
    );
  }
  return { ...result, connections, inFlight: SOCKETS * window };
}
