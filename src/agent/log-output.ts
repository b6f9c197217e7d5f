import { constants, fstatSync, openSync, writeSync } from 'node:fs';

/**
 * Lines to standard output or error, each written before the call returns, so that none is missing after a crash. A pipe that nobody reads would
 * stop this thread, and all DNS with it: it is opened again without blocking, and what finds no room is lost and counted.
 */
export class LogOutput {
  /** Called after the first line that finds room again, with how many were lost before it. It may write a line. */
  onLost: ((lost: number) => void) | undefined;
  #lost = 0;
  readonly #descriptor: number;
  /** The end of a line of which the pipe took the beginning. */
  #rest: Buffer | undefined;

  constructor(descriptor: number) {
    this.#descriptor = openUnblocked(descriptor);
  }

  /** Lines that were lost since the last one that found room. */
  get lost(): number {
    return this.#lost;
  }

  /** Writes a line, its end included. Never throws. */
  write(line: string): void {
    if (!this.#writeRest() || !this.#writeBytes(Buffer.from(line))) this.#lost++;
    else if (this.#lost > 0) this.#tellLost();
  }

  #tellLost(): void {
    const lost = this.#lost;
    this.#lost = 0;
    this.onLost?.(lost);
    // The line that told of it found no room itself.
    if (this.#lost > 0) this.#lost = lost;
  }

  #writeRest(): boolean {
    const rest = this.#rest;
    if (rest === undefined) return true;
    this.#rest = undefined;
    if (!this.#writeBytes(rest)) this.#rest ??= rest;
    return this.#rest === undefined;
  }

  /** False where nothing was taken. What was taken in part is kept for the next call. */
  #writeBytes(bytes: Buffer): boolean {
    try {
      const written = writeSync(this.#descriptor, bytes);
      if (written < bytes.length) this.#rest = bytes.subarray(written);
      return true;
    } catch {
      // EAGAIN: full. Any other: the reader is gone, or the disk is full; DNS goes on.
      return false;
    }
  }
}

/** Through /proc a pipe gets a file description of its own, so that others who write to it still block as they expect. */
function openUnblocked(descriptor: number): number {
  try {
    if (!fstatSync(descriptor).isFIFO()) return descriptor;
    return openSync(`/proc/self/fd/${descriptor}`, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch {
    return descriptor;
  }
}
