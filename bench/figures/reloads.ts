import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bench } from '../bench.ts';
import { type Measure, OURS } from '../measure.ts';
import { anonymousMegabytes } from '../processes.ts';
import { startAgent } from '../servers/agent.ts';
import { freePort, type Running } from '../servers/server.ts';

const RELOADS = 1000;
const HITS_PER_SECOND = 20_000;
/** The first reloads compile what a reload runs: memory is compared with what it is after them. */
const SETTLED_AFTER = 200;
const EVERY_MS = 15;

/** The configuration read anew a thousand times, another one each time, while 20,000 queries a second are answered: how many of them are lost. */
export async function reloads(bench: Bench): Promise<Measure[]> {
  const samples = { lost: [] as number[], reloads: [] as number[], memory: [] as number[] };
  for (let round = 0; round < bench.options.rounds; round++) {
    const place = bench.place();
    const file = join(place.folder, 'signpost.yaml');
    const write = (version: number): void => {
      // In one step, as editors and kubelet do it.
      writeFileSync(`${file}.new`, configuration(place.upstreamPort, version));
      renameSync(`${file}.new`, file);
    };
    write(0);
    const metrics = `127.0.0.1:${await freePort()}`;
    const server = {
      name: OURS,
      start: () => startAgent(bench.programs.agent, place, { serve: ['--config', file, '--metrics', metrics] }),
    };
    const result = await bench.withServer(server, async (running) => {
      const measured = await measureReloads(bench, running, write);
      return { ...measured, reloads: await reloadsSoFar(metrics) };
    });
    samples.lost.push(result.lost);
    samples.reloads.push(result.reloads);
    samples.memory.push(result.memoryPercent);
  }
  return [
    {
      name: `lost at ${HITS_PER_SECOND.toLocaleString('en')}/s during ${RELOADS.toLocaleString('en')} reloads`,
      unit: 'queries',
      samples: { [OURS]: samples.lost },
      goals: [{ against: undefined, bound: 'at most', value: 0 }],
    },
    { name: '... reloads that came to pass', unit: 'reloads', samples: { [OURS]: samples.reloads }, goals: [] },
    {
      name: '... memory after the last, of that after the 200th',
      unit: '%',
      samples: { [OURS]: samples.memory },
      goals: [{ against: undefined, bound: 'at most', value: 105 }],
    },
  ];
}

async function measureReloads(bench: Bench, running: Running, write: (version: number) => void) {
  await bench.warm(running);
  const seconds = Math.ceil((RELOADS * EVERY_MS * 1.3) / 1000);
  const load = bench.ask(running, bench.zipfFile(), { seconds, rate: HITS_PER_SECOND });
  let settledMegabytes = 0;
  const begunMs = performance.now();
  for (let version = 1; version <= RELOADS; version++) {
    write(version);
    running.process.kill('SIGHUP');
    await sleep(Math.max(0, begunMs + version * EVERY_MS - performance.now()));
    if (version === SETTLED_AFTER) settledMegabytes = anonymousMegabytes(running.pid);
  }
  const memoryPercent = (anonymousMegabytes(running.pid) * 100) / settledMegabytes;
  const { lost, bad } = await load;
  return { lost: lost + bad, memoryPercent };
}

async function reloadsSoFar(metrics: string): Promise<number> {
  const text = await (await fetch(`http://${metrics}/metrics`)).text();
  return Number(/^signpost_config_reloads_total (\d+)/m.exec(text)?.[1]);
}

/** Zones come and go, one has another upstream each time, and the cluster's zone keeps what it has. */
function configuration(upstreamPort: number, version: number): string {
  const upstream = `127.0.0.1:${upstreamPort}`;
  return `zones:
  corp-${version % 7}.example:
    upstreams: ['${upstream}']
  moving.example:
    upstreams: ['127.0.0.${2 + (version % 9)}:${upstreamPort}']
`;
}
