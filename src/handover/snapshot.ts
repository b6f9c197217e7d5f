import type { LoadedImage } from '../cache/image-reader.ts';
import type { SavedImage, SaveOptions } from '../cache/image-writer.ts';
import { SNAPSHOT_BYTES } from '../core/limits.ts';
import type { Logger } from '../core/logger.ts';
import { SnapshotFile } from './snapshot-file.ts';

/** The cache, as far as a snapshot needs it; the agent's `CacheImage` is one. */
export interface SnapshotImage {
  /** Moves whenever an answer is kept. */
  readonly stored: number;
  /** Moves whenever a zone is dropped. */
  readonly generation: number;
  save(fd: number, options: Pick<SaveOptions, 'mostBytes' | 'bytesPerSecond' | 'signal'>): Promise<SavedImage>;
  load(fd: number, signal?: AbortSignal): Promise<LoadedImage>;
}

export interface SnapshotParts {
  /** Of `--state`. */
  folder: string;
  image: SnapshotImage;
  log: Logger;
  /** Between two snapshots. */
  everyMs?: number;
  /** After a zone was dropped. */
  againMs?: number;
  /** The most that the last one may take. */
  lastMs?: number;
}

const EVERY_MS = 5 * 60_000;
const AGAIN_MS = 30_000;
const LAST_MS = 3000;
/** A full cache of 32 MiB takes four seconds, one part in twenty of what a slow disk writes. */
const BYTES_PER_SECOND = 8 * 1024 * 1024;

/**
 * The cache on disk: written every five minutes when something changed and at the end, read at the start behind the first answers. It is worth having, never worth failing for: what goes wrong
 * is said once, counted, and the cache is filled by asking.
 *
 * When a zone is dropped (an update, a NOTIFY, another configuration) the file goes at once, for a process that is killed could not say any more what in it is out of date; a
 * new one is written half a minute later.
 */
export class Snapshot {
  readonly #image: SnapshotImage;
  readonly #log: Logger;
  readonly #file: SnapshotFile;
  readonly #everyMs: number;
  readonly #againMs: number;
  readonly #lastMs: number;
  #timer: NodeJS.Timeout | undefined;
  /** What is being read or written: one thing at a time. */
  #work: Promise<void> = Promise.resolve();
  #abort = new AbortController();
  #isActive = false;
  #isThere = true;
  /** As they were when the snapshot was begun that is on the disk; -1: there is none of this process. */
  #stored = -1;
  #trouble = '';
  /** Read by the metrics. */
  saved = 0;
  failed = 0;
  /** Of the latest one written: when (wall clock, ms), how large, and how much is in it. */
  savedAtMs = 0;
  bytes = 0;
  entries = 0;
  /** Entries that the start brought, and the milliseconds that it took. */
  loaded = 0;
  loadMs = 0;

  constructor({ folder, image, log, everyMs = EVERY_MS, againMs = AGAIN_MS, lastMs = LAST_MS }: SnapshotParts) {
    this.#image = image;
    this.#log = log;
    this.#file = new SnapshotFile(folder);
    this.#everyMs = everyMs;
    this.#againMs = againMs;
    this.#lastMs = lastMs;
  }

  get path(): string {
    return this.#file.path;
  }

