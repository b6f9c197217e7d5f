/** What rooms ask of a logger; pino fulfils it. Never called on the data plane: repeated trouble goes through `TroubleLog`. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Says nothing: for tests and for commands that print themselves. */
export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} };
