import type { Socket } from 'node:net';
import type { UpstreamAddress } from '../config/config.ts';
import type { Clock } from '../core/clock.ts';
import { CONNECTION_BACKLOG, CONNECTION_QUERIES, CONNECTION_READ } from '../core/limits.ts';
import { Timer, type TimerWheel } from '../core/timer-wheel.ts';
import { dialStream, failureDetail, failureReason } from './dial.ts';
import { DnsFraming } from './dns-framing.ts';
import { DohFraming } from './doh-framing.ts';
import type { Exchange } from './exchange.ts';
import { PendingTable } from './pending.ts';
import type { RandomIds } from './random-ids.ts';
import type { FramingOwner, StreamFraming } from './stream-framing.ts';
import { StreamOutput } from './stream-output.ts';
import type { TlsMemory } from './tls-memory.ts';

/**
 * All connections read into this one: libuv asks for a buffer and fills it in the same call, and what is read is done with before the
 * callback returns (a frame across two reads is copied by the frame reader).
 */
const READ_BUFFER = Buffer.allocUnsafeSlow(CONNECTION_READ.value);

/**
 * Where nothing else moves either, it is rather the server that pauses than a slow name that holds up the others: more connections would not
 * help, and so it takes longer until one counts as stalled.
 */
const ALL_QUIET_STALL_MS = 100;
/** How soon a connection that is quiet, but not for too long yet, is looked at again. */
const LEAST_WATCH_MS = 10;

/** A server that is not bound to the order cannot be held up by one slow name: only long silence tells that such a connection is dead. */
const OUT_OF_ORDER_STALL_MS = 500;

/** A reply that has not come after so long will not: its place is free again. */
const LOST_MS = 10_000;

/** What a connection tells its pool. */
export interface TcpConnectionOwner {
  /** How long nothing may come back before the connection counts as stalled. */
  readonly hedgeMs: number;
  /** The server has answered a later query before an earlier one: set by the connection that saw it, known to all. */
  isOutOfOrder: boolean;
  /** Whether another connection than this one got a reply after `sinceMs`. */
  hasMoved(connection: TcpConnection, sinceMs: number): boolean;
  onOpen(connection: TcpConnection): void;
  onReply(exchange: Exchange, message: Uint8Array, start: number, end: number, roundTripMs: number): void;
  onBadReply(reason: number): void;
  onStalled(connection: TcpConnection): void;
  /** It will not be answered here; `reason` is undefined where nothing is wrong with the server. */
  onRefused(exchange: Exchange, reason: string | undefined): void;
  /** The server wants no questions for so long. */
  onPause(pauseMs: number): void;
  /**
   * Its pending table still says what was not answered. `reason` is undefined where we closed it ourselves, `detail` says more to a person where there is
   * more to say.
   */
  onClosed(connection: TcpConnection, reason: string | undefined, detail: string | undefined): void;
}

export interface TcpConnectionParts {
  address: UpstreamAddress;
  /** Where the address is encrypted: what earlier connections have left. */
  memory: TlsMemory | undefined;
  owner: TcpConnectionOwner;
  clock: Clock;
  wheel: TimerWheel;
  ids: RandomIds;
  connectMs: number;
  /** Nothing at all came back for so long, though asked: it is closed. */
  silentMs: number;
  /** Its pool replaces it at this age. */
  maxAgeMs: number;
}

/**
 * One TCP or TLS connection to an upstream: many queries in flight, replies in any order, all queries of a tick in one write.
 *
 *   connecting ──▶ open ──▶ draining ──▶ closed       draining: takes no more, closes with its last reply
 *        └───────────┴──────────────────────▲
 */
