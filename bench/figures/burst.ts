import type { Bench } from '../bench.ts';
import type { Measure } from '../measure.ts';
import { inRounds } from '../rounds.ts';
import type { Running } from '../servers/server.ts';

const WARM_UP_SECONDS = 2;
/** One after the other, in each measurement. */
const BURSTS = 5;
/** All are sent, as fast as the kernel takes them, before the first answer is read. */
const BURST = { seconds: 10, sockets: 200, window: 100, queries: 20_000 };

/** How many of 20,000 queries at once, for names in the cache, have no answer within a second. */
export async function burst(bench: Bench): Promise<Measure[]> {
  const servers = bench.present(bench.ours, bench.coredns, bench.unbound, bench.limit, ...bench.peers);
  const results = await inRounds(bench.options.rounds, servers, (server) =>
    bench.withServer(server, (running) => measureBursts(bench, running)),
  );
  return [
    {
      name: 'lost of a burst of 20,000 queries from 200 sockets',
      unit: 'queries',
      samples: Object.fromEntries(results),
      goals: [{ against: 'unbound', bound: 'at most', value: 1 }],
    },
  ];
}

async function measureBursts(bench: Bench, running: Running): Promise<number> {
  await bench.warm(running);
  await bench.ask(running, bench.zipfFile(), { seconds: WARM_UP_SECONDS });
  let unanswered = 0;
  for (let count = 0; count < BURSTS; count++) {
    const { noError } = await bench.ask(running, bench.zipfFile(), BURST);
    unanswered += BURST.queries - noError;
  }
  return unanswered / BURSTS;
}
