import { readdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fingerprint, folderOf, isSameContent, NO_FILE } from './fingerprint.ts';
import { FolderWatch } from './folder-watch.ts';

export interface FileWatchOptions {
  /** How often contents are compared, whatever the kernel says. */
  pollMs?: number;
  /** For so long a content has to stay as it is. */
  settleMs?: number;
  /** For so long a file has to stay away. */
  goneMs?: number;
}

type Contents = ReadonlyMap<string, string>;

/**
 * Calls back once when the contents of some of a set of files are others, and have stayed so: a burst of changes, a file that is written in
 * pieces, and a folder whose symlink kubelet swaps are each one change. Folders are watched, since editors and Kubernetes replace files by renaming
 * (an inotify watch would stay on the old one); and contents are compared every few seconds, since a symlink may end in a folder
 * that is not watched, and some file systems tell nothing. A file that is gone is a content, too, but one that has to last longer: some
 * programs delete before they write. Keeps no process alive.
 */
export class FileWatch {
  readonly #onChange: () => void;
  readonly #settleMs: number;
  readonly #goneMs: number;
  readonly #folders = new Map<string, FolderWatch>();
  readonly #poll: NodeJS.Timeout;
  /** What its owner knows. */
  #known: Contents = new Map();
  /** What the last look found, where that was something else. */
  #pending: Contents | undefined;
  #settle: NodeJS.Timeout | undefined;
  #isLooking = false;
  #isClosed = false;

  constructor(onChange: () => void, { pollMs = 5000, settleMs = 100, goneMs = 1000 }: FileWatchOptions = {}) {
    this.#onChange = onChange;
    this.#settleMs = settleMs;
    this.#goneMs = goneMs;
    this.#poll = setInterval(() => this.#onPoll(), pollMs).unref();
  }

  /**
   * From now on these files are watched, and no others. `contents`: their fingerprints as they were read last, so that a change between that and now
   * is one as well.
   */
  follow(contents: Contents): void {
    if (this.#isClosed) return;
    this.#known = new Map(contents);
    this.#pending = undefined;
    const folders = new Set([...contents.keys()].map((path) => folderOf(path) ?? dirname(path)));
    for (const [path, watch] of this.#folders) {
      if (folders.has(path)) continue;
      watch.close();
      this.#folders.delete(path);
    }
    for (const path of folders) {
      if (!this.#folders.has(path)) this.#folders.set(path, new FolderWatch(path, () => this.#lookIn(this.#settleMs)));
    }
  }

  close(): void {
    this.#isClosed = true;
    clearInterval(this.#poll);
    clearTimeout(this.#settle);
    for (const watch of this.#folders.values()) watch.close();
    this.#folders.clear();
  }

  #onPoll(): void {
    for (const watch of this.#folders.values()) void watch.check();
    if (this.#settle === undefined) this.#lookIn(0);
  }

  #lookIn(delayMs: number): void {
    if (this.#isClosed) return;
    // Not put off by what happens meanwhile: a file that is written all the time, such as a log beside it, would put it off for ever.
    this.#settle ??= setTimeout(() => {
      this.#settle = undefined;
      void this.#look();
    }, delayMs).unref();
  }

  async #look(): Promise<void> {
    if (this.#isLooking) return this.#lookIn(this.#settleMs);
    this.#isLooking = true;
    const known = this.#known;
    const found = new Map(await Promise.all([...known.keys()].map(contentOf)));
    this.#isLooking = false;
    if (this.#isClosed) return;
    if (this.#known !== known) return this.#lookIn(this.#settleMs);
    this.#judge(found);
  }

  #judge(found: Contents): void {
    const pending = this.#pending;
    this.#pending = undefined;
    if (isSameContent(found, this.#known)) return;
    if (pending !== undefined && isSameContent(found, pending)) {
      this.#known = found;
      this.#onChange();
      return;
    }
    this.#pending = found;
    const isGone = [...found].some(([path, content]) => content === NO_FILE && this.#known.get(path) !== NO_FILE);
    // What has happened during the look is seen then as well, and must not have it come sooner.
    clearTimeout(this.#settle);
    this.#settle = undefined;
    this.#lookIn(isGone ? this.#goneMs : this.#settleMs);
  }
}

async function contentOf(path: string): Promise<[path: string, content: string]> {
  const folder = folderOf(path);
  const reading = folder === undefined ? readFile(path, 'utf8') : readdir(folder);
  return [path, await reading.then(fingerprint, () => NO_FILE)];
}