export class TcpConnection implements FramingOwner {
  readonly pending: PendingTable;
  readonly startedMs: number;
  readonly #parts: TcpConnectionParts;
  readonly #socket: Socket;
  readonly #framing: StreamFraming;
  readonly #watch = new Watch(this);
  readonly #confirm = (): void => this.#confirmStall();
  readonly #readOn = (): void => {
    this.#isPaused = false;
    if (this.state !== 'closed') this.#socket.resume();
  };
  state: 'connecting' | 'open' | 'draining' | 'closed' = 'connecting';
  /** It owes a reply and nothing came back for longer than it should take: others are asked instead, while it lasts. */
  isStalled = false;
  hasOpened = false;
  /** It has answered at least once, so that its end is no sign of a bad server. */
  hasAnswered = false;
  /** What the server said it allows (RFC 7828); 0: nothing said. */
  keepaliveMs = 0;
  lastUsedMs: number;
  /** When something last came back; 0: never. */
  lastReplyMs = 0;
  #readMs = 0;
  #isPaused = false;

  constructor(parts: TcpConnectionParts) {
    this.#parts = parts;
    this.startedMs = parts.clock.nowMs();
    this.lastUsedMs = this.startedMs;
    this.pending = new PendingTable(CONNECTION_QUERIES.value, parts.ids);
    const { address, memory } = parts;
    this.#socket = dialStream(address, {
      onread: { buffer: READ_BUFFER, callback: (length) => this.#read(length) },
      onOpen: () => this.#onOpen(),
      ...(memory && { memory }),
    });
    const output = new StreamOutput(this.#socket);
    this.#framing =
      address.transport === 'https'
        ? new DohFraming({ owner: this, output, address })
        : new DnsFraming({ owner: this, output, isPadded: memory !== undefined });
    this.#socket.on('end', () => this.#finish('closed by the server'));
    this.#socket.on('error', (error) => this.#finish(failureReason(error), failureDetail(error)));
    this.#socket.on('close', () => this.#finish('closed'));
    parts.wheel.set(this.#watch, Math.min(parts.owner.hedgeMs, parts.connectMs));
  }

  /** Whether one more query can be sent: not while draining, not over its bounds. */
  get hasRoom(): boolean {
    if (this.state !== 'open' && this.state !== 'connecting') return false;
    if (this.pending.isFull) CONNECTION_QUERIES.hits++;
    else if (this.#framing.backlog < CONNECTION_BACKLOG.value) return true;
    else CONNECTION_BACKLOG.hits++;
    return false;
  }

  isAged(nowMs: number): boolean {
    return this.state === 'open' && nowMs - this.startedMs > this.#parts.maxAgeMs;
  }

  /** Sends at the end of the tick; false where there is no room. */
  send(exchange: Exchange, nowMs: number): boolean {
    if (!this.hasRoom) return false;
    const id = this.pending.take(exchange, nowMs);
    if (!this.#framing.add(exchange, id)) {
      this.pending.release(this.pending.slotOf(id));
      return false;
    }
    exchange.places++;
    this.lastUsedMs = nowMs;
    if (!this.isStalled && !this.#watch.isSet) this.#parts.wheel.set(this.#watch, this.#stallMs);
    return true;
  }

  /** Takes no more queries, and closes when the last one is answered. */
  drain(): void {
    if (this.state === 'closed') return;
    if (this.pending.size === 0) this.close();
    else this.state = 'draining';
  }

  /** Closes at once. */
  close(): void {
    this.#finish(undefined);
  }

  /** Once a second: gives up replies that will not come, and the connection itself where it has been silent for too long. */
  inspect(nowMs: number): void {
    if (this.pending.size === 0) return;
    if (this.#quietMs(nowMs) >= this.#parts.silentMs) {
      this.#finish('silent');
      return;
    }
    this.pending.releaseLost(nowMs, LOST_MS);
    this.#closeIfDrained();
  }

  #onOpen(): void {
    if (this.state !== 'connecting') return;
    this.state = 'open';
    this.hasOpened = true;
    this.#framing.open();
    if (this.#parts.memory !== undefined) this.#onShaken();
    this.#parts.owner.onOpen(this);
  }

  /** A handshake takes several round trips: that it is done is a sign of life, and from here on the server has what it needs to answer. */
  #onShaken(): void {
    this.lastReplyMs = this.#parts.clock.nowMs();
    if (this.isStalled) this.#onMoving();
  }

  /** What it takes in a turn of the loop is one buffer; false: no more for now. */
  #read(length: number): boolean {
    if (this.state === 'closed') return true;
    this.#readMs = this.#parts.clock.nowMs();
    this.#framing.read(READ_BUFFER, 0, length);
    this.#closeIfDrained();
    if (length < READ_BUFFER.length) return true;
    CONNECTION_READ.hits++;
    // What TLS has decrypted comes nevertheless: up to 16 KiB.
    if (!this.#isPaused) setImmediate(this.#readOn);
    this.#isPaused = true;
    return false;
  }

  onMessage(slot: number, bytes: Uint8Array, start: number, end: number): void {
    if (this.state === 'closed') return;
    const exchange = this.pending.at(slot);
    const roundTripMs = this.#readMs - this.pending.sentMs[slot]!;
    if (slot !== this.pending.head) this.#parts.owner.isOutOfOrder = true;
    this.pending.release(slot);
    exchange.places--;
    this.lastReplyMs = this.#readMs;
    this.hasAnswered = true;
    if (this.isStalled) this.#onMoving();
    this.#parts.owner.onReply(exchange, bytes, start, end, roundTripMs);
  }

  #onMoving(): void {
    this.isStalled = false;
    if (this.pending.size > 0) this.#parts.wheel.set(this.#watch, this.#stallMs);
  }

  onBadReply(reason: number): void {
    if (this.state !== 'closed') this.#parts.owner.onBadReply(reason);
  }

  onRefused(slot: number, reason: string | undefined): void {
    if (this.state === 'closed') return;
    const exchange = this.pending.at(slot);
    this.pending.release(slot);
    exchange.places--;
    this.#parts.owner.onRefused(exchange, reason);
  }

  onKeepalive(timeoutMs: number): void {
    this.keepaliveMs = timeoutMs;
  }

  onLastQuestion(): void {
    if (this.state === 'open') this.state = 'draining';
  }

  onPause(pauseMs: number): void {
    this.#parts.owner.onPause(pauseMs);
  }

  onBroken(reason: string): void {
    this.#finish(reason);
  }

  get #stallMs(): number {
    const { hedgeMs, isOutOfOrder } = this.#parts.owner;
    return isOutOfOrder ? Math.max(hedgeMs, OUT_OF_ORDER_STALL_MS) : hedgeMs;
  }

  #isQuietTooLong(nowMs: number): boolean {
    const quietMs = this.#quietMs(nowMs);
    if (quietMs < this.#stallMs) return false;
    return quietMs >= ALL_QUIET_STALL_MS || this.#parts.owner.hasMoved(this, nowMs - quietMs);
  }

  /** How long it has owed a reply with nothing coming back; a deep queue that moves is never quiet. */
  #quietMs(nowMs: number): number {
    const { head, sentMs } = this.pending;
    return head < 0 ? 0 : nowMs - Math.max(this.lastReplyMs, sentMs[head]!);
  }

  /** Not set for each query: it looks how long nothing came, and comes again when that could be too long. */
  onWatch(nowMs: number): void {
    if (this.state === 'closed') return;
    if (this.state === 'connecting' && nowMs - this.startedMs >= this.#parts.connectMs) {
      this.#finish(this.#socket.connecting ? 'connect timed out' : 'TLS handshake timed out');
    } else if (this.pending.size > 0 && this.#isQuietTooLong(nowMs)) {
      // When this process itself was held up, timers run before the replies that wait in the kernel are read: look again after that.
      setImmediate(this.#confirm);
    } else if (this.pending.size > 0 || this.state === 'connecting') {
      this.#parts.wheel.set(this.#watch, Math.max(this.#stallMs - this.#quietMs(nowMs), LEAST_WATCH_MS));
    }
  }

  #confirmStall(): void {
    if (this.state === 'closed') return;
    const nowMs = this.#parts.clock.nowMs();
    const isStalled = this.pending.size > 0 && this.#isQuietTooLong(nowMs);
    if (this.state === 'connecting') {
      this.#parts.wheel.set(this.#watch, Math.max(this.#parts.connectMs - (nowMs - this.startedMs), 1));
    } else if (!isStalled && this.pending.size > 0) {
      this.#parts.wheel.set(this.#watch, this.#stallMs);
    }
    if (!isStalled || this.isStalled) return;
    this.isStalled = true;
    this.#parts.owner.onStalled(this);
  }

  #closeIfDrained(): void {
    if (this.state === 'draining' && this.pending.size === 0) this.close();
  }

  #finish(reason: string | undefined, detail?: string): void {
    if (this.state === 'closed') return;
    this.state = 'closed';
    this.#parts.wheel.clear(this.#watch);
    this.#socket.destroy();
    this.#parts.owner.onClosed(this, reason, detail);
  }
}

class Watch extends Timer {
  readonly #connection: TcpConnection;

  constructor(connection: TcpConnection) {
    super();
    this.#connection = connection;
  }

  override onTimeout(nowMs: number): void {
    this.#connection.onWatch(nowMs);
  }
}
