import type { Socket } from 'node:net';
import type { UpstreamAddress } from '../config/config.ts';
import { FrameReader, type FrameSink } from '../wire/framing.ts';
import { dialStream, failureReason } from './dial.ts';
import type { Relay, RelayOwner } from './relay.ts';

/** All relays read into this one: what is read is done with before the callback returns (a message across two reads is copied by the frame reader). */
const READ_BUFFER = Buffer.allocUnsafeSlow(16 * 1024);

/** A message over TCP or TLS. What it reads in a turn of the loop is one buffer, so that a large transfer holds up nobody. */
export class StreamRelay implements Relay, FrameSink {
  readonly #owner: RelayOwner;
  readonly #message: Uint8Array;
  readonly #socket: Socket;
  readonly #reader = new FrameReader({ keepsRoom: true });
  readonly #readOn = (): void => {
    if (!this.#isClosed && !this.#isPaused) this.#socket.resume();
  };
  #isPaused = false;
  #isSent = false;
  #isClosed = false;

  constructor(address: UpstreamAddress, message: Uint8Array, owner: RelayOwner) {
    this.#owner = owner;
    this.#message = message;
    this.#socket = dialStream(address, {
      onread: { buffer: READ_BUFFER, callback: (length) => this.#read(length) },
      onOpen: () => this.#send(),
    });
    this.#socket.on('end', () => this.#finish('closed by the server'));
    this.#socket.on('error', (error) => this.#finish(failureReason(error)));
    this.#socket.on('close', () => this.#finish('closed'));
  }

  resume(): void {
    this.#isPaused = false;
    setImmediate(this.#readOn);
  }

  close(): void {
    this.#isClosed = true;
    this.#socket.destroy();
  }

  onFrame(bytes: Uint8Array, start: number, end: number): void {
    if (!this.#isClosed && !this.#owner.onMessage(bytes, start, end)) this.#isPaused = true;
  }

  #send(): void {
    if (this.#isClosed) return;
    const length = this.#message.length;
    const frame = new Uint8Array(2 + length);
    frame[0] = length >> 8;
    frame[1] = length;
    frame.set(this.#message, 2);
    this.#isSent = true;
    this.#owner.onSent();
    this.#socket.write(frame);
  }

  #read(length: number): boolean {
    if (this.#isClosed) return true;
    this.#reader.read(READ_BUFFER, 0, length, this);
    if (length < READ_BUFFER.length && !this.#isPaused) return true;
    if (!this.#isPaused) setImmediate(this.#readOn);
    return false;
  }

  #finish(reason: string): void {
    if (this.#isClosed) return;
    this.close();
    this.#owner.onClosed(reason, !this.#isSent);
  }
}
