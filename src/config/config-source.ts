import { hash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { ConfigError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { Config } from './config.ts';
import { FileWatch, type FileWatchOptions } from './file-watch.ts';
import type { Flags, Surroundings } from './flags.ts';
import { configFromFlags, type LoadedConfig } from './from-flags.ts';
import type { SettingsReader } from './settings-reader.ts';
import { Snapshot } from './snapshot.ts';

/** Files that are replaced all the time are read again so often until all of them are of one moment. */
const READS = 5;
/** Lines of an error that are kept: a long file can be wrong in every line. */
const ERROR_LINES = 10;

type Apply = (config: Config) => void | Promise<void>;

/** Where the configuration comes from, to be read again when a file changed or a person asked for it. */
export class ConfigSource {
  /** Reloads that were tried since the start, and how many of them failed. Read by the metrics. */
  reloads = 0;
  failures = 0;
  /** What is wrong with the files, from a reload that failed to one that did not: what runs is not what they say. */
  error: string | undefined;
  readonly #flags: Flags;
  readonly #surroundings: Surroundings;
  readonly #readers: readonly SettingsReader[];
  /** Fingerprints of the files that were read last. */
  #contents: ReadonlyMap<string, string> = new Map();
  #current: Config | undefined;
  #version = '';
  #notes: readonly string[] = [];
  #watch: FileWatch | undefined;
  #isWanted = false;
  #running: Promise<void> | undefined;

  /** `readers`: those of the files that the flags name (`loadSettingsReaders`). */
  constructor(flags: Flags, surroundings: Surroundings, readers: readonly SettingsReader[] = []) {
    this.#flags = flags;
    this.#surroundings = surroundings;
    this.#readers = readers;
  }

  /** SHA-256 of the contents of all files that what runs was made from, in hexadecimal. */
  get version(): string {
    return this.#version;
  }

  /** Flags and files as they are now. Throws `ConfigErrors`. */
  load(): LoadedConfig {
    const loaded = this.#read();
    this.#take(loaded);
    return loaded;
  }

  /**
   * Reads all again and hands a configuration that differs to `apply`. One that is bad, or that `apply` throws on, is counted and
   * said once, not again until the error is another; what ran before goes on. Calls while a reload is on are one more, together. Never rejects.
   */
  reload(apply: Apply, log: Logger): Promise<void> {
    this.#isWanted = true;
    this.#running ??= this.#reloadWhileWanted(apply, log);
    return this.#running;
  }

  async #reloadWhileWanted(apply: Apply, log: Logger): Promise<void> {
    while (this.#isWanted) {
      this.#isWanted = false;
      await this.#reloadOnce(apply, log);
    }
    this.#running = undefined;
  }

  async #reloadOnce(apply: Apply, log: Logger): Promise<void> {
    this.reloads++;
    const before = this.#contents;
    try {
      const loaded = this.#read();
      const isChanged = !isDeepStrictEqual(loaded.config, this.#current);
      if (isChanged) await apply(loaded.config);
      this.#sayWhatIsNew(loaded.notes, log);
      log.info({}, isChanged ? 'configuration reloaded' : 'configuration read again: nothing has changed');
      this.#take(loaded);
      this.error = undefined;
    } catch (error) {
      // It may have ended before it had read all: what was watched before still counts.
      this.#contents = new Map([...before, ...this.#contents]);
      this.#fail(error, log);
    }
    this.#watch?.follow(this.#contents);
  }

  /** Calls back when files that were read have changed, until the function that it returns is called. */
  watch(onChange: () => void, options?: FileWatchOptions): () => void {
    const watch = new FileWatch(onChange, options);
    watch.follow(this.#contents);
    this.#watch = watch;
    return () => watch.close();
  }

  /** All files are of one moment: where one was replaced while others were read, all are read again. */
  #read(): LoadedConfig {
    for (let reads = 1; ; reads++) {
      const snapshot = new Snapshot(this.#surroundings);
      const outcome = attempt(() => configFromFlags(this.#flags, snapshot, this.#readers));
      // What was made of files of two moments counts for nothing, and neither does an error.
      if (reads < READS && !snapshot.isStillSo()) continue;
      this.#contents = snapshot.contents;
      return outcome();
    }
  }

  #take({ config, notes }: LoadedConfig): void {
    this.#current = config;
    this.#notes = notes;
    this.#version = versionOf(this.#contents);
  }

  #sayWhatIsNew(notes: readonly string[], log: Logger): void {
    for (const note of notes) if (!this.#notes.includes(note)) log.warn({}, note);
  }

  #fail(error: unknown, log: Logger): void {
    this.failures++;
    const message = shortened(error instanceof ConfigError ? error.message : String(error));
    if (message === this.error) return;
    this.error = message;
    log.error({ error: message }, 'the new configuration is bad; the last good one stays');
  }
}

/** What `run` gives, or throws, when it is asked for. */
function attempt<T>(run: () => T): () => T {
  try {
    const value = run();
    return () => value;
  } catch (error) {
    return () => {
      throw error;
    };
  }
}

function shortened(message: string): string {
  const lines = message.split('\n');
  const more = lines.length - ERROR_LINES;
  return more > 0 ? `${lines.slice(0, ERROR_LINES).join('\n')}\nand ${more} more` : message;
}

function versionOf(contents: ReadonlyMap<string, string>): string {
  return hash('sha256', JSON.stringify([...contents].sort()), 'hex');
}
