import { ConfigError } from '../core/errors.ts';
import { ConfigErrors } from './config-errors.ts';
import { Refusal } from './refusal.ts';

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

  /** For a complaint that no single value is to blame for. */
  add(code: string, message: string): void {
    this.#errors.push(new ConfigError(code, message));
  }

  /** Throws `ConfigErrors` where there was anything to complain about. */
  throwIfAny(): void {
    if (this.#errors.length > 0) throw new ConfigErrors(this.#errors);
  }
}

/** A value as it came, fit for a message: quoted where it is empty or would not show on a terminal as it is. */
export function shown(value: string): string {
  return /^[\x21-\x7e]+$/.test(value) ? value : JSON.stringify(value);
}
