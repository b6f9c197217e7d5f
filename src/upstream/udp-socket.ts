import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { SocketAddress } from '../config/config.ts';
import type { Clock } from '../core/clock.ts';
import { SOCKET_IN_FLIGHT } from '../core/limits.ts';
import type { Exchange } from './exchange.ts';
import { PendingTable } from './pending.ts';
import type { RandomIds } from './random-ids.ts';

/** A reply that nobody waits for any more, and that has not come after so long, will not. */
const LOST_MS = 1000;

/** What a socket tells its pool. */
export interface UdpSocketOwner {
  onReply(exchange: Exchange, message: Uint8Array, start: number, end: number, roundTripMs: number): void;
  onBadReply(reason: number): void;
  onClosed(socket: UdpSocket): void;
  /** The other end told that nobody listens there, or this socket could not be made; it is closed. Its pending table says what is lost. */
  onFailed(socket: UdpSocket, reason: string): void;
}

export interface UdpSocketParts {
  address: SocketAddress;
  owner: UdpSocketOwner;
  clock: Clock;
  ids: RandomIds;
}

/**
 * One UDP socket to an upstream: on a port that the kernel drew at random, and connected, so that only the upstream's own address can
 * answer and a port where nobody listens is told at once.
 */
export class UdpSocket {
  readonly pending: PendingTable;
  readonly startedMs: number;
  readonly #parts: UdpSocketParts;
  readonly #socket: Socket;
  readonly #onSent = (error: Error | null): void => {
    if (error !== null) this.#fail(error);
  };
  /** Slots asked before the socket was ready. */
  #waiting: number[] | undefined = [];
  #buffer = new Uint8Array(512);
  /** Questions so far. */
  asked = 0;
  isClosed = false;
  #isRetired = false;

  constructor(parts: UdpSocketParts) {
    this.#parts = parts;
    this.startedMs = parts.clock.nowMs();
    this.pending = new PendingTable(SOCKET_IN_FLIGHT.value, parts.ids);
    const { host, port } = parts.address;
    const family = isIPv6(host) ? 6 : 4;
    // The address is a literal: nothing to look up, and so ready in this very tick.
    this.#socket = createSocket({ type: `udp${family}`, lookup: (name, _options, done) => done(null, name, family) });
    this.#socket.on('message', (message) => this.#onMessage(message));
    this.#socket.on('error', (error) => this.#fail(error));
    this.#socket.on('connect', () => this.#onConnect());
    this.#socket.connect(port, host);
  }

  /** False where the socket is closed, or its table full. */
  send(exchange: Exchange, nowMs: number): boolean {
    if (this.isClosed) return false;
    const id = this.pending.take(exchange, nowMs);
    if (id < 0) {
      SOCKET_IN_FLIGHT.hits++;
      return false;
    }
    this.asked++;
    exchange.places++;
    if (this.#waiting === undefined) this.#send(exchange, id);
    else this.#waiting.push(id);
    return true;
  }

  #send(exchange: Exchange, id: number): void {
    // What the kernel could not take at once still lies in the buffer that it was written to.
    if (exchange.length > this.#buffer.length || this.#socket.getSendQueueCount() > 0) {
      this.#buffer = new Uint8Array(Math.max(512, exchange.length));
    }
    exchange.copyTo(this.#buffer, 0, id);
    this.#socket.send(this.#buffer, 0, exchange.length, this.#onSent);
  }

  #onConnect(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const id of waiting) {
      if (this.isClosed) return;
      const exchange = this.pending.at(this.pending.slotOf(id));
      this.#send(exchange, id);
    }
  }

  #onMessage(message: Uint8Array): void {
    if (this.isClosed) return;
    const slot = this.pending.find(message, 0, message.length, false);
    if (slot < 0) {
      this.#parts.owner.onBadReply(slot);
      return;
    }
    const exchange = this.pending.at(slot);
    const roundTripMs = this.#parts.clock.nowMs() - this.pending.sentMs[slot]!;
    this.pending.release(slot);
    exchange.places--;
    this.#parts.owner.onReply(exchange, message, 0, message.length, roundTripMs);
    this.#closeIfDone();
  }

  #fail(error: NodeJS.ErrnoException): void {
    if (this.isClosed) return;
    this.close();
    this.#parts.owner.onFailed(this, error.code ?? error.message);
  }

  /** Once a second: gives up replies that will not come. */
  inspect(nowMs: number): void {
    this.pending.releaseLost(nowMs, LOST_MS);
    this.#closeIfDone();
  }

  /** Takes no more questions from now on: closes when the last one is answered. */
  retire(): void {
    this.#isRetired = true;
    this.#closeIfDone();
  }

  #closeIfDone(): void {
    if (this.#isRetired && this.pending.size === 0) this.close();
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.#socket.close();
    this.#parts.owner.onClosed(this);
  }
}
