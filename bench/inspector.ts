import type { ChildProcess } from 'node:child_process';

interface Answer {
  readonly id?: number;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

/**
 * Talks to a Node process that was started with `--inspect` (Chrome DevTools Protocol over a WebSocket): a heap can be collected and
 * read from outside, so the agent needs no back door for it.
 */
export class Inspector {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #lastId = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener('message', (event) => {
      const answer = JSON.parse(String(event.data)) as Answer;
      if (answer.id !== undefined) this.#waiting.get(answer.id)?.(answer);
    });
  }

  /** To a process just started, whose stderr is a pipe: node prints the address there. */
  static async attach(child: ChildProcess): Promise<Inspector> {
    const socket = new WebSocket(await printedAddress(child));
    await new Promise((resolve, reject) => {
      socket.addEventListener('open', resolve, { once: true });
      socket.addEventListener('error', () => reject(new Error("Cannot reach the agent's inspector")), { once: true });
    });
    return new Inspector(socket);
  }

  /** Bytes of JavaScript objects that are still reachable, after a full collection. */
  async heapBytes(): Promise<number> {
    await this.#call('HeapProfiler.collectGarbage');
    const usage = (await this.#call('Runtime.getHeapUsage')) as { usedSize: number };
    return usage.usedSize;
  }

  close(): void {
    this.#socket.close();
  }

  #call(method: string): Promise<unknown> {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, (answer) => {
        this.#waiting.delete(id);
        if (answer.error !== undefined) reject(new Error(`Cannot call ${method}: ${answer.error.message}`));
        else resolve(answer.result);
      });
      this.#socket.send(JSON.stringify({ id, method }));
    });
  }
}

function printedAddress(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    child.stderr!.on('data', (chunk: string) => {
      text += chunk;
      const match = /Debugger listening on (ws:\S+)\n/.exec(text);
      if (match !== null) resolve(match[1]!);
    });
    child.once('exit', () => reject(new Error('Cannot attach: the agent ended before its inspector listened')));
  });
}
