import type { Bench } from '../bench.ts';
import { type Goal, type Measure, OURS } from '../measure.ts';
import { inRounds, pick, pickBusy } from '../rounds.ts';
import { PORTABLE } from '../servers/agent.ts';
import type { Running } from '../servers/server.ts';

/** Before the measured seconds, so that compilers have seen the hot path. */
const WARM_UP_SECONDS = 2;

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
  const { [PORTABLE]: portable = [], ...rates } = pick(results, ({ inOrder }) => inOrder.answersPerSecond);
  const { [PORTABLE]: _, ...sortedRates } = pick(results, ({ sorted }) => sorted.answersPerSecond);
  const portableRates = { [OURS]: portable, ...(rates['coredns'] && { coredns: rates['coredns'] }) };
  const costs = (read: 'inOrder' | 'sorted') =>
    pickBusy(new Map([...results].map(([name, list]) => [name, list.map((result) => result[read])])));
  return [
    { name: 'hits a second', unit: '1/s', samples: rates, goals: GOALS, busy: costs('inOrder') },
    {
      name: 'hits a second, queries sorted by length',
      unit: '1/s',
      samples: sortedRates,
      goals: [],
      busy: costs('sorted'),
    },
    {
      name: 'hits a second, listener on node:dgram',
      unit: '1/s',
      samples: portableRates,
      goals: [{ against: 'coredns', bound: 'at least', value: 2 }],
    },
    { name: 'CPU per hit', unit: 'us', samples: pick(results, ({ inOrder }) => inOrder.cpuUs), goals: [] },
    {
      name: 'CPU per hit, queries sorted by length',
      unit: 'us',
      samples: pick(results, ({ sorted }) => sorted.cpuUs),
      goals: [],
    },
    {
      name: 'hits asked of the upstream',
      unit: '%',
      samples: pick(results, (result) => result.askedPercent),
      goals: [],
    },
  ];
}

/**
 * Twice: as the names come, and with those that leave together in the order of their lengths. A server that answers neighbours of one
 * length together gains by the second, and how much so shows what it would gain from clients that ask in such runs.
 */
async function measureHits(bench: Bench, running: Running) {
  const file = bench.zipfFile();
  const { seconds } = bench.options;
  await bench.warm(running);
  await bench.ask(running, file, { seconds: WARM_UP_SECONDS });
  const asked = await bench.upstream.queries();
  const inOrder = await bench.weigh(running, file, { seconds });
  const askedPercent = (((await bench.upstream.queries()) - asked) * 100) / inOrder.answered;
  const sorted = await bench.weigh(running, file, { seconds, isSorted: true });
  return { inOrder, sorted, askedPercent };
}
