import { ConfigError } from '../core/errors.ts';
import { ConfigErrors } from './config-errors.ts';
import { Refusal } from './refusal.ts';
import type { Origin, Said } from './settings.ts';

/** Gathers what is wrong, so that a person sees all of it at once. */
export class Complaints {
  readonly #errors: ConfigError[] = [];

  /**
   * What `read` returns; where it throws a `Refusal`, undefined, and the message is kept as `Cannot ${action} (${origin}): ${reason}`.
   * `origin` is the option or variable that the value came from.
   */
  read<T>(code: string, action: string, origin: string, read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.#errors.push(new ConfigError(code, `Cannot ${action} (${origin}): ${error.message}`));
      return undefined;
    }
  }

  /**
   * The same for a value of a layer: one that stands in a file is named by file, line and key (`signpost.yaml:12: Cannot set KEY to VALUE: reason`),
   * any other by `action`, which gets the value as it is shown, and its option.
   */
  readSaid<T>(code: string, action: (value: string) => string, said: Said, read: (text: string) => T): T | undefined {
    try {
      return read(said.text);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.refuse(code, action, said, error.message);
      return undefined;
    }
  }

  /** What `readSaid` keeps where reading throws. */
  refuse(code: string, action: (value: string) => string, { text, origin }: Said, reason: string): void {
    const { name, place } = origin;
    const what = place === undefined ? action(shown(text)) : `set ${name} to ${shown(text)}`;
    this.add(code, place === undefined ? `Cannot ${what} (${name}): ${reason}` : `${place}: Cannot ${what}: ${reason}`);
  }

  /** For a complaint that no single value is to blame for. */
  add(code: string, message: string): void {
    this.push(new ConfigError(code, message));
  }

  /** The same, for one that says more than its message. */
  push(error: ConfigError): void {
    this.#errors.push(error);
  }

  get hasAny(): boolean {
    return this.#errors.length > 0;
  }

  /** Throws `ConfigErrors` where there was anything to complain about. */
  throwIfAny(): void {
    if (this.#errors.length > 0) throw new ConfigErrors(this.#errors);
  }
}

/** Where a value came from, within a sentence: `--admin`, or `admin in signpost.yaml:3`. */
export function originText({ name, place }: Origin): string {
  return place === undefined ? name : `${name} in ${place}`;
}

/** A value as it came, fit for a message: quoted where it is empty or would not show on a terminal as it is. */
export function shown(value: string): string {
  return /^[\x21-\x7e]+$/.test(value) ? value : JSON.stringify(value);
}
