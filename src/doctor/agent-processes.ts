import { readdir, readFile, readlink } from 'node:fs/promises';

/** One `signpost serve` in this network. */
export interface AgentProcess {
  readonly pid: number;
  /** What stands behind `serve` on its command line. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** As ps(1) has it: `S` sleeps, `T` is stopped, `D` waits for a disk. */
  readonly state: string;
  /** Clock ticks from the machine's start to its own: the larger, the newer. */
  readonly started: number;
}

/** The agents of this network namespace as far as rights allow to see them, the newest first. */
export async function findAgents(): Promise<AgentProcess[]> {
  const network = await readlink('/proc/self/ns/net').catch(() => '');
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(pids.map((pid) => readAgent(pid, network)));
  return found.filter((agent) => agent !== undefined).sort((a, b) => b.started - a.started);
}

async function readAgent(pid: string, network: string): Promise<AgentProcess | undefined> {
  const folder = `/proc/${pid}`;
  const words = await readWords(`${folder}/cmdline`);
  const serve = words.findIndex((word, at) => word === 'serve' && isOurs(words[at - 1] ?? ''));
  if (serve < 0 || (await readlink(`${folder}/ns/net`).catch(() => '')) !== network) return undefined;
  const stat = await readFile(`${folder}/stat`, 'latin1').catch(() => '');
  // What stands in brackets is the program's name, and may hold anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return {
    pid: Number(pid),
    args: words.slice(serve + 1),
    env: Object.fromEntries((await readWords(`${folder}/environ`)).map(splitVariable)),
    state: fields[0] ?? '?',
    started: Number(fields[19] ?? 0),
  };
}

/** The command as npm installs it, or its file. */
function isOurs(word: string): boolean {
  return /(?:^|\/)signpost(?:\.js)?$/.test(word);
}

async function readWords(path: string): Promise<string[]> {
  const text = await readFile(path, 'utf8').catch(() => '');
  return text === '' ? [] : text.replace(/\0$/, '').split('\0');
}

function splitVariable(text: string): [string, string] {
  const at = text.indexOf('=');
  return [text.slice(0, at), text.slice(at + 1)];
}
