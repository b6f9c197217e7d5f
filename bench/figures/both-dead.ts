import { setTimeout as sleep } from 'node:timers/promises';
import type { Bench } from '../bench.ts';
import { firstAnswer } from '../first-answer.ts';
import { type Measure, OURS } from '../measure.ts';
import { inRounds, pick } from '../rounds.ts';
import type { Server } from '../servers/server.ts';
import { askMisses, failed, freshNames, type TwoPaths, withTwoPaths } from '../two-paths.ts';

const NAMES = 500;
/** What the cluster's answers are kept for, and some. */
const PAST_THEIR_END_MS = 31_000;
const STALE_PER_SECOND = 500;
const STALE_SECONDS = 4;
const QUIET_SECONDS = 8;

/** Both upstreams are silent: what is known is given past its end, few probes are sent, and the first that is back is found. */
export async function bothDead(bench: Bench): Promise<Measure[]> {
  const results = await withTwoPaths(bench, (paths) =>
    inRounds(bench.options.rounds, paths.servers, (server) => measureDead(bench, paths, server)),
  );
  const ours = new Map([[OURS, results.get(OURS)!]]);
  return [
    {
      name: 'p99 of cached names past their end, both upstreams dead',
      unit: 'ms',
      samples: pick(ours, (result) => result.staleMs),
      goals: [{ against: undefined, bound: 'at most', value: 2 }],
    },
    {
      name: '... of them without a good answer',
      unit: 'questions',
      samples: pick(results, (result) => result.failed),
      goals: [{ against: undefined, bound: 'at most', value: 0 }],
    },
    {
      name: '... probes a second, nobody asking',
      unit: '1/s',
      samples: pick(results, (result) => result.probes),
      goals: [{ against: undefined, bound: 'at most', value: 2 }],
    },
    {
      name: '... first good answer after one is back',
      unit: 'ms',
      samples: pick(results, (result) => result.backMs),
      goals: [{ against: undefined, bound: 'at most', value: 1000 }],
    },
  ];
}

async function measureDead(bench: Bench, paths: TwoPaths, server: Server) {
  const both = [paths.first, paths.second];
  for (const path of both) await path.become('pass');
  const file = bench.queryFile('both-dead', () => bench.names.slice(0, NAMES));
  return bench.withServer(server, async (running) => {
    await bench.fill(running, file, NAMES);
    for (const path of both) await path.become('hole');
    await sleep(PAST_THEIR_END_MS);
    // Enough to show that both are dead.
    await askMisses(bench, running, 1);
    await sleep(2000);
    const stale = await bench.ask(running, file, { seconds: STALE_SECONDS, rate: STALE_PER_SECOND });
    const before = paths.first.received + paths.second.received;
    await sleep(QUIET_SECONDS * 1000);
    const probes = (paths.first.received + paths.second.received - before) / QUIET_SECONDS;
    const names = freshNames(8).values();
    await paths.first.become('pass');
    const startMs = performance.now();
    const backMs = (await firstAnswer(running.port, () => names.next().value!)) - startMs;
    return { staleMs: stale.p99Us / 1000, failed: failed(stale), probes, backMs };
  });
}
