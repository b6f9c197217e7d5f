import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { UpstreamAddress } from '../config/config.ts';
import type { Clock } from '../core/clock.ts';
import { SOCKET_IN_FLIGHT } from '../core/limits.ts';
import { COOKIE_DOUBTFUL, COOKIE_MOST, COOKIE_WRONG, type Cookies } from './cookies.ts';
import type { Exchange } from './exchange.ts';
import { MixedCase } from './mixed-case.ts';
import { BAD_COOKIE, PendingTable } from './pending.ts';
import type { RandomIds } from './random-ids.ts';

/** A reply that nobody waits for any more, and that has not come after so long, will not. */
const LOST_MS = 1000;

/** What a socket tells its pool. */
export interface UdpSocketOwner {
  onReply(exchange: Exchange, message: Uint8Array, start: number, end: number, roundTripMs: number): void;
  onBadReply(reason: number): void;
  /** The reply may be somebody else's: only TCP can tell. */
  onDoubtfulReply(exchange: Exchange): void;
  onClosed(socket: UdpSocket): void;
  /** The other end told that nobody listens there, or this socket could not be made; it is closed. Its pending table says what is lost. */
  onFailed(socket: UdpSocket, reason: string): void;
}

export interface UdpSocketParts {
  address: UpstreamAddress;
  owner: UdpSocketOwner;
  clock: Clock;
  ids: RandomIds;
  cookies: Cookies | undefined;
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
  readonly #mixedCase: MixedCase | undefined;
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
    const { host, port, source, hasMixedCase } = parts.address;
    if (hasMixedCase) this.#mixedCase = new MixedCase(SOCKET_IN_FLIGHT.value, parts.ids);
    const family = isIPv6(host) ? 6 : 4;
    // The address is a literal: nothing to look up, and so ready in this very tick.
    this.#socket = createSocket({ type: `udp${family}`, lookup: (name, _options, done) => done(null, name, family) });
    this.#socket.on('message', (message) => this.#onMessage(message));
    this.#socket.on('error', (error) => this.#fail(error));
    this.#socket.on('connect', () => this.#onConnect());
    if (source === undefined) this.#socket.connect(port, host);
    else this.#socket.bind({ address: source }, () => this.#socket.connect(port, host));
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
    if (exchange.length + COOKIE_MOST > this.#buffer.length || this.#socket.getSendQueueCount() > 0) {
      this.#buffer = new Uint8Array(Math.max(512, exchange.length + COOKIE_MOST));
    }
    const { cookies } = this.#parts;
    let end = exchange.copyTo(this.#buffer, 0, id);
    this.#mixedCase?.mix(this.#buffer, exchange.questionEnd - 4, this.pending.slotOf(id));
    if (cookies !== undefined && exchange.endsInEmptyOpt) end = cookies.write(this.#buffer, end);
    this.#socket.send(this.#buffer, 0, end, this.#onSent);
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
    // Without OPT ours was not sent either.
    const cookie = exchange.endsInEmptyOpt ? this.#parts.cookies?.judge(message, 0, message.length) : undefined;
    if (cookie === COOKIE_WRONG) {
      this.#parts.owner.onBadReply(BAD_COOKIE);
      return;
    }
    const isSpeltSame = this.#mixedCase?.isSame(message, exchange.questionEnd - 4, slot) ?? true;
    const roundTripMs = this.#parts.clock.nowMs() - this.pending.sentMs[slot]!;
    this.pending.release(slot);
    exchange.places--;
    if (isSpeltSame && cookie !== COOKIE_DOUBTFUL) {
      this.#parts.owner.onReply(exchange, message, 0, message.length, roundTripMs);
    } else {
      this.#parts.owner.onDoubtfulReply(exchange);
    }
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
