import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** What is kept of a server's output, for the message of a failed test. */
const OUTPUT_BYTES = 256 * 1024;

const running = new Set<ChildProcess>();

// A test that dies must not leave servers behind.
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface ChildOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** A channel for messages, where the program is Node's. */
  readonly hasChannel?: boolean;
}

/** A real server as a process of its own; ended by its own id and no broader name. */
export class Child {
  readonly #process: ChildProcess;
  readonly #name: string;
  readonly exit: Promise<Exit>;
  #hasEnded = false;
  #output = '';

  constructor(path: string, args: readonly string[], { cwd, env, hasChannel = false }: ChildOptions = {}) {
    this.#name = path;
    const stdio: StdioOptions = ['ignore', 'pipe', 'pipe', ...(hasChannel ? (['ipc'] as const) : [])];
    this.#process = spawn(path, args, { cwd, env: env ?? process.env, stdio });
    running.add(this.#process);
    for (const stream of [this.#process.stdout!, this.#process.stderr!]) {
      stream.setEncoding('utf8').on('data', (text: string) => this.#keep(text));
    }
    this.exit = new Promise((resolve) => {
      this.#process.once('error', (error) => this.#keep(`${error}\n`));
      this.#process.once('close', (code, signal) => {
        this.#hasEnded = true;
        running.delete(this.#process);
        resolve({ code, signal });
      });
    });
  }

  get pid(): number {
    return this.#process.pid!;
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** What it has written to both of its streams, the end of it where there was much. */
  get output(): string {
    return this.#output;
  }

  /** Sends a message over the channel; the answer to it. */
  async request(message: string | object): Promise<unknown> {
    const answer = once(this.#process, 'message');
    this.#process.send(message);
    return (await answer)[0];
  }

  kill(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  /**
   * Stops it in mid-air (SIGSTOP) and resolves when all of its threads stand still: one of them must be scheduled to take the signal, and on a busy
   * machine the others go on answering until then.
   */
  async pause(): Promise<void> {
    this.#process.kill('SIGSTOP');
    const tasks = `/proc/${this.pid}/task`;
    const isStill = (task: string) => /\) T /.test(readFileSync(`${tasks}/${task}/stat`, 'latin1'));
    await this.waitUntil('still', () => readdirSync(tasks).every(isStill));
  }

  /** Resolves when `isReady` does so with true; rejects with the output where the process ends first or `limitMs` are over. */
  async waitUntil(what: string, isReady: () => boolean | Promise<boolean>, limitMs = 30_000): Promise<void> {
    const endMs = performance.now() + limitMs;
    while (!(await isReady())) {
      const isOver = performance.now() > endMs;
      if (this.#hasEnded || isOver) {
        this.#hold(false);
        throw new Error(
          `${this.#name} ${isOver ? 'is not' : 'ended before it was'} ${what}:\n${this.#output.slice(-4000)}`,
        );
      }
      await sleep(20);
    }
  }

  /** Asks it to end, and ends it where it does not within 5 s. Also a stopped process (SIGSTOP) ends. */
  async stop(): Promise<Exit> {
    if (!this.#hasEnded) {
      this.#hold(true);
      this.#process.kill('SIGTERM');
      this.#process.kill('SIGCONT');
      const timer = setTimeout(() => this.#process.kill('SIGKILL'), 5000);
      await this.exit;
      clearTimeout(timer);
    }
    return this.exit;
  }

  /** Whether the tests go on for as long as it runs. Whoever waited in vain for it to start does not have it in hand, and cannot end it. */
  #hold(isHeld: boolean): void {
    for (const each of [this.#process, this.#process.stdout as Socket, this.#process.stderr as Socket]) {
      if (isHeld) each.ref();
      else each.unref();
    }
  }

  #keep(text: string): void {
    this.#output = (this.#output + text).slice(-OUTPUT_BYTES);
  }
}

export interface RunOptions extends ChildOptions {
  /** What it reads from its standard input; nothing where not given. */
  readonly input?: string;
}

/** What a program that ends by itself wrote and how it ended. */
export async function run(path: string, args: readonly string[], { cwd, env, input = '' }: RunOptions = {}) {
  const child = spawn(path, args, { cwd, env: env ?? process.env, stdio: 'pipe' });
  // A program that ends before it has read all has said why.
  child.stdin.on('error', () => {}).end(input);
  const pieces = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (pieces.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (pieces.stderr += text));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, ...pieces };
}
