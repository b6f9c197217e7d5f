import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BenchError } from './bench-error.ts';
import { firstAnswer } from './first-answer.ts';
import { blast, type LoadResult, requireGoodAnswers } from './generator.ts';
import type { Cores } from './machine.ts';
import { queryLines, serviceNames, zipfSample } from './names.ts';
import type { Options } from './options.ts';
import { busyPercent, coreTime, cpuSeconds } from './processes.ts';
import { findProgram, type Programs } from './programs.ts';
import { agent, portableAgent } from './servers/agent.ts';
import { coredns, findCoredns } from './servers/coredns.ts';
import { startNamed, type Upstream } from './servers/named.ts';
import { peer } from './servers/peer.ts';
import type { Place, Running, Server } from './servers/server.ts';
import { udpLimit } from './servers/udp-limit.ts';
import { unbound } from './servers/unbound.ts';

const NAMES = 10_000;
/** Asked over and over; enough draws that the rarest of the names are among them. */
const ZIPF_DRAWS = 200_000;
const WARM_PASSES = 6;

/** The default, 8 x 24 in flight, is what a socket's receive buffer holds as Linux sets it (208 KiB, 768 B a small datagram): none are lost. */
export interface Pace {
  readonly seconds: number;
  readonly transport?: 'udp' | 'tcp';
  readonly queries?: number;
  readonly sockets?: number;
  readonly window?: number;
  readonly rate?: number;
  readonly isSorted?: boolean;
}

/** What a load came to, and who was busy meanwhile, in per cent of a core. */
export interface Cost extends LoadResult {
  /** User and system time of the server for each answer. */
  readonly cpuUs: number;
  readonly serverPercent: number;
  readonly serverCorePercent: number;
  readonly upstreamPercent: number;
  /** The generator's core, or the upstream's where that is busier. */
  readonly otherCorePercent: number;
}

/** What every figure needs: the upstream, the servers, the names, and a folder for files, which goes when the process ends. */
export class Bench {
  readonly options: Options;
  readonly cores: Cores;
  readonly programs: Programs;
  readonly ours: Server;
  readonly portable: Server;
  readonly limit: Server;
  /** undefined: not found on this machine. */
  readonly corednsProgram: string | undefined;
  readonly coredns: Server | undefined;
  readonly unbound: Server | undefined;
  /** The user's own. */
  readonly peers: readonly Server[];
  readonly upstream: Upstream;
  readonly names: readonly string[];
  readonly #root: string;
  #folders = 0;
  #files = new Map<string, string>();

  private constructor(
    options: Options,
    programs: Programs,
    root: string,
    cores: Cores,
    upstream: Upstream,
    names: readonly string[],
  ) {
    const unboundProgram = findProgram('unbound');
    this.options = options;
    this.cores = cores;
    this.programs = programs;
    this.ours = agent(programs.agent);
    this.portable = portableAgent(programs.agent);
    this.limit = udpLimit(programs.udpLimit);
    this.corednsProgram = findCoredns(options.coredns, process.cwd());
    this.coredns = this.corednsProgram === undefined ? undefined : coredns(this.corednsProgram);
    this.unbound = unboundProgram === undefined ? undefined : unbound(unboundProgram);
    this.peers = options.peers.map(peer);
    this.upstream = upstream;
    this.names = names;
    this.#root = root;
  }

  /** Starts the upstream. Throws where something that every figure needs is missing. */
  static async open(options: Options, programs: Programs, cores: Cores): Promise<Bench> {
    const named = findProgram('named');
    if (named === undefined)
      throw new BenchError('Cannot measure: BIND (named) is not installed, and it is the upstream of every figure');
    const root = mkdtempSync(join(tmpdir(), 'signpost-bench-'));
    const names = serviceNames(NAMES);
    process.once('exit', () => rmSync(root, { recursive: true, force: true }));
    const upstream = await startNamed(named, cores.upstream, join(root, 'named'), names);
    const bench = new Bench(options, programs, root, cores, upstream, names);
    try {
      await firstAnswer(upstream.port, names[0]!);
    } catch (error) {
      await bench.close();
      throw error;
    }
    return bench;
  }

