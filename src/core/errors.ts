/** An error whose `code` never changes, so that scripts and tests can rest on it. */
export class SignpostError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** What a person must mend in flags or files: the message names the option, what came, and what is allowed. Exit code 2. */
export class ConfigError extends SignpostError {}

/** What could not be done while starting or running: the message names what, on what, and the remedy. Exit code 1. */
export class StartError extends SignpostError {}
