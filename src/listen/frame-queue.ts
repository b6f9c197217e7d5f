const NO_BYTES = new Uint8Array(0);
const FIRST_ROOM = 2048;

/**
 * Messages that came in a chunk whose connection is not asked further for now. As bytes in one piece, since thousands of the shortest
 * ones fit in a chunk and an object for each would weigh ten times as much.
 */
export class FrameQueue {
  /** The message that `shift` took out lies in [start, end), and may be changed in place. */
  bytes: Uint8Array = NO_BYTES;
  start = 0;
  end = 0;
  #next = 0;
  #filled = 0;

  get isEmpty(): boolean {
    return this.#next === this.#filled;
  }

  /** Copies the message in [start, end). */
  push(bytes: Uint8Array, start: number, end: number): void {
    const length = end - start;
    const filled = this.#filled + 2 + length;
    if (filled > this.bytes.length) {
      const grown = new Uint8Array(Math.max(2 * this.bytes.length, filled, FIRST_ROOM));
      grown.set(this.bytes.subarray(0, this.#filled));
      this.bytes = grown;
    }
    this.bytes[this.#filled] = length >> 8;
    this.bytes[this.#filled + 1] = length & 0xff;
    this.bytes.set(bytes.subarray(start, end), this.#filled + 2);
    this.#filled = filled;
  }

  /** Goes to the oldest message; false where there is none. */
  shift(): boolean {
    if (this.isEmpty) return false;
    this.start = this.#next + 2;
    this.end = this.start + ((this.bytes[this.#next]! << 8) | this.bytes[this.#next + 1]!);
    this.#next = this.end;
    return true;
  }
}
