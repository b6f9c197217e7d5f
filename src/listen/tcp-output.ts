import type { Socket } from 'node:net';
import type { Reply } from '../wire/reply.ts';
import { OUTPUT_BUFFER_BYTES, type OutputBuffers } from './output-buffers.ts';

/** The answers of one connection on their way out: gathered as frames (RFC 1035, section 4.2.2), so that several leave in one write. */
export class TcpOutput {
  readonly #socket: Socket;
  readonly #buffers: OutputBuffers;
  #buffer: Buffer | undefined = undefined;
  #end = 0;

  constructor(socket: Socket, buffers: OutputBuffers) {
    this.#socket = socket;
    this.#buffers = buffers;
  }

  /** Frames wait for `flush`. */
  get isPending(): boolean {
    return this.#buffer !== undefined;
  }

  /** Bytes that the kernel has not taken yet. */
  get backlogBytes(): number {
    return this.#socket.writableLength;
  }

  /** Bytes that the kernel has taken, since the beginning. */
  get takenBytes(): number {
    return this.#socket.bytesWritten - this.#socket.writableLength;
  }

  /** The backlog has passed the socket's high-water mark; 'drain' comes once it is gone. */
  get isBlocked(): boolean {
    return this.#socket.writableNeedDrain;
  }

  /** Copies the reply, and writes what was gathered before where there is no room for both. */
  append(reply: Reply): void {
    const length = reply.length;
    if (this.#buffer !== undefined && this.#end + 2 + length > this.#buffer.length) this.flush();
    this.#buffer ??= 2 + length > OUTPUT_BUFFER_BYTES ? Buffer.allocUnsafeSlow(2 + length) : this.#buffers.take();
    const buffer = this.#buffer;
    buffer[this.#end] = length >> 8;
    buffer[this.#end + 1] = length & 0xff;
    this.#end = reply.copyTo(buffer, this.#end + 2);
  }

  flush(): void {
    const buffer = this.#buffer;
    if (buffer === undefined) return;
    const socket = this.#socket;
    const isOpen = !socket.destroyed;
    if (isOpen) {
      socket.write(buffer.subarray(0, this.#end));
      this.#buffers.writes++;
    }
    // Where the kernel took it all at once, nobody reads the buffer any more; else it belongs to the socket.
    if (!isOpen || socket.writableLength === 0) this.#buffers.give(buffer);
    this.#buffer = undefined;
    this.#end = 0;
  }
}
