import type { UpstreamAddress } from '../config/config.ts';
import type { Clock } from '../core/clock.ts';
import { SOCKETS } from '../core/limits.ts';
import { Cookies } from './cookies.ts';
import type { Exchange } from './exchange.ts';
import type { RandomIds } from './random-ids.ts';
import type { Transport } from './transport.ts';
import { UdpSocket, type UdpSocketOwner } from './udp-socket.ts';

/** Sockets that take questions: a power of two. */
const ACTIVE = 4;

/** A socket takes so many questions, for so long: whoever learnt its port has little time to use that. */
const SOCKET_QUESTIONS = 1024;
const SOCKET_AGE_MS = 30_000;

/** What a pool tells its upstream. */
export interface UdpPoolOwner {
  onDatagram(exchange: Exchange, message: Uint8Array, start: number, end: number, roundTripMs: number): void;
  onBadReply(reason: number): void;
  /** The reply may be somebody else's: only TCP can tell. */
  onDoubtfulReply(exchange: Exchange): void;
  /** Nobody listens there, or a socket could not be made. */
  onUdpFailed(reason: string): void;
  /** What was asked over a socket that failed. */
  onLost(exchange: Exchange): void;
}

export interface UdpPoolParts {
  address: UpstreamAddress;
  owner: UdpPoolOwner;
  clock: Clock;
  ids: RandomIds;
}

/** The UDP sockets to one upstream: each question goes out on one of a few ports, drawn anew, and ports are given up soon. */
export class UdpPool implements Transport, UdpSocketOwner {
  readonly proto = 'udp';
  readonly #parts: UdpPoolParts;
  readonly #cookies: Cookies | undefined;
  readonly #active: (UdpSocket | undefined)[] = Array.from({ length: ACTIVE }, () => undefined);
  /** Take no more questions, and wait for their last replies. */
  #retired: UdpSocket[] = [];
  #isClosed = false;
  /** Read by the metrics. */
  hits = 0;
  misses = 0;

  constructor(parts: UdpPoolParts) {
    this.#parts = parts;
    if (parts.address.hasCookies) this.#cookies = new Cookies();
  }

  get size(): number {
    return this.#sockets().length;
  }

  get inFlight(): number {
    return this.#sockets().reduce((sum, { pending }) => sum + pending.size, 0);
  }

  /** False where there is no room. */
  ask(exchange: Exchange): boolean {
    const nowMs = this.#parts.clock.nowMs();
    const index = this.#parts.ids.next() & (ACTIVE - 1);
    const socket = this.#active[index];
    // With too many that wait for their last replies, ports serve longer: no question is refused for that.
    if (socket !== undefined && (socket.asked < SOCKET_QUESTIONS || this.#isCrowded) && socket.send(exchange, nowMs)) {
      this.hits++;
      return true;
    }
    return this.#open(index)?.send(exchange, nowMs) ?? false;
  }

  get #isCrowded(): boolean {
    return this.#retired.length >= SOCKETS.value - ACTIVE;
  }

  #open(index: number): UdpSocket | undefined {
    if (this.#isClosed) return undefined;
    if (this.#isCrowded) {
      SOCKETS.hits++;
      return undefined;
    }
    this.#retire(index);
    const { address, clock, ids } = this.#parts;
    this.misses++;
    const socket = new UdpSocket({ address, owner: this, clock, ids, cookies: this.#cookies });
    // Where no descriptor is left, it has failed before it could be noted here.
    if (!socket.isClosed) this.#active[index] = socket;
    return this.#active[index];
  }

  #retire(index: number): void {
    const socket = this.#active[index];
    if (socket === undefined) return;
    this.#active[index] = undefined;
    this.#retired.push(socket);
    socket.retire();
  }

  onReply(exchange: Exchange, message: Uint8Array, start: number, end: number, roundTripMs: number): void {
    this.#parts.owner.onDatagram(exchange, message, start, end, roundTripMs);
  }

  onBadReply(reason: number): void {
    this.#parts.owner.onBadReply(reason);
  }

  onDoubtfulReply(exchange: Exchange): void {
    this.#parts.owner.onDoubtfulReply(exchange);
  }

  onClosed(socket: UdpSocket): void {
    this.#retired = this.#retired.filter((other) => other !== socket);
    const index = this.#active.indexOf(socket);
    if (index >= 0) this.#active[index] = undefined;
  }

  onFailed(socket: UdpSocket, reason: string): void {
    this.#parts.owner.onUdpFailed(reason);
    this.#lose(socket);
  }

  #lose({ pending }: UdpSocket): void {
    for (let slot = pending.head; slot >= 0; slot = pending.head) {
      const exchange = pending.at(slot);
      pending.release(slot);
      exchange.places--;
      if (exchange.isOpen && exchange.places === 0) this.#parts.owner.onLost(exchange);
    }
  }

  /** Once a second: lost replies, and sockets that are old. */
  inspect(nowMs: number): void {
    for (const socket of this.#sockets()) socket.inspect(nowMs);
    for (const [index, socket] of this.#active.entries()) {
      if (socket !== undefined && nowMs - socket.startedMs > SOCKET_AGE_MS) this.#retire(index);
    }
  }

  #sockets(): UdpSocket[] {
    return [...this.#active.filter((socket) => socket !== undefined), ...this.#retired];
  }

  /** Takes no more questions; what is in flight is still answered. */
  drain(): void {
    this.#isClosed = true;
    for (let index = 0; index < ACTIVE; index++) this.#retire(index);
  }

  /** Ends all at once. */
  close(): void {
    this.drain();
    for (const socket of this.#retired) {
      socket.close();
      this.#lose(socket);
    }
  }
}
