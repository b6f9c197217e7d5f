import { type FSWatcher, watch } from 'node:fs';
import { stat } from 'node:fs/promises';

/**
 * Calls back when anything in a folder is made, renamed or written, and when it begins to watch, since what happened before was not seen. The folder
 * may be missing, or be another one later: `check` finds that out. Keeps no process alive.
 */
export class FolderWatch {
  readonly #path: string;
  readonly #onEvent: () => void;
  #watcher: FSWatcher | undefined;
  #identity = '';
  #isClosed = false;

  constructor(path: string, onEvent: () => void) {
    this.#path = path;
    this.#onEvent = onEvent;
    void this.check();
  }

  /** Watches the folder that has the path now: the kernel goes on telling of the one that had it before. */
  async check(): Promise<void> {
    const identity = await identityOf(this.#path);
    if (this.#isClosed || (identity === this.#identity && this.#watcher !== undefined)) return;
    this.#end();
    this.#identity = identity;
    if (identity === '') return;
    try {
      // The folder may go: then it is looked for again at the next check.
      this.#watcher = watch(this.#path, { persistent: false }, () => this.#onEvent()).on('error', () => this.#end());
      this.#onEvent();
    } catch {
      // No inotify instance is left, or the folder has just gone: comparing goes on.
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#end();
  }

  #end(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
  }
}

async function identityOf(path: string): Promise<string> {
  const found = await stat(path, { bigint: true }).catch(() => undefined);
  return found === undefined ? '' : `${found.dev}:${found.ino}`;
}
