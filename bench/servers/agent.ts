import { OURS } from '../measure.ts';
import { freePort, launch, type Place, type Running, type Server } from './server.ts';

export const PORTABLE = 'signpost, portable';

/** Flags of node's and of `signpost serve`. */
export interface AgentFlags {
  readonly node?: readonly string[];
  readonly serve?: readonly string[];
  /** In place of BIND over TCP. */
  readonly clusterDns?: string;
}

/** The agent as it is shipped: built, every feature at its default, with the heap flags of the manifests. */
export function agent(program: string, more: AgentFlags = {}): Server {
  return { name: OURS, start: (place) => startAgent(program, place, more) };
}

/** The same without native add-ons, so that it falls back to the listener on node:dgram. */
export function portableAgent(program: string): Server {
  return { name: PORTABLE, start: (place) => startAgent(program, place, { node: ['--no-addons'] }) };
}

/** Starts it with more flags than the bench's own; of those that may be given once, theirs count. */
export async function startAgent(program: string, place: Place, more: AgentFlags = {}): Promise<Running> {
  const port = await freePort();
  const upstream = `127.0.0.1:${place.upstreamPort}`;
  const command = [process.execPath, '--max-semi-space-size=2', ...(more.node ?? []), program, 'serve'];
  const flags = {
    listen: `127.0.0.1:${port}`,
    'cluster-dns': more.clusterDns ?? `tcp://${upstream}`,
    upstream: `udp://${upstream}`,
    metrics: 'off',
    admin: '127.0.0.1:0',
    lameduck: '0s',
    'log-format': 'json',
  };
  return launch(place.core, port, [
    ...command,
    ...Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, value]),
    ...(more.serve ?? []),
  ]);
}