  /** Reads what the last process left, in the background; never rejects. */
  load(): Promise<void> {
    return this.#after(async () => {
      const startMs = performance.now();
      const loaded = await this.#file.read((fd) => this.#image.load(fd, this.#abort.signal));
      if (loaded === undefined) return;
      this.loaded = loaded.entries;
      this.loadMs = performance.now() - startMs;
      const { entries, known, noRoom, over, otherwise, invalid, ageMs } = loaded;
      const counts = { entries, known, noRoom, over, otherwise, invalid };
      const ageSeconds = Math.round(ageMs / 1000);
      this.#log.info({ ...counts, ageSeconds, ms: Math.round(this.loadMs) }, 'cache loaded from its snapshot');
    }, 'cannot use the snapshot of the cache, or not the whole of it');
  }

  /** Begins to write now and then, again after `pause`; before `load`, so that what is dropped meanwhile takes the file away. */
  start(): void {
    if (this.#isActive) return;
    this.#isActive = true;
    void this.#file.sweep();
    this.#arm(this.#everyMs);
  }

  /** Writes no more: another process has the cache now, and writes its own. */
  pause(): void {
    this.#isActive = false;
    this.#isThere = true;
    this.#stored = -1;
    clearTimeout(this.#timer);
    this.#interrupt();
  }

  /** Takes the file away, since something in it is not to be said any more; the next one comes soon. */
  spoil(): void {
    if (!this.#isActive || !this.#isThere) return;
    this.#isThere = false;
    this.#stored = -1;
    void this.#after(
      () => this.#file.remove(),
      'cannot take away the snapshot of the cache, parts of which are out of date',
    );
    this.#arm(this.#againMs);
  }

  /** Writes it where there is something new; never rejects. */
  save(): Promise<void> {
    return this.#save({ bytesPerSecond: BYTES_PER_SECOND, signal: this.#abort.signal });
  }

  /** Writes the last one, as fast as it goes but for no more than a few seconds, unless it was paused; then it is paused. */
  async close(): Promise<void> {
    const isLast = this.#isActive;
    const stored = this.#stored;
    this.pause();
    this.#stored = stored;
    if (isLast) await this.#save({ signal: AbortSignal.timeout(this.#lastMs) }, true);
    else await this.#work;
    this.#stored = -1;
  }

  #save(options: Pick<SaveOptions, 'bytesPerSecond' | 'signal'>, isLast = false): Promise<void> {
    return this.#after(async () => {
      const { stored, generation } = this.#image;
      if (stored === this.#stored) return;
      // Paused while the disk took it: the place is the successor's. The last one is late only.
      const isOurs = (): boolean => isLast || options.signal?.aborted !== true;
      const isWanted = (): boolean => isOurs() && this.#image.generation === generation;
      const save = (fd: number) => this.#image.save(fd, { ...options, mostBytes: SNAPSHOT_BYTES.value });
      const { bytes, entries, left } = await this.#file.write(save, isWanted);
      if (left > 0) SNAPSHOT_BYTES.hits++;
      // Dropped or handed over while it was written: this one must not stay either.
      if (!isWanted()) return;
      this.#isThere = true;
      this.#stored = stored;
      this.saved++;
      this.savedAtMs = Date.now();
      this.bytes = bytes;
      this.entries = entries;
      this.#log.debug({ entries, bytes, left }, 'snapshot of the cache written');
      this.#mend();
    }, 'cannot write the snapshot of the cache: the last one stays');
  }

  /** Does one thing after the other; what fails is said once, until it works again. */
  #after(work: () => Promise<void>, message: string): Promise<void> {
    this.#work = this.#work.then(work).catch((error: NodeJS.ErrnoException) => {
      if (error.name === 'AbortError') return;
      this.failed++;
      const code = error.code ?? error.name;
      if (this.#trouble === code + message) return;
      this.#trouble = code + message;
      this.#log.warn({ file: this.#file.path, reason: error.message, code }, message);
    });
    return this.#work;
  }

  #mend(): void {
    if (this.#trouble !== '') this.#log.info({ file: this.#file.path }, 'snapshot of the cache written again');
    this.#trouble = '';
  }

  #arm(delayMs: number): void {
    clearTimeout(this.#timer);
    const run = async (): Promise<void> => {
      await this.save();
      // Not where a zone was dropped meanwhile, and it comes sooner.
      if (this.#timer === timer && this.#isActive) this.#arm(this.#everyMs);
    };
    const timer = setTimeout(() => void run(), delayMs).unref();
    this.#timer = timer;
  }

  /** Ends what is at work, and lets the next thing begin. */
  #interrupt(): void {
    this.#abort.abort();
    this.#abort = new AbortController();
  }
}
