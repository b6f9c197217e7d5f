import type { Socket } from 'node:net';

/** A tick's queries at 100,000 a second are about 8 KiB. */
const BUFFER_LENGTH = 16_384;

/** Bytes for one connection, so that all queries of a tick go out in one write. */
export class StreamOutput {
  readonly #socket: Socket;
  readonly #flush = (): void => {
    this.#isScheduled = false;
    this.flush();
  };
  /** To be written at the offset that `reserve` gave. */
  buffer = Buffer.allocUnsafeSlow(BUFFER_LENGTH);
  #end = 0;
  #isScheduled = false;
  #isOpen = false;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Bytes that wait here or in the socket. */
  get backlog(): number {
    return this.#end + this.#socket.writableLength;
  }

  /** Where so many bytes may be written in `buffer`, or -1: more than 16 KiB. */
  reserve(length: number): number {
    if (length > BUFFER_LENGTH) return -1;
    if (this.#end + length > this.buffer.length) this.flush();
    if (this.#end + length > this.buffer.length) this.#grow();
    return this.#end;
  }

  /** The stream is not there yet. What may wait for it is bounded by `CONNECTION_BACKLOG`. */
  #grow(): void {
    const grown = Buffer.allocUnsafeSlow(2 * this.buffer.length);
    this.buffer.copy(grown, 0, 0, this.#end);
    this.buffer = grown;
  }

  /** What was written ends here; it leaves at the end of the tick. */
  commit(end: number): void {
    this.#end = end;
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(this.#flush);
  }

  /** The stream is there: what waits leaves. */
  open(): void {
    this.#isOpen = true;
    this.flush();
  }

  /** Hands what there is to the socket. */
  flush(): void {
    if (this.#end === 0 || !this.#isOpen || this.#socket.destroyed) return;
    const bytes = this.buffer.subarray(0, this.#end);
    // What queues up behind other bytes does so in a copy of its own length, for there may be thousands of such.
    const isBehind = this.#socket.writableLength > 0;
    this.#socket.write(isBehind ? Buffer.from(bytes) : bytes);
    this.#end = 0;
    // The kernel took all of it in the call, nearly always; else the buffer is the socket's until it did. One that grew has had its day.
    if ((!isBehind && this.#socket.writableLength > 0) || this.buffer.length > BUFFER_LENGTH)
      this.buffer = Buffer.allocUnsafeSlow(BUFFER_LENGTH);
  }
}
