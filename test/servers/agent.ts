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
  /** What the command line begins with, such as `ip netns exec NAME`. */
  readonly prefix?: readonly string[];
}

/** `signpost serve` as a process of its own on free ports of 127.0.0.1. `flags` come last, so that they win; a repeated one adds. */
export async function startAgent(flags: readonly string[], options: AgentOptions = {}): Promise<Agent> {
  const hasListen = flags.includes('--listen');
  const own = ['--metrics', 'off', '--admin', '127.0.0.1:0', '--lameduck', '0s', '--log-format', 'json'];
  const child = spawnAgent([...(hasListen ? [] : ['--listen', '127.0.0.1:0']), ...own, ...flags], options);
  await child.waitUntil('listening', () => listening(child) !== undefined);
  const { listen, admin } = listening(child)!;
  const adminUrl = `http://${admin.host}:${admin.port}`;
  return { ...listen[0]!, listen, adminUrl, child, scrape: () => scrape(adminUrl), stop: () => child.stop() };
}

/** `signpost serve` with these flags and no others, for starts that fail. */
export function spawnAgent(flags: readonly string[], options: AgentOptions = {}): Child {
  const { nodeFlags = [], env, cwd = ROOT, prefix = [] } = options;
  const [first, ...rest] = [...prefix, process.execPath, ...nodeFlags, ENTRY, 'serve', ...flags];
  const hasChannel = nodeFlags.length > 0;
  return new Child(first!, rest, { cwd, hasChannel, ...(env && { env: { ...process.env, ...env } }) });
}

/** The addresses from the agent's log, once they are in it. */
function listening(child: Child): { listen: Server[]; admin: Server } | undefined {
  for (const line of child.output.split('\n').filter((text) => text.startsWith('{'))) {
    const fields = JSON.parse(line);
    if (fields.message === 'listening') return fields;
  }
  return undefined;
}
