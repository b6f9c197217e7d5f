import { ConfigError } from '../core/errors.ts';

/** All that is wrong with one configuration at once; the message has a line for each. */
export class ConfigErrors extends ConfigError {
  readonly errors: readonly ConfigError[];

  constructor(errors: readonly ConfigError[]) {
    super('ERR_CONFIG', errors.map((error) => error.message).join('\n'));
    this.errors = errors;
  }
}
