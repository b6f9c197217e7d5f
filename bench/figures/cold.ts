import { setTimeout as sleep } from 'node:timers/promises';
import type { Bench } from '../bench.ts';
import { type Measure, median } from '../measure.ts';
import { uniqueNames } from '../names.ts';
import { inRounds, pick } from '../rounds.ts';
import type { Running } from '../servers/server.ts';

const WARM_UP_SECONDS = 2;
const REPEATS = 5;
const HIT_SECONDS = 1;
/** After the hits' start. */
const COLD_AFTER_MS = 400;
const COLD_NAMES = 1000;
/** All at once. */
const COLD = { seconds: 5, queries: COLD_NAMES, sockets: 4, window: COLD_NAMES / 4 };
const HITS_PER_SECOND = 100_000;

/**
 * What hits suffer from misses: the 99th percentile of one second of hits at a steady rate, in which 1,000 names are asked at once that
 * nobody asked before; and of one second without them. The rate is half of what the server can do on this machine, 100,000/s at most.
 */
export async function cold(bench: Bench): Promise<Measure[]> {
  const servers = bench.present(bench.ours, bench.unbound);
  const results = await inRounds(bench.options.rounds, servers, (server) =>
    bench.withServer(server, (running) => measureCold(bench, running)),
  );
  return [
    {
      name: "hits' 99th percentile with 1,000 cold names, of that without",
      unit: 'times',
      samples: pick(results, (result) => result.withColdUs / result.withoutUs),
      goals: [{ against: undefined, bound: 'at most', value: 2 }],
    },
    { name: '... with them', unit: 'us', samples: pick(results, (result) => result.withColdUs), goals: [] },
    { name: '... without', unit: 'us', samples: pick(results, (result) => result.withoutUs), goals: [] },
    { name: '... cold names answered', unit: '%', samples: pick(results, (result) => result.coldPercent), goals: [] },
    { name: '... rate of the hits', unit: '1/s', samples: pick(results, (result) => result.rate), goals: [] },
  ];
}

async function measureCold(bench: Bench, running: Running) {
  const file = bench.zipfFile();
  await bench.warm(running);
  const { answersPerSecond } = await bench.ask(running, file, { seconds: WARM_UP_SECONDS });
  const rate = Math.min(HITS_PER_SECOND, Math.floor(answersPerSecond / 2000) * 1000);
  const hits = () => bench.load(running, file, { seconds: HIT_SECONDS, rate });
  const without: number[] = [];
  const withCold: number[] = [];
  const coldAnswered: number[] = [];
  for (let repeat = 0; repeat < REPEATS; repeat++) {
    without.push((await hits()).p99Us);
    const names = bench.queryFile(`cold-${repeat}`, () => uniqueNames(`c${repeat}-`, COLD_NAMES));
    const [result, coldResult] = await Promise.all([
      hits(),
      sleep(COLD_AFTER_MS).then(() => bench.ask(running, names, COLD)),
    ]);
    withCold.push(result.p99Us);
    coldAnswered.push(coldResult.noError);
  }
  const coldPercent = (median(coldAnswered) * 100) / COLD_NAMES;
  return { rate, withoutUs: median(without), withColdUs: median(withCold), coldPercent };
}
