import type { Bench } from '../bench.ts';
import { type Measure, median, OURS } from '../measure.ts';
import { LASTING, uniqueNames, zipfSample } from '../names.ts';
import { agent } from '../servers/agent.ts';
import type { Running } from '../servers/server.ts';

const WARM_UP_SECONDS = 2;
const MANY = 1_000_000;
const FEW = 1000;
/** A million entries of the 192 B that the index is sized for, and 75 B each for the index. */
const CACHE_SIZE = ['--cache-size', '300MiB'];

/**
 * What a hit costs with a million entries, and with a thousand: two agents, the same but for what is in their caches, asked in turn. The
 * names are outside the cluster's zone, for filling takes longer than answers of that zone are kept.
 */
export async function million(bench: Bench): Promise<Measure[]> {
  const server = agent(bench.programs.agent, { serve: CACHE_SIZE });
  const names = () => uniqueNames('', MANY, LASTING);
  const few = () => names().filter((_, index) => index % (MANY / FEW) === 0);
  const files = {
    many: bench.queryFile('many', names),
    few: bench.queryFile('few', few),
    manyZipf: bench.queryFile('many-zipf', () => zipfSample(names(), MANY)),
    fewZipf: bench.queryFile('few-zipf', () => zipfSample(few(), MANY)),
  };
  const samples = await bench.withServer(server, (full) =>
    bench.withServer(server, async (small) => {
      await bench.fill(small, files.few, FEW);
      await bench.fill(full, files.many, MANY);
      return compare(bench, { running: full, file: files.manyZipf }, { running: small, file: files.fewZipf });
    }),
  );
  const times = median(samples.full) / median(samples.small);
  return [
    {
      name: 'CPU per hit with 1,000,000 entries, of that with 1,000',
      unit: 'times',
      samples: { [OURS]: [times] },
      goals: [{ against: undefined, bound: 'at most', value: 1.3 }],
    },
    { name: '... with 1,000,000', unit: 'us', samples: { [OURS]: samples.full }, goals: [] },
    { name: '... with 1,000', unit: 'us', samples: { [OURS]: samples.small }, goals: [] },
  ];
}

interface Asked {
  readonly running: Running;
  readonly file: string;
}

async function compare(bench: Bench, full: Asked, small: Asked) {
  for (const { running, file } of [full, small]) await bench.ask(running, file, { seconds: WARM_UP_SECONDS });
  const samples = { full: [] as number[], small: [] as number[] };
  for (let round = 0; round < bench.options.rounds; round++) {
    samples.full.push(await hitCost(bench, full));
    samples.small.push(await hitCost(bench, small));
  }
  return samples;
}

async function hitCost(bench: Bench, { running, file }: Asked): Promise<number> {
  const asked = await bench.upstream.queries();
  const { cpuUs, answered } = await bench.weigh(running, file, { seconds: bench.options.seconds });
  const misses = (await bench.upstream.queries()) - asked;
  if (misses > answered / 1000) throw new Error(`Cannot use this run: ${misses} of ${answered} answers were no hits`);
  return cpuUs;
}
