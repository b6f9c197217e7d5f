import { isDeepStrictEqual } from 'node:util';
import { ConfigError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { Config } from './config.ts';
import { FileWatch, type FileWatchOptions } from './file-watch.ts';
import type { Flags, Surroundings } from './flags.ts';
import { configFromFlags, type LoadedConfig } from './from-flags.ts';

/** Where the configuration comes from, to be read again when a file changed or a person asked for it. */
export class ConfigSource {
  /** Reloads that were tried since the start, and how many of them failed. Read by the metrics. */
  reloads = 0;
  failures = 0;
  /** True from a reload that failed to one that did not: what runs is not what the files say. */
  isFailing = false;
  readonly #flags: Flags;
  readonly #surroundings: Surroundings;
  /** The files that were read, and their text as it was last. */
  readonly #texts = new Map<string, string>();
  #current: Config | undefined;
  #notes: readonly string[] = [];
  #lastError = '';

  constructor(flags: Flags, surroundings: Surroundings) {
    this.#flags = flags;
    this.#surroundings = { ...surroundings, readFile: (path) => this.#readFile(path, surroundings) };
  }

  /** Flags and files as they are now. Throws `ConfigErrors`. */
  load(): LoadedConfig {
    const loaded = configFromFlags(this.#flags, this.#surroundings);
    this.#current = loaded.config;
    this.#notes = loaded.notes;
    return loaded;
  }

  /**
   * Reads all again and hands a configuration that differs to `apply`. One that is bad, or that `apply` throws on, is counted and
   * said once, not again until the error is another; what ran before goes on. Never throws.
   */
  reload(apply: (config: Config) => void, log: Logger): void {
    this.reloads++;
    try {
      const { config, notes } = configFromFlags(this.#flags, this.#surroundings);
      const isChanged = !isDeepStrictEqual(config, this.#current);
      if (isChanged) apply(config);
      this.#sayWhatIsNew(notes, log);
      log.info({}, isChanged ? 'configuration reloaded' : 'configuration read again: nothing has changed');
      this.#current = config;
      this.isFailing = false;
      this.#lastError = '';
    } catch (error) {
      this.#fail(error, log);
    }
  }

  /** Calls back when a file that was read has changed, until the function that it returns is called. */
  watch(onChange: () => void, options?: FileWatchOptions): () => void {
    const watches = [...this.#texts].map(([path, text]) => new FileWatch(path, text, onChange, options));
    return () => {
      for (const watch of watches) watch.close();
    };
  }

  #readFile(path: string, { readFile }: Surroundings): string {
    const text = readFile(path);
    this.#texts.set(path, text);
    return text;
  }

  #sayWhatIsNew(notes: readonly string[], log: Logger): void {
    for (const note of notes) if (!this.#notes.includes(note)) log.warn({}, note);
    this.#notes = notes;
  }

  #fail(error: unknown, log: Logger): void {
    this.failures++;
    this.isFailing = true;
    const message = error instanceof ConfigError ? error.message : String(error);
    if (message === this.#lastError) return;
    this.#lastError = message;
    log.error({ error: message }, 'the new configuration is bad; the last good one stays');
  }
}
