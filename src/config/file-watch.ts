import { type FSWatcher, watch } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';

export interface FileWatchOptions {
  /** How often the content is compared, whatever the kernel says. */
  pollMs?: number;
  /** How long a burst of changes has to be over. */
  settleMs?: number;
}

/**
 * Calls back when the content of a file is another. The folder is watched, since editors and Kubernetes replace files by renaming
 * (an inotify watch would stay on the old one); and the content is compared every few seconds, since a symlink may end in a folder
 * that is not watched, and some file systems tell nothing. A file that is gone is a content, too. Keeps no process alive.
 */
export class FileWatch {
  readonly #path: string;
  readonly #onChange: () => void;
  readonly #settleMs: number;
  readonly #folder: FSWatcher | undefined;
  readonly #poll: NodeJS.Timeout;
  #settle: NodeJS.Timeout | undefined;
  #content: string | undefined;
  #isComparing = false;
  #isClosed = false;

  /** `content`: what was read last, so that a change between that and now is one as well. */
  constructor(path: string, content: string | undefined, onChange: () => void, options: FileWatchOptions = {}) {
    const { pollMs = 5000, settleMs = 100 } = options;
    this.#path = path;
    this.#content = content;
    this.#onChange = onChange;
    this.#settleMs = settleMs;
    this.#folder = this.#watchFolder();
    this.#poll = setInterval(() => void this.#compare(), pollMs).unref();
  }

  close(): void {
    this.#isClosed = true;
    this.#folder?.close();
    clearInterval(this.#poll);
    clearTimeout(this.#settle);
  }

  #watchFolder(): FSWatcher | undefined {
    try {
      const watcher = watch(dirname(this.#path), { persistent: false }, () => this.#onFolderChange());
      // The folder itself may go; comparing goes on.
      return watcher.on('error', () => watcher.close());
    } catch {
      return undefined;
    }
  }

  #onFolderChange(): void {
    clearTimeout(this.#settle);
    this.#settle = setTimeout(() => void this.#compare(), this.#settleMs).unref();
  }

  async #compare(): Promise<void> {
    if (this.#isComparing) return this.#onFolderChange();
    this.#isComparing = true;
    const content = await readFile(this.#path, 'utf8').catch(() => undefined);
    this.#isComparing = false;
    if (this.#isClosed || content === this.#content) return;
    this.#content = content;
    this.#onChange();
  }
}
