import type { Bench } from '../bench.ts';
import type { Measure } from '../measure.ts';
import { inRounds, pick } from '../rounds.ts';
import type { Running } from '../servers/server.ts';

const WARM_UP_SECONDS = 2;

/** How long a hit takes where nobody else asks: one socket, one query in flight. */
export async function one(bench: Bench): Promise<Measure[]> {
  const servers = bench.present(bench.ours, bench.coredns, bench.unbound, bench.limit, ...bench.peers);
  const results = await inRounds(bench.options.rounds, servers, (server) =>
    bench.withServer(server, (running) => measureOne(bench, running)),
  );
  return [
    {
      name: 'one query at a time, median',
      unit: 'us',
      samples: pick(results, (result) => result.p50Us),
      goals: [{ against: 'udp-limit', bound: 'at most', value: 1.05, floor: { value: 1.15 } }],
    },
    {
      name: 'one query at a time, 99th percentile',
      unit: 'us',
      samples: pick(results, (result) => result.p99Us),
      goals: [{ against: 'coredns', bound: 'at most', value: 1 }],
    },
  ];
}

async function measureOne(bench: Bench, running: Running) {
  const file = bench.zipfFile();
  await bench.warm(running);
  await bench.ask(running, file, { seconds: WARM_UP_SECONDS });
  return bench.load(running, file, { seconds: bench.options.seconds, sockets: 1, window: 1 });
}
