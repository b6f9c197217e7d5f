import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Metrics } from '../../test/servers/metrics.ts';
import { SteadyClients } from '../../test/servers/steady-clients.ts';
import type { Bench } from '../bench.ts';
import { firstAnswer } from '../first-answer.ts';
import { type Measure, OURS } from '../measure.ts';
import { anonymousMegabytes, openDescriptors } from '../processes.ts';
import { freePort, launch, type Place, type Running } from '../servers/server.ts';

/** For each of `--seconds`: 50 by default. */
const UPGRADES_A_SECOND = 10;
const PER_SECOND = 20_000;
/** So many queries at least, however quick the upgrades are. */
const QUERIES_AN_UPGRADE = 20_000;
const CONNECTIONS = 50;
/** One run of the load; the next one follows at once. */
const LOAD_SECONDS = 5;
/** After an upgrade, for the hit rate just then: some thousand queries. */
const JUST_AFTER_MS = 300;
const TAKING_MS = 20_000;
/** Names that are asked rarely would end 30 s after they were first asked, all at once: misses that no upgrade makes. */
const CONFIG = 'zones: {cluster.local: {cache: {maxTtl: 1h}}}\n';

interface Result {
  readonly queries: number;
  readonly lost: number;
  readonly tcp: number;
  readonly tcpFailed: number;
  readonly tcpAskedAgain: number;
  readonly hitPercent: number;
  readonly upgradeMs: number;
  readonly descriptors: number;
  readonly memoryPercent: number;
}

/** One process after the other takes over while 20,000 queries a second come and 50 connections ask: what is lost, and what is left behind. */
export async function upgrades(bench: Bench): Promise<Measure[]> {
  const count = bench.options.seconds * UPGRADES_A_SECOND;
  const results: Result[] = [];
  for (let round = 0; round < bench.options.rounds; round++) results.push(await measureUpgrades(bench, count));
  const row = (name: string, unit: string, read: (result: Result) => number): Measure => ({
    name,
    unit,
    samples: { [OURS]: results.map(read) },
    goals: [],
  });
  const atMost = (value: number): Measure['goals'] => [{ against: undefined, bound: 'at most', value }];
  return [
    {
      ...row(
        `${count} upgrades at ${PER_SECOND.toLocaleString('en')}/s: UDP queries lost`,
        'queries',
        ({ lost }) => lost,
      ),
      goals: atMost(0),
    },
    row('... of', 'queries', ({ queries }) => queries),
    {
      ...row('... TCP queries that failed, asked again by their client', 'queries', ({ tcpFailed }) => tcpFailed),
      goals: atMost(0),
    },
    row(`... of, on ${CONNECTIONS} connections`, 'queries', ({ tcp }) => tcp),
    row('... asked again on another connection', 'queries', ({ tcpAskedAgain }) => tcpAskedAgain),
    {
      ...row('... lowest hit rate just after one, of that before', '%', ({ hitPercent }) => hitPercent),
      goals: [{ against: undefined, bound: 'at least', value: 99 }],
    },
    row('... start of a process until it serves', 'ms', ({ upgradeMs }) => upgradeMs),
    {
      ...row('... descriptors of the last process, more than of the first', 'files', ({ descriptors }) => descriptors),
      goals: atMost(CONNECTIONS / 5),
    },
    {
      ...row('... memory of the last process, of that of the first', '%', ({ memoryPercent }) => memoryPercent),
      goals: atMost(110),
    },
  ];
}

async function measureUpgrades(bench: Bench, count: number): Promise<Result> {
  const line = await Line.begin(bench.place(), bench.programs.agent);
  try {
    await firstAnswer(line.port, bench.names[0]!);
    await bench.warm(line.latest);
    const clients = await SteadyClients.start({ host: '127.0.0.1', port: line.port }, bench.names, CONNECTIONS);
    let isDone = false;
    const load = askOn(bench, line, () => isDone, count * QUERIES_AN_UPGRADE);
    await sleep(2000);
    const first = weigh(line.latest);
    const upgradeMs: number[] = [];
    let hitPercent = 100;
    for (let upgrade = 1; upgrade <= count; upgrade++) {
      const before = await line.hitRate();
      upgradeMs.push(await line.upgrade());
      await sleep(JUST_AFTER_MS);
      hitPercent = Math.min(hitPercent, ((await line.hitRate()) * 100) / before);
    }
    await sleep(2000);
    const last = weigh(line.latest);
    isDone = true;
    const { queries, lost } = await load;
    const { udp, tcp } = await clients.stop();
    return {
      queries: queries + udp.sent,
      lost: lost + udp.sent - udp.answered,
      tcp: tcp.sent,
      tcpFailed: tcp.sent - tcp.answered,
      tcpAskedAgain: tcp.askedAgain,
      hitPercent,
      upgradeMs: upgradeMs.reduce((sum, ms) => sum + ms, 0) / count,
      descriptors: last.descriptors - first.descriptors,
      memoryPercent: (last.megabytes * 100) / first.megabytes,
    };
  } finally {
    await line.latest.stop();
  }
}

