import type { Bench } from '../bench.ts';
import { type Measure, OURS } from '../measure.ts';
import { FLEETING, uniqueNames, zipfSample } from '../names.ts';
import { anonymousMegabytes, openDescriptors } from '../processes.ts';

const MINUTES = 10;
const SAMPLE_MS = 2000;
const QUERIES = 1_000_000;
/** Until then compilers and buffers take what they need. */
const SETTLED_MINUTES = 2;
const COMPARED_MINUTES = 2;

interface Sample {
  readonly minute: number;
  readonly megabytes: number;
  readonly descriptors: number;
}

/**
 * Ten minutes at full speed, one query in ten a miss whose answer may not be kept: what the agent holds at the end against what it held when it had
 * settled. Only on request, for it takes that long.
 */
export async function soak(bench: Bench): Promise<Measure[]> {
  const file = bench.queryFile('soak', () => soakSample(bench.names));
  const samples: Sample[] = [];
  const { answersPerSecond, answered, lost } = await bench.withServer(bench.ours, async (running) => {
    await bench.warm(running);
    const begin = performance.now();
    const timer = setInterval(() => {
      const minute = (performance.now() - begin) / 60_000;
      const { pid } = running;
      samples.push({ minute, megabytes: anonymousMegabytes(pid), descriptors: openDescriptors(pid) });
    }, SAMPLE_MS);
    const result = await bench.load(running, file, { seconds: MINUTES * 60 });
    clearInterval(timer);
    return result;
  });
  const settled = samples.filter(
    ({ minute }) => minute >= SETTLED_MINUTES && minute < SETTLED_MINUTES + COMPARED_MINUTES,
  );
  const last = samples.filter(({ minute }) => minute >= MINUTES - COMPARED_MINUTES);
  const own = (values: number[]): Record<string, number[]> => ({ [OURS]: values });
  const growth = (read: (sample: Sample) => number): Record<string, number[]> => {
    const highest = (list: readonly Sample[]): number => Math.max(...list.map(read));
    return own([(highest(last) * 100) / highest(settled)]);
  };
  return [
    { name: 'answers a second in 10 minutes, 10% misses', unit: '1/s', samples: own([answersPerSecond]), goals: [] },
    { name: '... lost of a million', unit: 'queries', samples: own([(lost * 1e6) / answered]), goals: [] },
    {
      name: '... anonymous memory at most',
      unit: 'MB',
      samples: own([Math.max(...samples.map(({ megabytes }) => megabytes))]),
      goals: [],
    },
    {
      name: '... anonymous memory in minutes 9 and 10, of that in 3 and 4',
      unit: '%',
      samples: growth(({ megabytes }) => megabytes),
      goals: [{ against: undefined, bound: 'at most', value: 105 }],
    },
    {
      name: '... descriptors likewise',
      unit: '%',
      samples: growth(({ descriptors }) => descriptors),
      goals: [{ against: undefined, bound: 'at most', value: 100 }],
    },
  ];
}

function soakSample(names: readonly string[]): string[] {
  const sample = zipfSample(names, QUERIES);
  const fleeting = uniqueNames('s', QUERIES / 10, FLEETING);
  for (let index = 0; index < fleeting.length; index++) sample[index * 10] = fleeting[index]!;
  return sample;
}
