import type { Bench } from '../bench.ts';
import { type Measure, OURS } from '../measure.ts';
import { cpuSeconds } from '../processes.ts';
import { inRounds, pick } from '../rounds.ts';
import { PORTABLE } from '../servers/agent.ts';
import type { Running } from '../servers/server.ts';

/** Before the measured seconds, so that compilers have seen the hot path. */
const WARM_UP_SECONDS = 2;

/** Answers from the cache over UDP: 10,000 names, asked as often as Zipf's law says, from 8 sockets with 24 queries in flight each. */
export async function hits(bench: Bench): Promise<Measure[]> {
  const servers = bench.present(bench.ours, bench.portable, bench.coredns, bench.unbound, bench.limit);
  const results = await inRounds(bench.options.rounds, servers, (server) =>
    bench.withServer(server, (running) => measureHits(bench, running)),
  );
  const { [PORTABLE]: portable = [], ...rates } = pick(results, (result) => result.rate);
  const portableRates = { [OURS]: portable, ...(rates['coredns'] && { coredns: rates['coredns'] }) };
  return [
    {
      name: 'hits a second',
      unit: '1/s',
      samples: rates,
      goals: [
        { against: 'udp-limit', bound: 'at least', value: 0.75 },
        { against: 'unbound', bound: 'at least', value: 1.2 },
        { against: 'coredns', bound: 'at least', value: 7.5 },
      ],
    },
    {
      name: 'hits a second, listener on node:dgram',
      unit: '1/s',
      samples: portableRates,
      goals: [{ against: 'coredns', bound: 'at least', value: 2 }],
    },
    { name: 'CPU per hit', unit: 'us', samples: pick(results, (result) => result.cpuUs), goals: [] },
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
  await bench.warm(running);
  await bench.exercise(running, file, { seconds: WARM_UP_SECONDS });
  const asked = await bench.upstream.queries();
  const cpu = cpuSeconds(running.pid);
  const result = await bench.load(running, file, { seconds: bench.options.seconds });
  const cpuUs = ((cpuSeconds(running.pid) - cpu) * 1e6) / result.answered;
  const askedPercent = (((await bench.upstream.queries()) - asked) * 100) / result.answered;
  return { rate: result.answersPerSecond, cpuUs, askedPercent };
}
