import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Something that answers DNS and can be measured. One file each in this folder. */
export interface Server {
  readonly name: string;
  start(place: Place): Promise<Running>;
}

/** Where a server runs and whom it asks. */
export interface Place {
  readonly core: number;
  /** A folder of its own, empty, for its files. */
  readonly folder: string;
  /** Of the authoritative server on 127.0.0.1, UDP and TCP. */
  readonly upstreamPort: number;
}

export interface Running {
  readonly pid: number;
  readonly port: number;
  readonly process: ChildProcess;
  stop(): Promise<void>;
}

const STOP_MS = 10_000;

/** None may outlive this process: it would spoil the next run. */
const alive = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of alive) child.kill('SIGKILL');
});

/** Starts a program pinned to a core. Does not wait until it answers: `firstAnswer` does. */
export function launch(
  core: number,
  port: number,
  command: readonly string[],
  env: Record<string, string> = {},
): Running {
  // taskset becomes the program (exec), so its pid is the program's.
  const child = spawn('taskset', ['-c', String(core), ...command], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...env },
  });
  alive.add(child);
  const tail: string[] = [];
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    tail.push(text);
    if (tail.length > 20) tail.shift();
  });
  let isStopping = false;
  child.on('exit', (code, signal) => {
    alive.delete(child);
    if (!isStopping) process.stderr.write(`${command[0]} ended by itself (${code ?? signal}):\n${tail.join('')}\n`);
  });
  return {
    pid: child.pid!,
    port,
    process: child,
    async stop() {
      isStopping = true;
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
      child.kill('SIGTERM');
      await ended;
      clearTimeout(timer);
    },
  };
}

/** A port of 127.0.0.1 that is free for UDP and TCP at this moment. */
export async function freePort(): Promise<number> {
  const tcp = createServer().listen(0, '127.0.0.1');
  await once(tcp, 'listening');
  const { port } = tcp.address() as { port: number };
  const udp = createSocket('udp4');
  try {
    udp.bind(port, '127.0.0.1');
    await once(udp, 'listening');
    return port;
  } catch {
    return freePort();
  } finally {
    udp.close();
    tcp.close();
  }
}
