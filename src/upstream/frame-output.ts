import type { Socket } from 'node:net';
import type { Exchange } from './exchange.ts';

/** A tick's queries at 100,000 a second are about 8 KiB. */
const BUFFER_LENGTH = 16_384;

/** RFC 7828: code 11, no value, for the client only asks. */
const KEEPALIVE_OPTION = [0, 11, 0, 0];

/** Frames for one connection, so that all queries of a tick go out in one write. */
export class FrameOutput {
  readonly #socket: Socket;
  readonly #flush = (): void => {
    this.#isScheduled = false;
    this.flush();
  };
  #buffer = Buffer.allocUnsafeSlow(BUFFER_LENGTH);
  #end = 0;
  #isScheduled = false;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Bytes that wait here or in the socket. */
  get backlog(): number {
    return this.#end + this.#socket.writableLength;
  }

  /** Appends one query; it leaves at the end of the tick. A query of more than 16 KiB is not taken (false): no question is that long. */
  add(exchange: Exchange, id: number): boolean {
    const start = this.#reserve(exchange.length);
    if (start < 0) return false;
    this.#finish(start, exchange.copyTo(this.#buffer, start + 2, id));
    return true;
  }

  /** The same, and asks how long the server will keep an idle connection (RFC 7828) where the query ends in an OPT without options. */
  addWithKeepalive(exchange: Exchange, id: number): boolean {
    const start = this.#reserve(exchange.length + KEEPALIVE_OPTION.length);
    if (start < 0) return false;
    let end = exchange.copyTo(this.#buffer, start + 2, id);
    if (exchange.endsInEmptyOpt) {
      this.#buffer[end - 1] = KEEPALIVE_OPTION.length;
      for (const octet of KEEPALIVE_OPTION) this.#buffer[end++] = octet;
    }
    this.#finish(start, end);
    return true;
  }

  /** Hands what there is to the socket. */
  flush(): void {
    if (this.#end === 0 || this.#socket.destroyed || this.#socket.connecting) return;
    this.#socket.write(this.#buffer.subarray(0, this.#end));
    this.#end = 0;
    // The kernel took all of it in the call, nearly always; else the buffer is the socket's until it did.
    if (this.#socket.writableLength > 0) this.#buffer = Buffer.allocUnsafeSlow(BUFFER_LENGTH);
  }

  /** Where a frame with so many bytes of message starts, or -1. */
  #reserve(length: number): number {
    if (length + 2 > BUFFER_LENGTH) return -1;
    if (this.#end + 2 + length > BUFFER_LENGTH) this.flush();
    return this.#end + 2 + length > BUFFER_LENGTH ? -1 : this.#end;
  }

  #finish(start: number, end: number): void {
    const length = end - start - 2;
    this.#buffer[start] = length >> 8;
    this.#buffer[start + 1] = length & 0xff;
    this.#end = end;
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(this.#flush);
  }
}
