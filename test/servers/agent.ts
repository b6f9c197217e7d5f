import { fileURLToPath } from 'node:url';
import type { Server } from '../client/ask.ts';
import { Child, type Exit } from './child.ts';
import { type Metrics, scrape } from './metrics.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const ENTRY = fileURLToPath(new URL('../../bin/signpost.js', import.meta.url));

export interface Agent extends Server {
  /** Every listen address in the order of the flags; `host` and `port` are the first one's. */
  readonly listen: readonly Server[];
  /** `http://HOST:PORT` of the admin address. */
  readonly adminUrl: string;
  readonly child: Child;
  scrape(): Promise<Metrics>;
  stop(): Promise<Exit>;
}

export interface AgentOptions {
  /** Node's own flags, such as `--expose-gc`. */
  readonly nodeFlags?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** The program; where not given, the checkout's own. */
  readonly entry?: string;
  /** What the command line begins with, such as `ip netns exec NAME`. */
  readonly prefix?: readonly string[];
}

/** `signpost serve` as a process of its own on free ports of 127.0.0.1. `flags` come last, so that they win; a repeated one adds. */
export async function startAgent(flags: readonly string[], options: AgentOptions = {}): Promise<Agent> {
  const hasListen = flags.includes('--listen');
  const own = ['--metrics', 'off', '--admin', '127.0.0.1:0', '--lameduck', '0s', '--log-format', 'json'];
  const child = spawnAgent([...(hasListen ? [] : ['--listen', '127.0.0.1:0']), ...own, ...flags], options);
  await child.waitUntil('listening', () => listening(child) !== undefined);
  const fields = listening(child)!;
  const listen = fields.listen.map(serverFrom);
  const adminUrl = `http://${fields.admin}`;
  return { ...listen[0]!, listen, adminUrl, child, scrape: () => scrape(adminUrl), stop: () => child.stop() };
}

/** `signpost serve` with these flags and no others, for starts that fail. */
export function spawnAgent(flags: readonly string[], options: AgentOptions = {}): Child {
  const { nodeFlags = [], env, cwd = ROOT, entry = ENTRY, prefix = [] } = options;
  const [first, ...rest] = [...prefix, process.execPath, ...nodeFlags, entry, 'serve', ...flags];
  const hasChannel = nodeFlags.length > 0;
  return new Child(first!, rest, { cwd, hasChannel, ...(env && { env: { ...process.env, ...env } }) });
}

/** What the agent's log says of its addresses, as `127.0.0.1:5300` and `[::1]:5300`, once it is there. */
function listening(child: Child): { listen: string[]; admin: string } | undefined {
  const line = child.output.split('\n').find((text) => text.startsWith('{') && text.includes('"message":"listening"'));
  return line && JSON.parse(line);
}

function serverFrom(address: string): Server {
  const [, host, port] = /^\[?(.*?)\]?:(\d+)$/.exec(address)!;
  return { host: host!, port: Number(port) };
}
