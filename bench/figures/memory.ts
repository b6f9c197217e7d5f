import { setTimeout as sleep } from 'node:timers/promises';
import type { Bench } from '../bench.ts';
import type { Measure } from '../measure.ts';
import { anonymousMegabytes } from '../processes.ts';
import { inRounds } from '../rounds.ts';
import type { Running } from '../servers/server.ts';

const QUERIES = 1_000_000;
const SETTLE_MS = 1000;

/** Anonymous memory with 10,000 names in the cache, after a million queries for them. */
export async function memory(bench: Bench): Promise<Measure[]> {
  const servers = bench.present(bench.ours, bench.coredns, bench.unbound);
  const results = await inRounds(bench.options.rounds, servers, (server) =>
    bench.withServer(server, (running) => measureMemory(bench, running)),
  );
  return [
    {
      name: 'anonymous memory, 10,000 entries, after 1,000,000 queries',
      unit: 'MB',
      samples: Object.fromEntries(results),
      goals: [{ against: undefined, bound: 'at most', value: 60 }],
    },
  ];
}

async function measureMemory(bench: Bench, running: Running): Promise<number> {
  await bench.warm(running);
  await bench.load(running, bench.zipfFile(), { seconds: 120, queries: QUERIES });
  await sleep(SETTLE_MS);
  return anonymousMegabytes(running.pid);
}
