import type { UpstreamAddress } from '../config/config.ts';
import type { Clock } from '../core/clock.ts';
import { CONNECTIONS } from '../core/limits.ts';
import type { TimerWheel } from '../core/timer-wheel.ts';
import type { Exchange } from './exchange.ts';
import type { RandomIds } from './random-ids.ts';
import { TcpConnection, type TcpConnectionOwner } from './tcp-connection.ts';
import { TlsMemory } from './tls-memory.ts';
import type { StreamTransport } from './transport.ts';

/** A handshake takes two or three round trips, and the server some time; less than the usual try, so that it can be told why it failed. */
const TLS_CONNECT_TIMES = 1.5;

/** Connections in calm; more only while one is stalled. */
const CALM = 2;

/** An exchange is asked again at most so often because of a stall: once over another connection, once over UDP. */
const REASKS = 2;

/** And so often because its connection was closed, where it cannot leave by UDP: a server that ends says so on one connection after the other. */
const CLOSURES = 4;

export interface TcpTiming {
  /** One attempt to connect; half as much again with a TLS handshake. */
  readonly connectMs: number;
  /** An unused connection is closed, or kept warm, after so long: CoreDNS closes at 10 s, and we look once a second. */
  readonly idleMs: number;
  /** One connection is kept open for so long after the last question. */
  readonly warmMs: number;
  /** A connection is replaced after three to five quarters of this, so that clients spread over replicas that are new. */
  readonly maxAgeMs: number;
  /** A connection that owes replies and gives none for so long is dead. */
  readonly silentMs: number;
  /** Further connections are let go when none has been stalled for so long. */
  readonly calmMs: number;
  /** How often all this is looked at. */
  readonly inspectMs: number;
}

export const TCP_TIMING: TcpTiming = {
  connectMs: 1000,
  idleMs: 8000,
  warmMs: 300_000,
  maxAgeMs: 60_000,
  silentMs: 5000,
  calmMs: 2000,
  inspectMs: 1000,
};

/** What a pool tells its upstream. */
export interface TcpPoolOwner {
  readonly hedgeMs: number;
  onReply(exchange: Exchange, message: Uint8Array, start: number, end: number, roundTripMs: number): void;
  onBadReply(reason: number): void;
  /** A connection could not be made, or was closed before it answered anything. `detail`: more for a person. */
  onStreamFailed(reason: string, detail?: string): void;
  /** Asks at any place there is; false where there is none. */
  askAgain(exchange: Exchange): boolean;
  /** Asks over UDP; false where that cannot be. */
  askOverUdp(exchange: Exchange): boolean;
  /** A small question that keeps a connection in use. */
  warmUp(): Exchange;
}

export interface TcpPoolParts {
  address: UpstreamAddress;
  owner: TcpPoolOwner;
  clock: Clock;
  wheel: TimerWheel;
  ids: RandomIds;
  /** 0 to 1. */
  random: () => number;
  timing: TcpTiming;
}

/**
 * The TCP or TLS connections to one upstream: two in calm, pipelined, the one with the fewest queries in flight first. CoreDNS answers a
 * connection strictly in turn, so one slow name holds up all behind it: such a connection is stalled, new queries avoid it, and those
 * behind its head are asked again elsewhere, where the first reply wins.
 */
export class TcpPool implements StreamTransport, TcpConnectionOwner {
  readonly proto: 'tcp' | 'tls' | 'https';
  readonly #parts: TcpPoolParts;
  readonly #memory: TlsMemory | undefined;
  #connections: TcpConnection[] = [];
  #lastTrafficMs = Number.NEGATIVE_INFINITY;
  #lastStallMs = Number.NEGATIVE_INFINITY;
  #isClosed = false;
  /** 0: it is not. */
  #pausedUntilMs = 0;
  isOutOfOrder = false;
  /** Read by the metrics. */
  hits = 0;
  misses = 0;
  stalls = 0;
  reasked = 0;

  constructor(parts: TcpPoolParts) {
    this.#parts = parts;
    const { transport } = parts.address;
    this.proto = transport === 'tls' || transport === 'https' ? transport : 'tcp';
    if (this.proto !== 'tcp') this.#memory = new TlsMemory(parts.address);
  }

  get hedgeMs(): number {
    return this.#parts.owner.hedgeMs;
  }

  get handshakes(): number {
    return this.#memory?.handshakes ?? 0;
  }

  get resumed(): number {
    return this.#memory?.resumed ?? 0;
  }

  get size(): number {
    return this.#connections.length;
  }

  get inFlight(): number {
    return this.#connections.reduce((sum, { pending }) => sum + pending.size, 0);
  }

