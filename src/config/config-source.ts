import { hash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { ConfigError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { Config, ZoneConfig } from './config.ts';
import { FileWatch, type FileWatchOptions } from './file-watch.ts';
import type { Flags, Surroundings } from './flags.ts';
import type { LoadedConfig } from './from-flags.ts';
import { type Reading, readConfig } from './reading.ts';
import type { readElsewhere } from './reading-elsewhere.ts';
import type { SettingsReader } from './settings-reader.ts';

/** Characters of all files, from which on they are read in a thread of their own: 32,768 are some 600 zones, 50 ms of work. */
const LARGE = 32_768;
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
  readonly #elsewhere: typeof readElsewhere | undefined;
  /** Fingerprints of the files that were read last. */
  #contents: ReadonlyMap<string, string> = new Map();
  /** And how long they are together. */
  #length = 0;
  #current: Config | undefined;
  #zones: ReadonlyMap<string, ZoneConfig> = new Map();
  #version = '';
  #notes: readonly string[] = [];
  #watch: FileWatch | undefined;
  #isWanted = false;
  #running: Promise<void> | undefined;

  /** `readers`: those of the files that the flags name (`loadSettingsReaders`). `elsewhere`: where large files are read, if not here. */
  constructor(
    flags: Flags,
    surroundings: Surroundings,
    readers: readonly SettingsReader[] = [],
    elsewhere?: typeof readElsewhere,
  ) {
    this.#elsewhere = elsewhere;
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
    const { outcome, contents, length } = this.#readHere();
    this.#contents = contents;
    this.#length = length;
    const loaded = outcome();
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
      const { outcome, contents, length } = await this.#readAgain();
      this.#contents = contents;
      this.#length = length;
      const loaded = outcome();
      const isChanged = !isSameConfig(loaded.config, this.#current!);
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

  /** Of the zones that it gives, those that are in force already are the same objects. */
  async #readAgain(): Promise<Reading> {
    const same = (zone: ZoneConfig): ZoneConfig => this.#same(zone);
    if (this.#length >= LARGE && this.#elsewhere !== undefined) {
      const { env, isTerminal } = this.#surroundings;
      return this.#elsewhere({ flags: this.#flags, env, isTerminal }, same);
    }
    const { outcome, ...reading } = this.#readHere();
    return {
      ...reading,
      outcome: () => {
        const { config, notes } = outcome();
        return { config: { ...config, zones: config.zones.map(same) }, notes };
      },
    };
  }

  #readHere(): Reading {
    return readConfig(this.#flags, this.#surroundings, this.#readers);
  }

  /** The zone that is in force where it is equal: what does not change is told by its identity. */
  #same(zone: ZoneConfig): ZoneConfig {
    const known = this.#zones.get(zone.zone);
    return known !== undefined && isDeepStrictEqual(known, zone) ? known : zone;
  }

  #take({ config, notes }: LoadedConfig): void {
    this.#current = config;
    this.#zones = new Map(config.zones.map((zone) => [zone.zone, zone]));
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

function shortened(message: string): string {
  const lines = message.split('\n');
  const more = lines.length - ERROR_LINES;
  return more > 0 ? `${lines.slice(0, ERROR_LINES).join('\n')}\nand ${more} more` : message;
}

function versionOf(contents: ReadonlyMap<string, string>): string {
  return hash('sha256', JSON.stringify([...contents].sort()), 'hex');
}

/** Of two configurations of which the later one has the earlier one's zones where they are equal. */
function isSameConfig({ zones, ...plain }: Config, { zones: zonesBefore, ...plainBefore }: Config): boolean {
  if (zones.length !== zonesBefore.length || !isDeepStrictEqual(plain, plainBefore)) return false;
  return zones.every((zone, at) => zone === zonesBefore[at]);
}