/** Runs of load one after the other, until there is no more to see. */
async function askOn(bench: Bench, line: Line, isDone: () => boolean, queries: number) {
  const sum = { queries: 0, lost: 0 };
  while (!isDone() || sum.queries < queries) {
    const result = await bench.ask(line.latest, bench.zipfFile(), { seconds: LOAD_SECONDS, rate: PER_SECOND });
    sum.queries += result.answered + result.lost;
    sum.lost += result.lost + result.bad;
  }
  return sum;
}

function weigh({ pid }: Running): { descriptors: number; megabytes: number } {
  return { descriptors: openDescriptors(pid), megabytes: anonymousMegabytes(pid) };
}

/** Processes of which each takes over from the one before, at the same addresses. */
class Line {
  readonly port: number;
  readonly #command: readonly string[];
  readonly #core: number;
  readonly #admin: string;
  #latest: Running;

  static async begin(place: Place, program: string): Promise<Line> {
    const line = new Line(place, program, await freePort(), await freePort());
    await line.#untilServing(1);
    return line;
  }

  private constructor({ core, folder, upstreamPort }: Place, program: string, port: number, adminPort: number) {
    const upstream = `127.0.0.1:${upstreamPort}`;
    const config = join(folder, 'signpost.yaml');
    writeFileSync(config, CONFIG);
    this.port = port;
    this.#core = core;
    this.#admin = `127.0.0.1:${adminPort}`;
    const flags = {
      config,
      listen: `127.0.0.1:${port}`,
      'cluster-dns': `tcp://${upstream}`,
      upstream: `udp://${upstream}`,
      state: join(folder, 'state'),
      metrics: 'off',
      admin: this.#admin,
      lameduck: '0s',
    };
    const serve = Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, value]);
    this.#command = [process.execPath, '--max-semi-space-size=2', program, 'serve', ...serve];
    this.#latest = this.#launch();
  }

  get latest(): Running {
    return this.#latest;
  }

  /** Starts the next one, and ends the one before when that serves; how long it took, in milliseconds. */
  async upgrade(): Promise<number> {
    const before = this.#latest;
    const { generation } = await this.#handOver();
    const startMs = performance.now();
    this.#latest = this.#launch();
    await this.#untilServing(generation + 1);
    const ms = performance.now() - startMs;
    await before.stop();
    return ms;
  }

  /** Of the process that serves, since it does. */
  async hitRate(): Promise<number> {
    const metrics = new Metrics(await this.#get('metrics'));
    return metrics.count('coredns_cache_hits_total') / metrics.count('coredns_cache_requests_total');
  }

  #launch(): Running {
    return launch(this.#core, this.port, this.#command);
  }

  async #untilServing(generation: number): Promise<void> {
    const endMs = performance.now() + TAKING_MS;
    while (performance.now() < endMs) {
      const now = await this.#handOver().catch(() => undefined);
      if (now?.role === 'serving' && now.generation >= generation) return;
      await sleep(10);
    }
    throw new Error(`No process of generation ${generation} serves after ${TAKING_MS / 1000} s`);
  }

  async #handOver(): Promise<{ role: string; generation: number }> {
    return JSON.parse(await this.#get('api/v1/status')).handOver;
  }

  /** On a connection of its own: one that stays open would stay with the process that accepted it. */
  async #get(path: string): Promise<string> {
    const response = await fetch(`http://${this.#admin}/${path}`, { headers: { Connection: 'close' } });
    return response.text();
  }
}
