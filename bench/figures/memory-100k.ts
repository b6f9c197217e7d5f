import { setTimeout as sleep } from 'node:timers/promises';
import type { Bench } from '../bench.ts';
import type { Measure } from '../measure.ts';
import { uniqueNames, zipfSample } from '../names.ts';
import { anonymousMegabytes } from '../processes.ts';
import { inRounds } from '../rounds.ts';
import { agent } from '../servers/agent.ts';
import { coredns } from '../servers/coredns.ts';
import type { Running } from '../servers/server.ts';

const ENTRIES = 100_000;
const HITS = 200_000;
const SETTLE_MS = 1000;
/** 100,000 entries of the 192 B that the index is sized for, and 75 B each for the index: 26 MB. Unbound's caches are large enough as they are. */
const CACHE_SIZE = ['--cache-size', '32MiB'];

/** Anonymous memory with 100,000 names in caches that are large enough for them: each was a miss once, then hits followed. */
export async function memory100k(bench: Bench): Promise<Measure[]> {
  const ours = agent(bench.programs.agent, { serve: CACHE_SIZE });
  const program = bench.corednsProgram;
  const peer = program === undefined ? undefined : coredns(program, ENTRIES);
  const results = await inRounds(bench.options.rounds, bench.present(ours, peer, bench.unbound), (server) =>
    bench.withServer(server, (running) => measureMemory(bench, running)),
  );
  return [
    {
      name: 'anonymous memory, 100,000 entries, after 200,000 hits',
      unit: 'MB',
      samples: Object.fromEntries(results),
      goals: [{ against: 'coredns', bound: 'at most', value: 0.8 }],
    },
  ];
}

async function measureMemory(bench: Bench, running: Running): Promise<number> {
  const names = () => uniqueNames('m', ENTRIES);
  const hits = bench.queryFile('hundred-thousand-zipf', () => zipfSample(names(), HITS));
  await bench.fill(running, bench.queryFile('hundred-thousand', names), ENTRIES);
  await bench.load(running, hits, { seconds: 120, queries: HITS });
  await sleep(SETTLE_MS);
  return anonymousMegabytes(running.pid);
}
