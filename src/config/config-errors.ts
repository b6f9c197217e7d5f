import { ConfigError } from '../core/errors.ts';

/** A file with ten thousand zones may be wrong ten thousand times. */
const MAX_LINES = 50;

/** All that is wrong with one configuration at once; the message has a line for each, up to a bound. */
export class ConfigErrors extends ConfigError {
  readonly errors: readonly ConfigError[];

  constructor(errors: readonly ConfigError[]) {
    const lines = errors.slice(0, MAX_LINES).map((error) => error.message);
    if (errors.length > MAX_LINES) lines.push(`and ${errors.length - MAX_LINES} more`);
    super('ERR_CONFIG', lines.join('\n'));
    this.errors = errors;
  }
}
