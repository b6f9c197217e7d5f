import { type FaultyPath, startFaultyPath } from '../test/servers/faulty-path.ts';
import type { Bench } from './bench.ts';
import type { LoadResult } from './generator.ts';
import { uniqueNames } from './names.ts';
import { agent } from './servers/agent.ts';
import { coredns } from './servers/coredns.ts';
import type { Running, Server } from './servers/server.ts';

/** Of each path, so that a reply's time is the network's and not a loop's: this process passes everything on. */
export const ROUND_TRIP_MS = 10;
export const MISSES_PER_SECOND = 2000;

/** Two ways to BIND, each with its own round trip, that take a server's questions over TCP. */
export interface TwoPaths {
  readonly first: FaultyPath;
  readonly second: FaultyPath;
  /** The servers compared, with both as upstreams. */
  readonly servers: readonly Server[];
  /** Ours with the second alone. */
  readonly ofOne: Server;
}

/** Gives `use` two fresh paths, and closes them after it. */
export async function withTwoPaths<T>(bench: Bench, use: (paths: TwoPaths) => Promise<T>): Promise<T> {
  const behind = { host: '127.0.0.1', port: bench.upstream.port };
  const [first, second] = await Promise.all([startFaultyPath(behind), startFaultyPath(behind)]);
  first.delayMs = ROUND_TRIP_MS;
  second.delayMs = ROUND_TRIP_MS;
  const address = ({ port }: FaultyPath): string => `tcp://127.0.0.1:${port}`;
  const serve = ['--cluster-dns', address(second)];
  const ours = agent(bench.programs.agent, { clusterDns: address(first), serve });
  const peer = bench.corednsProgram && by(first, coredns(bench.corednsProgram, undefined, second.port));
  const ofOne = agent(bench.programs.agent, { clusterDns: address(second) });
  try {
    return await use({ first, second, servers: [ours, ...(peer ? [peer] : [])], ofOne });
  } finally {
    first.stop();
    second.stop();
  }
}

function by(path: FaultyPath, server: Server): Server {
  return { name: server.name, start: (place) => server.start({ ...place, upstreamPort: path.port }) };
}

/** Never asked before in this run of the bench, so that each is asked upstream. */
let lists = 0;

export function freshNames(seconds: number): string[] {
  return uniqueNames(`p${lists++}-`, seconds * MISSES_PER_SECOND + 1);
}

/** Misses, evenly spaced, whatever comes back. */
export function askMisses(bench: Bench, running: Running, seconds: number): Promise<LoadResult> {
  const names = freshNames(seconds);
  const file = bench.queryFile(`paths-${lists}`, () => names);
  return bench.ask(running, file, { seconds, rate: MISSES_PER_SECOND });
}

/** Questions without a good answer. */
export function failed({ answered, lost, noError }: LoadResult): number {
  return answered + lost - noError;
}
