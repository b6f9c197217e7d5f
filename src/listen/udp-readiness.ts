import dgram from 'node:dgram';
import { once } from 'node:events';
import type { UdpDescriptor } from '../native/udp-descriptor.ts';
import { UV_READABLE, UV_WRITABLE, UvPoll } from '../native/uv-poll.ts';

/** Who is told that a descriptor can be used. */
export interface ReadinessTarget {
  onReadable(): void;
  /** Once after each `awaitWritable`. */
  onWritable(): void;
  /** A datagram that was taken by whoever watches the descriptor. */
  onDatagram(message: Uint8Array, port: number, host: string): void;
}

/** Tells when a descriptor can be read or written, and closes it in the end. */
export interface Readiness {
  awaitWritable(): void;
  /** Nothing is to be read from now on, until `startReading`. */
  stopReading(): void;
  startReading(): Promise<void>;
  close(onClosed: () => void): void;
}

/** Readiness straight from libuv. */
export class UvReadiness implements Readiness {
  readonly #descriptor: UdpDescriptor;
  readonly #target: ReadinessTarget;
  readonly #poll: UvPoll;
  #wanted = UV_READABLE;
  #isClosed = false;

  constructor(descriptor: UdpDescriptor, target: ReadinessTarget) {
    this.#descriptor = descriptor;
    this.#target = target;
    this.#poll = new UvPoll(descriptor.fd, (events) => this.#onReady(events));
    this.#poll.watch(this.#wanted);
  }

  awaitWritable(): void {
    this.#want(this.#wanted | UV_WRITABLE);
  }

  stopReading(): void {
    this.#want(this.#wanted & ~UV_READABLE);
  }

  async startReading(): Promise<void> {
    this.#want(this.#wanted | UV_READABLE);
  }

  close(onClosed: () => void): void {
    this.#isClosed = true;
    this.#poll.close(onClosed);
    this.#descriptor.close();
  }

  #onReady(events: number): void {
    if ((events & UV_WRITABLE) !== 0) {
      this.#want(this.#wanted & ~UV_WRITABLE);
      this.#target.onWritable();
    }
    if ((events & UV_READABLE) !== 0) this.#target.onReadable();
    else if (events === 0) this.#onError();
  }

  /** Reading takes the error off the descriptor; libuv has stopped watching. */
  #onError(): void {
    this.#target.onReadable();
    setImmediate(() => this.#want(this.#wanted));
  }

  #want(events: number): void {
    this.#wanted = events;
    if (!this.#isClosed) this.#poll.watch(events);
  }
}

/** How long a descriptor that cannot be watched for it is left alone until writing is tried again. */
const WRITE_AGAIN_MS = 2;

/** Readiness through a node:dgram socket: it takes a datagram itself and so tells that there may be more. */
export class DgramReadiness implements Readiness {
  readonly #descriptor: UdpDescriptor;
  readonly #target: ReadinessTarget;
  #socket: dgram.Socket | undefined;
  #timer: NodeJS.Timeout | undefined;

  static async open(descriptor: UdpDescriptor, target: ReadinessTarget): Promise<DgramReadiness> {
    const readiness = new DgramReadiness(descriptor, target);
    await readiness.startReading();
    return readiness;
  }

  private constructor(descriptor: UdpDescriptor, target: ReadinessTarget) {
    this.#descriptor = descriptor;
    this.#target = target;
  }

  awaitWritable(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#target.onWritable();
    }, WRITE_AGAIN_MS);
  }

  /** A socket of node's reads until it is closed: what it has is a second descriptor. */
  stopReading(): void {
    this.#socket?.close();
    this.#socket = undefined;
  }

  async startReading(): Promise<void> {
    if (this.#socket !== undefined) return;
    const socket = dgram.createSocket(this.#descriptor.isIPv6 ? 'udp6' : 'udp4');
    this.#socket = socket;
    socket.on('message', (message, peer) => this.#target.onDatagram(message, peer.port, peer.address));
    const listening = once(socket, 'listening');
    socket.bind({ fd: this.#descriptor.duplicate(), exclusive: true });
    await listening;
    // The error is off the descriptor now; what may have come with it is read.
    socket.on('error', () => this.#target.onReadable());
  }

  close(onClosed: () => void): void {
    clearTimeout(this.#timer);
    this.stopReading();
    this.#descriptor.close();
    setImmediate(onClosed);
  }
}
