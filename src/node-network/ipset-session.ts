import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { SignpostError } from '../core/errors.ts';
import { findTool, toolEnvironment } from './tool.ts';

/** Less than the second between two renewals: a session that hangs is ended, and the next renewal has a new one. */
const ANSWER_MS = 900;

/** What is kept of what it says, for the message of an error. */
const OUTPUT_CHARACTERS = 4096;

interface Waiting {
  readonly done: string;
  readonly resolve: (said: string) => void;
  readonly reject: (error: Error) => void;
}

/**
 * One long-lived `ipset -`, which takes a command a line: a renewal costs two system calls and no process. It ends with the agent, whatever ends that, for its
 * input ends then. Prompts are not read: they come when its buffer is full.
 */
export class IpsetSession {
  #child: ChildProcessWithoutNullStreams | undefined;
  #said = '';
  #waiting: Waiting | undefined;

  /**
   * Does what the lines say, and then asks whether `element` is in `set`: that answer comes at once, and shows that the kernel has seen all. Resolves to it. One at
   * a time. Rejects with `ERR_TOOL` where that takes too long or the session ends.
   */
  async command(lines: readonly string[], set: string, element: string): Promise<boolean> {
    if (this.#waiting !== undefined) throw new SignpostError('ERR_TOOL', 'Cannot run ipset: it is still busy');
    this.#child ??= this.#start();
    const child = this.#child;
    this.#said = '';
    const answer = Promise.withResolvers<string>();
    const timer = setTimeout(() => this.#end(`it did not answer within ${ANSWER_MS} ms`), ANSWER_MS);
    this.#waiting = { done: ` in set ${set}`, resolve: answer.resolve, reject: answer.reject };
    child.stdin.write(`${[...lines, `test ${set} ${element}`].join('\n')}\n`);
    try {
      const said = await answer.promise;
      return !said.includes(' is NOT in set ');
    } finally {
      clearTimeout(timer);
      this.#waiting = undefined;
    }
  }

  close(): void {
    const child = this.#child;
    this.#child = undefined;
    child?.stdin.end();
    child?.unref();
  }

  #start(): ChildProcessWithoutNullStreams {
    const path = findTool('ipset');
    if (path === undefined) throw new SignpostError('ERR_TOOL', 'Cannot run ipset: not installed');
    const child = spawn(path, ['-'], { env: toolEnvironment(), stdio: ['pipe', 'pipe', 'pipe'] });
    const ended = (why: string) => {
      if (child === this.#child) this.#end(why);
    };
    child.once('error', (error) => ended(error.message));
    // There are no pipes then, either.
    if (child.stdin === undefined) throw new SignpostError('ERR_TOOL', 'Cannot run ipset: too many files are open');
    child.stdout.resume();
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      if (child === this.#child) this.#take(text);
    });
    child.stdin.on('error', () => {});
    child.once('close', () => ended('it ended'));
    return child;
  }

  #take(text: string): void {
    this.#said = (this.#said + text).slice(-OUTPUT_CHARACTERS);
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    if (this.#said.includes(`${waiting.done}.`)) waiting.resolve(this.#said);
    // Without the set there is no answer of that kind.
    else if (this.#said.includes('does not exist\n')) this.#end('the set does not exist');
  }

  #end(why: string): void {
    const said = this.#said.trim();
    this.#child?.kill('SIGKILL');
    this.#child = undefined;
    this.#waiting?.reject(new SignpostError('ERR_TOOL', `Cannot run ipset: ${why}${said === '' ? '' : ` (${said})`}`));
  }
}
