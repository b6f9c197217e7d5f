import type { Bench } from '../bench.ts';
import { firstAnswer } from '../first-answer.ts';
import { Inspector } from '../inspector.ts';
import { type Measure, OURS } from '../measure.ts';
import { startAgent } from '../servers/agent.ts';

const WARM_UP_QUERIES = 1_000_000;
const QUERIES = 5_000_000;
const LONGEST_SECONDS = 600;

/** Whether hits leave anything behind: the heap after a full collection, before and after five million of them. */
export async function heap(bench: Bench): Promise<Measure[]> {
  const running = await startAgent(bench.programs.agent, bench.place(), { node: ['--inspect=127.0.0.1:0'] });
  try {
    const inspector = await Inspector.attach(running.process);
    await firstAnswer(running.port, bench.names[0]!);
    await bench.warm(running);
    const load = (queries: number) => bench.load(running, bench.zipfFile(), { seconds: LONGEST_SECONDS, queries });
    await load(WARM_UP_QUERIES);
    const before = await inspector.heapBytes();
    await load(QUERIES);
    const after = await inspector.heapBytes();
    inspector.close();
    return [
      { name: 'heap before 5,000,000 hits', unit: 'MB', samples: { [OURS]: [before / 1e6] }, goals: [] },
      {
        name: 'heap after them, of the heap before',
        unit: '%',
        samples: { [OURS]: [(after / before) * 100] },
        goals: [{ against: undefined, bound: 'at most', value: 105 }],
      },
    ];
  } finally {
    await running.stop();
  }
}