  /** Asks over the best connection, and opens one where none is good. False: all are stalled or full, and there may not be more. */
  ask(exchange: Exchange): boolean {
    if (this.isPaused) return false;
    const nowMs = this.#parts.clock.nowMs();
    this.#lastTrafficMs = nowMs;
    const best = this.#best('open');
    if (best === undefined) return this.#askNew(exchange, nowMs);
    // A second one as soon as the first is busy, but nobody waits for it.
    if (best.pending.size > 0 && this.#usable() < CALM) this.#open();
    this.hits++;
    return best.send(exchange, nowMs);
  }

  #usable(): number {
    let count = 0;
    for (const { state } of this.#connections) if (state !== 'draining') count++;
    return count;
  }

  /** Asks over any connection with room, stalled or not. */
  askAnyhow(exchange: Exchange): boolean {
    if (this.isPaused) return false;
    let best: TcpConnection | undefined;
    for (const connection of this.#connections) {
      if (!connection.hasRoom) continue;
      if (best === undefined || connection.pending.size < best.pending.size) best = connection;
    }
    return best?.send(exchange, this.#parts.clock.nowMs()) ?? this.ask(exchange);
  }

  #askNew(exchange: Exchange, nowMs: number): boolean {
    this.misses++;
    const connection = this.#best('connecting') ?? this.#open();
    return connection?.send(exchange, nowMs) ?? false;
  }

  /** The connection with the fewest in flight of those that are not stalled. */
  #best(state: 'open' | 'connecting'): TcpConnection | undefined {
    let best: TcpConnection | undefined;
    for (const connection of this.#connections) {
      if (connection.state !== state || connection.isStalled || !connection.hasRoom) continue;
      if (best === undefined || connection.pending.size < best.pending.size) best = connection;
    }
    return best;
  }

  /** One attempt at a time; undefined where one is under way, where there may be no more, or where more would not help. */
  #open(): TcpConnection | undefined {
    if (this.#isClosed || this.#connections.some(({ state }) => state === 'connecting')) return undefined;
    let silent = 0;
    for (const { state, isStalled, hasAnswered } of this.#connections) {
      if (isStalled && !hasAnswered && state !== 'draining') silent++;
    }
    if (silent >= CALM) return undefined;
    if (this.#connections.length >= CONNECTIONS.value) {
      CONNECTIONS.hits++;
      return undefined;
    }
    const { timing, address, clock, wheel, ids, random } = this.#parts;
    const memory = this.#memory;
    const connectMs = timing.connectMs * (memory === undefined ? 1 : TLS_CONNECT_TIMES);
    const maxAgeMs = timing.maxAgeMs * (0.75 + random() / 2);
    const limits = { connectMs, silentMs: timing.silentMs, maxAgeMs };
    const connection = new TcpConnection({ address, memory, owner: this, clock, wheel, ids, ...limits });
    this.#connections.push(connection);
    return connection;
  }

  hasMoved(connection: TcpConnection, sinceMs: number): boolean {
    return this.#connections.some((other) => other !== connection && other.lastReplyMs > sinceMs);
  }

  onOpen(connection: TcpConnection): void {
    const nowMs = this.#parts.clock.nowMs();
    const aged = this.#connections.find((other) => other !== connection && other.isAged(nowMs));
    aged?.drain();
  }

  onReply(exchange: Exchange, message: Uint8Array, start: number, end: number, roundTripMs: number): void {
    this.#parts.owner.onReply(exchange, message, start, end, roundTripMs);
  }

  onBadReply(reason: number): void {
    this.#parts.owner.onBadReply(reason);
  }

