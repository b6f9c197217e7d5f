import type { Bench } from '../bench.ts';
import { firstAnswer } from '../first-answer.ts';
import type { Measure } from '../measure.ts';
import { inRounds } from '../rounds.ts';
import type { Server } from '../servers/server.ts';

/** It is quick and its spread is wide, so a round has several. */
const STARTS_PER_ROUND = 5;

/** From the start of the process to the first answer, which it had to ask of the upstream. Files are in the page cache. */
export async function start(bench: Bench): Promise<Measure[]> {
  const servers = bench.present(bench.ours, bench.coredns, bench.unbound, ...bench.peers);
  for (const server of servers) await measureStart(bench, server);
  const results = await inRounds(bench.options.rounds * STARTS_PER_ROUND, servers, (server) =>
    measureStart(bench, server),
  );
  return [
    {
      name: 'start to first answer',
      unit: 'ms',
      samples: Object.fromEntries(results),
      goals: [{ against: undefined, bound: 'at most', value: 200 }],
    },
  ];
}

/** Includes choosing a port and writing the configuration, well below 1 ms. */
async function measureStart(bench: Bench, server: Server): Promise<number> {
  const place = bench.place();
  const begin = performance.now();
  const running = await server.start(place);
  try {
    return (await firstAnswer(running.port, bench.names[0]!)) - begin;
  } finally {
    await running.stop();
  }
}
