import type { Cost } from './bench.ts';
import type { Busy } from './measure.ts';
import type { Server } from './servers/server.ts';

/** Measures the servers in turn, `rounds` times over; returns what each gave, by name, in the servers' order. */
export async function inRounds<T>(
  rounds: number,
  servers: readonly Server[],
  measure: (server: Server) => Promise<T>,
): Promise<Map<string, T[]>> {
  const results = new Map<string, T[]>(servers.map((server) => [server.name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const server of servers) results.get(server.name)!.push(await measure(server));
  }
  return results;
}

/** One number of each result, as a measure's samples. */
export function pick<T>(
  results: ReadonlyMap<string, readonly T[]>,
  read: (result: T) => number,
): Record<string, number[]> {
  return Object.fromEntries([...results].map(([name, list]) => [name, list.map(read)]));
}

/** Who was busy in each of the runs, by server. */
export function pickBusy(results: ReadonlyMap<string, readonly Cost[]>): Record<string, Busy> {
  const all = (costs: readonly Cost[]): Busy => ({
    server: costs.map((cost) => cost.serverPercent),
    serverCore: costs.map((cost) => cost.serverCorePercent),
    generator: costs.map((cost) => cost.busyPercent),
    upstream: costs.map((cost) => cost.upstreamPercent),
    otherCore: costs.map((cost) => cost.otherCorePercent),
  });
  return Object.fromEntries([...results].map(([name, costs]) => [name, all(costs)]));
}