  /** Asks elsewhere what is queued behind the head; while it is still connecting, the head too, for nothing holds that one up but the connection. */
  onStalled(connection: TcpConnection): void {
    this.stalls++;
    this.#lastStallMs = this.#parts.clock.nowMs();
    const { pending } = connection;
    let slot = connection.state === 'connecting' ? pending.head : pending.after(pending.head);
    for (; slot >= 0; slot = pending.after(slot)) {
      const exchange = pending.at(slot);
      if (!exchange.isOpen || exchange.reasks >= REASKS) continue;
      if (!this.#askElsewhere(exchange)) return;
      this.reasked++;
    }
  }

  #askElsewhere(exchange: Exchange): boolean {
    const nowMs = this.#parts.clock.nowMs();
    const isFirst = exchange.reasks++ === 0;
    const connection = isFirst ? (this.#best('open') ?? this.#best('connecting') ?? this.#open()) : undefined;
    return connection?.send(exchange, nowMs) || this.#parts.owner.askOverUdp(exchange);
  }

  /** The end of a connection that has answered costs nobody anything: what it owed is asked again, once. */
  onClosed(connection: TcpConnection, reason: string | undefined, detail: string | undefined): void {
    this.#connections = this.#connections.filter((other) => other !== connection);
    const isFailure = reason !== undefined && this.#isFailure(connection);
    if (isFailure) this.#parts.owner.onStreamFailed(reason, detail);
    for (const exchange of takeAll(connection)) {
      if (!exchange.isOpen || exchange.places > 0) continue;
      if (!this.#askAfterClose(exchange, isFailure)) exchange.onUnreachable();
    }
  }

  onRefused(exchange: Exchange, reason: string | undefined): void {
    if (reason !== undefined) this.#parts.owner.onStreamFailed(reason);
    if (!exchange.isOpen || exchange.places > 0) return;
    if (reason !== undefined || !this.#askAfterClose(exchange, false)) exchange.onUnreachable();
  }

  onPause(pauseMs: number): void {
    this.#pausedUntilMs = this.#parts.clock.nowMs() + pauseMs;
  }

  get isPaused(): boolean {
    if (this.#pausedUntilMs === 0) return false;
    if (this.#parts.clock.nowMs() < this.#pausedUntilMs) return true;
    this.#pausedUntilMs = 0;
    return false;
  }

  /** It never came to be, or was closed at once, with queries on it. Closing a spare one that nobody used yet is a server's right. */
  #isFailure({ hasOpened, hasAnswered, pending, startedMs }: TcpConnection): boolean {
    if (!hasOpened) return true;
    return !hasAnswered && pending.size > 0 && this.#parts.clock.nowMs() - startedMs < this.#parts.timing.connectMs;
  }

  #askAfterClose(exchange: Exchange, isFailure: boolean): boolean {
    if (this.#isClosed) return false;
    const isFirst = exchange.closures++ === 0;
    if (isFailure) {
      const connection = isFirst ? this.#best('open') : undefined;
      return connection?.send(exchange, this.#parts.clock.nowMs()) ?? false;
    }
    this.reasked++;
    const { owner } = this.#parts;
    if (isFirst) return owner.askAgain(exchange);
    return owner.askOverUdp(exchange) || (exchange.closures <= CLOSURES && owner.askAgain(exchange));
  }

  /** Once a second: what has become idle, old, silent or superfluous. */
  inspect(nowMs: number): void {
    for (const connection of this.#connections) connection.inspect(nowMs);
    this.#replaceAged(nowMs);
    if (nowMs - this.#lastStallMs > this.#parts.timing.calmMs) this.#shrink();
    for (const connection of this.#connections) this.#closeIdle(connection, nowMs);
  }

  /** The new one is opened first, and the old one drained when it is there (`onOpen`); what is not in use just becomes idle. */
  #replaceAged(nowMs: number): void {
    if (nowMs - this.#lastTrafficMs > this.#parts.timing.warmMs) return;
    if (this.#connections.some((connection) => connection.isAged(nowMs))) this.#open();
  }

  /** Back to the calm number, the youngest kept. */
  #shrink(): void {
    if (this.#connections.some(({ isStalled }) => isStalled)) return;
    const open = this.#connections.filter(({ state }) => state === 'open');
    for (const connection of open.slice(0, Math.max(0, open.length - CALM))) connection.drain();
  }

  #closeIdle(connection: TcpConnection, nowMs: number): void {
    if (connection.state !== 'open' || connection.pending.size > 0) return;
    const { idleMs, warmMs } = this.#parts.timing;
    const limitMs = connection.keepaliveMs > 0 ? connection.keepaliveMs * 0.8 : idleMs;
    if (nowMs - connection.lastUsedMs < limitMs) return;
    const isOnly = this.#connections.every((other) => other === connection || other.state !== 'open');
    if (isOnly && nowMs - this.#lastTrafficMs < warmMs) connection.send(this.#parts.owner.warmUp(), nowMs);
    else connection.close();
  }

  /** Ends what is not in use; what is in flight is still answered. */
  drain(): void {
    this.#isClosed = true;
    for (const connection of this.#connections) {
      if (connection.state === 'connecting') connection.close();
      else connection.drain();
    }
  }

  /** Ends all at once. */
  close(): void {
    this.#isClosed = true;
    for (const connection of this.#connections) connection.close();
  }
}

/** What a closed connection owed. */
function takeAll({ pending }: TcpConnection): Exchange[] {
  const taken: Exchange[] = [];
  for (let slot = pending.head; slot >= 0; slot = pending.head) {
    const exchange = pending.at(slot);
    pending.release(slot);
    exchange.places--;
    taken.push(exchange);
  }
  return taken;
}