  async close(): Promise<void> {
    await this.upstream.stop();
  }

  /** Those of the servers that are on this machine. */
  present(...servers: readonly (Server | undefined)[]): Server[] {
    return servers.filter((server) => server !== undefined);
  }

  /** Where the next server runs. */
  place(): Place {
    const folder = join(this.#root, String(++this.#folders));
    mkdirSync(folder);
    return { core: this.cores.server, folder, upstreamPort: this.upstream.port };
  }

  /** Starts a server, waits until it answers, and stops it after `use`. Each measurement has a fresh process, alone on its core. */
  async withServer<T>(server: Server, use: (running: Running) => Promise<T>): Promise<T> {
    const running = await server.start(this.place());
    try {
      await firstAnswer(running.port, this.names[0]!);
      return await use(running);
    } finally {
      await running.stop();
    }
  }

  /** Asks a server for what is in the file. Rejects where the answers are not what a figure may rest on. */
  async load(running: Running, queryFile: string, pace: Pace): Promise<LoadResult> {
    const result = await this.ask(running, queryFile, pace);
    requireGoodAnswers(result, pace.queries);
    return result;
  }

  /** The same, with what it cost. */
  async weigh(running: Running, queryFile: string, pace: Pace): Promise<Cost> {
    const { server, generator, upstream } = this.cores;
    const cores = [server, generator, upstream];
    const processes = [running.pid, this.upstream.pid];
    const coresBefore = cores.map((core) => coreTime(core));
    const cpuBefore = processes.map(cpuSeconds);
    const result = await this.load(running, queryFile, pace);
    const [cpu, upstreamCpu] = processes.map((pid, index) => cpuSeconds(pid) - cpuBefore[index]!) as [number, number];
    const [serverCore, ...others] = cores.map((core, index) => busyPercent(coresBefore[index]!, coreTime(core)));
    const seconds = result.answered / result.answersPerSecond;
    return {
      ...result,
      cpuUs: (cpu * 1e6) / result.answered,
      serverPercent: (cpu * 100) / seconds,
      serverCorePercent: serverCore!,
      upstreamPercent: (upstreamCpu * 100) / seconds,
      otherCorePercent: Math.max(...others),
    };
  }

  /** Asks, whatever comes back: for practice, or where losses are the figure. */
  ask(running: Running, queryFile: string, pace: Pace): Promise<LoadResult> {
    const { seconds, transport = 'udp', queries = 0, sockets = 8, window = 24, rate = 0, isSorted = false } = pace;
    return blast({
      program: transport === 'udp' ? this.programs.dnsblast : this.programs.tcpblast,
      core: this.cores.generator,
      port: running.port,
      queryFile,
      seconds,
      sockets,
      window,
      queries,
      rate,
      isSorted,
    });
  }

  /** Asks for every name of the zone; after it all are in the server's cache. */
  async warm(running: Running): Promise<void> {
    await this.fill(
      running,
      this.queryFile('names', () => this.names),
      this.names.length,
    );
  }

  /** Asks for the `queries` names of a file once, and again until each has been answered. */
  async fill(running: Running, queryFile: string, queries: number): Promise<void> {
    for (let pass = 1; pass <= WARM_PASSES; pass++) {
      const { noError } = await this.ask(running, queryFile, { seconds: 120, queries, sockets: 2, window: 48 });
      if (pass > 1 && noError === queries) return;
    }
    throw new Error(`Cannot warm the cache: some of ${queries} names had no answer in any of ${WARM_PASSES} passes`);
  }

  zipfFile(): string {
    return this.queryFile('zipf', () => zipfSample(this.names, ZIPF_DRAWS));
  }

  /** The file of that name, made when it is first asked for. */
  queryFile(name: string, make: () => readonly string[]): string {
    const known = this.#files.get(name);
    if (known !== undefined) return known;
    const path = join(this.#root, `${name}.queries`);
    writeFileSync(path, queryLines(make()));
    this.#files.set(name, path);
    return path;
  }
}
