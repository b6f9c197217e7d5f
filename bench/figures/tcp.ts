import type { Bench } from '../bench.ts';
import type { Measure } from '../measure.ts';
import { inRounds, pick, pickBusy } from '../rounds.ts';
import type { Running } from '../servers/server.ts';

const WARM_UP_SECONDS = 2;
const PACE = { transport: 'tcp', sockets: 100, window: 8 } as const;

/** Hits over 100 TCP connections, each with 8 queries in flight. */
export async function tcp(bench: Bench): Promise<Measure[]> {
  const servers = bench.present(bench.ours, bench.coredns, bench.unbound, ...bench.peers);
  const results = await inRounds(bench.options.rounds, servers, (server) =>
    bench.withServer(server, (running) => measureTcp(bench, running)),
  );
  return [
    {
      name: 'CPU per hit over TCP',
      unit: 'us',
      samples: pick(results, (result) => result.cpuUs),
      goals: [{ against: 'coredns', bound: 'at most', value: 0.6, floor: { value: 0.9 } }],
    },
    {
      name: 'hits a second over TCP',
      unit: '1/s',
      samples: pick(results, (result) => result.answersPerSecond),
      goals: [],
      busy: pickBusy(results),
    },
  ];
}

async function measureTcp(bench: Bench, running: Running) {
  const file = bench.zipfFile();
  await bench.warm(running);
  await bench.ask(running, file, { ...PACE, seconds: WARM_UP_SECONDS });
  return bench.weigh(running, file, { ...PACE, seconds: bench.options.seconds });
}
