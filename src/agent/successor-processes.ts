import { type ChildProcess, spawn } from 'node:child_process';
import type { Logger } from '../core/logger.ts';
import { ATTEMPT_VARIABLE } from './hand-over.ts';

/** What is known of the hand-over. */
export interface Serving {
  /** False: nobody can take over, for there is no `--state` that can be used. */
  readonly isPossible: boolean;
  /** The process that serves while this one stands by; undefined: this one serves. */
  readonly servingPid: number | undefined;
}

/** How often it is looked whether the new process serves, and for how long: then it is taken for failed. */
const LOOK_MS = 100;
const START_MS = 60_000;

/**
 * Processes of the same command line that take over from this one, one at SIGUSR2. This one stays their parent and stands by behind them: it is the one that a container, or systemd, knows.
 *
 *   this one ──SIGUSR2──▶ first ──SIGUSR2──▶ second (first is ended once it serves)
 */
export class SuccessorProcesses {
  readonly #log: Logger;
  readonly #children = new Set<ChildProcess>();
  #attempt = Number(process.env[ATTEMPT_VARIABLE]) || 0;
  #isStarting = false;
  #isWantedAgain = false;
  #isEnding = false;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Starts one; while one is starting, another one after it. */
  begin(serving: Serving): void {
    if (this.#isEnding) return;
    if (!serving.isPossible) {
      this.#log.warn({}, 'SIGUSR2: nobody can take over without a folder (--state) that can be written');
      return;
    }
    this.#isWantedAgain = this.#isStarting;
    if (this.#isStarting) return;
    this.#isStarting = true;
    const args = [...process.execArgv, ...process.argv.slice(1)];
    const env = { ...process.env, [ATTEMPT_VARIABLE]: String(++this.#attempt) };
    const child = this.#spawn(args, env);
    if (child === undefined) {
      this.#isStarting = false;
      return;
    }
    this.#children.add(child);
    child.on('error', (err) => {
      this.#log.error({ err }, 'cannot start a successor');
      // Where no descriptor was left it is not told that it has closed.
      if (child.pid === undefined) this.#children.delete(child);
    });
    child.on('close', (code, signal) => {
      this.#children.delete(child);
      this.#log.info({ pid: child.pid, code, signal }, 'a successor that this process had started has ended');
    });
    this.#log.info({ pid: child.pid }, 'starting a successor');
    void this.#follow(child, serving).finally(() => {
      this.#isStarting = false;
      if (this.#isWantedAgain) this.begin(serving);
    });
  }

  /** Passes the signal on; resolves when all have ended. */
  async end(signal: NodeJS.Signals): Promise<void> {
    this.#isEnding = true;
    const ends = [...this.#children].map((child) => new Promise((resolve) => child.once('close', resolve)));
    for (const child of this.#children) child.kill(signal);
    await Promise.all(ends);
  }

  /** Undefined where the system has no room for a process, which node throws; other errors come later. */
  #spawn(args: string[], env: NodeJS.ProcessEnv): ChildProcess | undefined {
    try {
      return spawn(process.execPath, args, { env, stdio: ['ignore', 'inherit', 'inherit'] });
    } catch (err) {
      this.#log.error({ err }, 'cannot start a successor');
      return undefined;
    }
  }

  /** Until it serves: then those before it are not needed any more. */
  async #follow(child: ChildProcess, serving: Serving): Promise<void> {
    const endMs = performance.now() + START_MS;
    while (this.#children.has(child)) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      if (serving.servingPid === child.pid) {
        for (const other of this.#children) if (other !== child) other.kill('SIGTERM');
        return;
      }
      if (performance.now() > endMs) {
        this.#log.error({ pid: child.pid }, 'the successor does not come to serve, and is ended');
        child.kill('SIGKILL');
        return;
      }
    }
  }
}
