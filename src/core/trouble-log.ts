import type { Clock } from './clock.ts';
import { TROUBLES } from './limits.ts';
import type { Logger } from './logger.ts';

export type TroubleLevel = 'debug' | 'info' | 'warn' | 'error';

const INTERVAL_MS = 10_000;

/** What stands in for every kind of trouble past the limit. */
const FURTHER = 'further trouble';

interface Trouble {
  readonly level: TroubleLevel;
  readonly message: string;
  /** Of the latest report that no line has told yet. */
  fields: object;
  untold: number;
  toldMs: number;
}

export interface TroubleLogOptions {
  log: Logger;
  clock: Clock;
  /** Starts a one-shot timer that keeps no process alive, and returns what stops it. Tests with a fake clock call `summarise` instead. */
  arm?: (callback: () => void, delayMs: number) => () => void;
}

/**
 * Trouble that may come once or a million times: the first is logged at once, the rest as one line every 10 s with its count. The only way
 * from the data plane to the log. Never throws; without trouble no timer runs.
 */
export class TroubleLog {
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #arm: (callback: () => void, delayMs: number) => () => void;
  readonly #troubles = new Map<string, Trouble>();
  #disarm: (() => void) | undefined;

  constructor({ log, clock, arm = armUnreferenced }: TroubleLogOptions) {
    this.#log = log;
    this.#clock = clock;
    this.#arm = arm;
  }

  /** Kinds of trouble that are watched now. */
  get size(): number {
    return this.#troubles.size;
  }

  /**
   * Tells of trouble. `key` names its kind, with its subject where there are few of those (an upstream's address, never a client's); the
   * message and level of the first report stand until that kind is quiet for an interval. The fields shown are those of the latest report.
   */
  report(key: string, message: string, fields: object = {}, level: TroubleLevel = 'warn'): void {
    const known = this.#troubles.get(key);
    if (known !== undefined) {
      known.untold++;
      known.fields = fields;
    } else if (this.#troubles.size < TROUBLES.value || key === FURTHER) {
      this.#troubles.set(key, { level, message, fields, untold: 0, toldMs: this.#clock.nowMs() });
      this.#write(level, fields, message);
      this.#disarm ??= this.#arm(() => this.summarise(), INTERVAL_MS);
    } else {
      TROUBLES.hits++;
      this.report(FURTHER, 'More kinds of trouble than are told apart', { latest: message });
    }
  }

  /** Logs a line for every kind that was reported again, forgets those that were not. The armed timer calls it. */
  summarise(): void {
    this.#disarm = undefined;
    const nowMs = this.#clock.nowMs();
    for (const [key, trouble] of this.#troubles) {
      if (trouble.untold === 0) {
        this.#troubles.delete(key);
        continue;
      }
      const seconds = Math.max(1, Math.round((nowMs - trouble.toldMs) / 1000));
      this.#write(trouble.level, { ...trouble.fields, again: trouble.untold, seconds }, trouble.message);
      trouble.untold = 0;
      trouble.toldMs = nowMs;
    }
    if (this.#troubles.size > 0) this.#disarm = this.#arm(() => this.summarise(), INTERVAL_MS);
  }

  /** Logs what was counted and not told yet; no timer runs after it. */
  close(): void {
    this.#disarm?.();
    this.summarise();
    this.#disarm?.();
    this.#disarm = undefined;
    this.#troubles.clear();
  }

  #write(level: TroubleLevel, fields: object, message: string): void {
    try {
      this.#log[level](fields, message);
    } catch {
      // A log that cannot be written must not stop what only meant to say that it goes on.
    }
  }
}

function armUnreferenced(callback: () => void, delayMs: number): () => void {
  const timer = setTimeout(callback, delayMs).unref();
  return () => clearTimeout(timer);
}
