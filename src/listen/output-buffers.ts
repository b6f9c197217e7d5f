/** Who has answers to send at the end of this turn of the event loop. */
export interface Flushable {
  flush(): void;
}

/** Most answers of a turn, for one client. A longer message gets a buffer of its own size. */
export const OUTPUT_BUFFER_BYTES = 16 * 1024;

/** 16 x 16 KiB = 256 KiB: connections that have answers to send in one turn. More are made where needed, and not kept. */
const MOST_KEPT = 16;

/**
 * The buffers that all TCP connections write their answers to. A connection has one only from its first answer in a turn until the
 * write, so that an idle one costs nothing.
 */
export class OutputBuffers {
  /** Writes to sockets: against the answers given, it tells how many of them leave together. */
  writes = 0;
  readonly #free: Buffer[] = [];
  readonly #due: Flushable[] = [];
  readonly #flushAll = (): void => {
    // What one flush adds to the list is flushed in the same round.
    for (let i = 0; i < this.#due.length; i++) this.#due[i]!.flush();
    this.#due.length = 0;
  };

  take(): Buffer {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(OUTPUT_BUFFER_BYTES);
  }

  /** Takes back a buffer that nobody reads any more. */
  give(buffer: Buffer): void {
    if (buffer.length === OUTPUT_BUFFER_BYTES && this.#free.length < MOST_KEPT) this.#free.push(buffer);
  }

  /** Flushes once, when all that came in with this turn has been dealt with. */
  flushSoon(connection: Flushable): void {
    if (this.#due.push(connection) === 1) setImmediate(this.#flushAll);
  }
}
