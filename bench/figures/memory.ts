import { setTimeout as sleep } from 'node:timers/promises';
import type { Bench } from '../bench.ts';
import type { Measure } from '../measure.ts';
import { FLEETING, uniqueNames } from '../names.ts';
import { anonymousMegabytes } from '../processes.ts';
import { inRounds } from '../rounds.ts';
import type { Running } from '../servers/server.ts';

const HITS = 500_000;
const MISSES = 100_000;
const SETTLE_MS = 1000;

/** Anonymous memory with 10,000 names in the cache, after hits on them and misses whose answers have TTL 0, so that entries stay 10,000. */
export async function memory(bench: Bench): Promise<Measure[]> {
  const servers = bench.present(bench.ours, bench.coredns, bench.unbound, ...bench.peers);
  const results = await inRounds(bench.options.rounds, servers, (server) =>
    bench.withServer(server, (running) => measureMemory(bench, running)),
  );
  return [
    {
      name: 'anonymous memory, 10,000 entries, after 500,000 hits and 100,000 misses',
      unit: 'MB',
      samples: Object.fromEntries(results),
      goals: [{ against: 'coredns', bound: 'at most', value: 1, floor: { valueInUnit: 40 } }],
    },
  ];
}

async function measureMemory(bench: Bench, running: Running): Promise<number> {
  const misses = bench.queryFile('fleeting', () => uniqueNames('f', MISSES, FLEETING));
  await bench.warm(running);
  await bench.load(running, bench.zipfFile(), { seconds: 120, queries: HITS });
  await bench.load(running, misses, { seconds: 120, queries: MISSES });
  await sleep(SETTLE_MS);
  return anonymousMegabytes(running.pid);
}
