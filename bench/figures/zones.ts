import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Bench } from '../bench.ts';
import { type Measure, median, OURS } from '../measure.ts';
import { uniqueNames } from '../names.ts';
import { startAgent } from '../servers/agent.ts';
import type { Running, Server } from '../servers/server.ts';

const WARM_UP_SECONDS = 2;
const ZONES = 10_000;
/** Below what the upstream can answer, so that both agents have the same to do. */
const MISSES_PER_SECOND = 5000;

/**
 * What a hit and a miss cost with 10,000 zones in the configuration, and with those that are there without one: two agents, asked in turn. A hit looks up no
 * zone, a miss does.
 */
export async function zones(bench: Bench): Promise<Measure[]> {
  const samples = await bench.withServer(bench.ours, (few) =>
    bench.withServer(agentWithZones(bench), (many) => compare(bench, many, few)),
  );
  const measures = (['hit', 'miss'] as const).flatMap((kind): Measure[] => {
    const times = median(samples.many[kind]) / median(samples.few[kind]);
    return [
      {
        name: `CPU per ${kind} with ${ZONES.toLocaleString('en')} zones, of that with four`,
        unit: 'times',
        samples: { [OURS]: [times] },
        goals: [{ against: undefined, bound: 'at most', value: 1.05 }],
      },
      { name: `... ${kind} with 10,000`, unit: 'us', samples: { [OURS]: samples.many[kind] }, goals: [] },
      { name: `... ${kind} with four`, unit: 'us', samples: { [OURS]: samples.few[kind] }, goals: [] },
    ];
  });
  return measures;
}

/** Each zone with an upstream, for which nobody asks; their names have the depths that zones have. */
function agentWithZones(bench: Bench): Server {
  return {
    name: OURS,
    start(place) {
      const file = join(place.folder, 'zones.yaml');
      const lines = Array.from({ length: ZONES }, (_, index) => {
        const parent = index % 3 === 0 ? 'example' : `part-${index % 100}.example`;
        return `  zone-${index}.${parent}: { upstreams: ['127.0.0.1:${place.upstreamPort}'] }`;
      });
      writeFileSync(file, `zones:\n${lines.join('\n')}\n`);
      return startAgent(bench.programs.agent, place, { serve: ['--config', file] });
    },
  };
}

interface Costs {
  readonly hit: number[];
  readonly miss: number[];
}

async function compare(bench: Bench, many: Running, few: Running): Promise<{ many: Costs; few: Costs }> {
  const costs = {
    many: { hit: [] as number[], miss: [] as number[] },
    few: { hit: [] as number[], miss: [] as number[] },
  };
  const { rounds } = bench.options;
  for (const running of [many, few]) {
    await bench.warm(running);
    await bench.ask(running, bench.zipfFile(), { seconds: WARM_UP_SECONDS });
    await bench.ask(running, freshNames(bench, 'warm-up'), { seconds: WARM_UP_SECONDS, rate: MISSES_PER_SECOND });
  }
  for (let round = 0; round < rounds; round++) {
    for (const [running, cost] of [
      [many, costs.many],
      [few, costs.few],
    ] as const) {
      const { seconds } = bench.options;
      await bench.warm(running);
      cost.hit.push((await bench.weigh(running, bench.zipfFile(), { seconds })).cpuUs);
      const file = freshNames(bench, `round-${round}`);
      cost.miss.push((await bench.weigh(running, file, { seconds, rate: MISSES_PER_SECOND })).cpuUs);
    }
  }
  return costs;
}

function freshNames(bench: Bench, label: string): string {
  const count = (Math.max(bench.options.seconds, WARM_UP_SECONDS) + 1) * MISSES_PER_SECOND;
  return bench.queryFile(`zones-${label}`, () => uniqueNames(`${label}-`, count));
}
