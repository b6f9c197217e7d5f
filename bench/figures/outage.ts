import type { Bench } from '../bench.ts';
import type { Measure } from '../measure.ts';
import { inRounds, pick } from '../rounds.ts';
import type { Server } from '../servers/server.ts';
import { askMisses, failed, MISSES_PER_SECOND, ROUND_TRIP_MS, type TwoPaths, withTwoPaths } from '../two-paths.ts';

const WARM_UP_SECONDS = 2;

/** One of two upstreams is black-holed: its connections stay open, and nothing comes back. */
export async function outage(bench: Bench): Promise<Measure[]> {
  const results = await withTwoPaths(bench, (paths) =>
    inRounds(bench.options.rounds, paths.servers, (server) => measureOutage(bench, paths, server)),
  );
  return [
    {
      name: `p99 added by one black-holed upstream of two, after a second, at ${MISSES_PER_SECOND} misses/s and ${ROUND_TRIP_MS} ms`,
      unit: 'ms',
      samples: pick(results, (result) => result.addedMs),
      goals: [{ against: undefined, bound: 'at most', value: 2 * ROUND_TRIP_MS }],
    },
    {
      name: '... p99 in the first second',
      unit: 'ms',
      samples: pick(results, (result) => result.firstMs),
      goals: [],
    },
    {
      name: '... questions without a good answer, the first second included',
      unit: 'questions',
      samples: pick(results, (result) => result.failed),
      goals: [{ against: undefined, bound: 'at most', value: 0 }],
    },
  ];
}

async function measureOutage(bench: Bench, { first }: TwoPaths, server: Server) {
  const { seconds } = bench.options;
  await first.become('pass');
  return bench.withServer(server, async (running) => {
    await askMisses(bench, running, WARM_UP_SECONDS);
    const calm = await askMisses(bench, running, seconds);
    await first.become('hole');
    const soon = await askMisses(bench, running, 1);
    const later = await askMisses(bench, running, seconds);
    return {
      addedMs: (later.p99Us - calm.p99Us) / 1000,
      firstMs: soon.p99Us / 1000,
      failed: failed(soon) + failed(later),
    };
  });
}
