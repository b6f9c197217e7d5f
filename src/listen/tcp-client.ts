import type { Socket } from 'node:net';
import { formatSocketAddress } from '../config/socket-address.ts';
import { Timer } from '../core/timer-wheel.ts';
import type { Traffic } from '../metrics/traffic.ts';
import { MAPPED_BYTES, mapAddress } from '../native/sockaddr.ts';
import type { Client, ReplySink, ReplyStream, StreamSource } from '../resolve/client.ts';
import { ANSWERED, DROPPED } from '../resolve/responder.ts';
import { HEADER_LENGTH } from '../wire/constants.ts';
import { FrameReader, type FrameSink } from '../wire/framing.ts';
import { Reply } from '../wire/reply.ts';
import type { CloseReason } from './close-reason.ts';
import { FrameQueue } from './frame-queue.ts';
import type { Flushable } from './output-buffers.ts';
import { TcpOutput } from './tcp-output.ts';
import type { Closable, TcpParts } from './tcp-parts.ts';
import { TcpStreams } from './tcp-streams.ts';

/** The listener that accepted the connection. */
export interface TcpOwner {
  readonly traffic: Traffic;
  /** Called once, when the connection is gone. */
  onClosed(client: TcpClient, reason: CloseReason): void;
}

const NEVER = Number.POSITIVE_INFINITY;

/** Filled and sent within one call, so one serves all connections. */
const reply = new Reply();

/**
 * One TCP connection. Queries are answered in the order in which answers come; those of one turn of the event loop leave in one write.
 *
 *   reading ──too many in flight, or answers not taken──▶ paused ──half answered, and answers taken──▶ reading
 *      │ the client's FIN, or finish()
 *      ▼
 *   ending ──nothing in flight──▶ our FIN
 *
 * What the chunk held beyond the point where the pause began waits here: at most that chunk.
 */
export class TcpClient extends Timer implements Client, ReplySink, FrameSink, Flushable, Closable {
  readonly isStream = true;
  readonly traffic: Traffic;
  readonly address: string;
  readonly #socket: Socket;
  readonly #owner: TcpOwner;
  readonly #parts: TcpParts;
  readonly #output: TcpOutput;
  readonly #reader = new FrameReader();
  #waiting: FrameQueue | undefined = undefined;
  /** Answers of many messages that are under way; made with the first. */
  #streams: TcpStreams | undefined = undefined;
  #mapped: Uint8Array | undefined = undefined;
  #inFlight = 0;
  /** Messages that came whole, and those of them that were queries. */
  #frames = 0;
  #queries = 0;
  /** When the messages came that are being answered. */
  #readMs = 0;
  #idleSinceMs: number;
  #frameSinceMs = NEVER;
  #backlogSinceMs = NEVER;
  #isReading = false;
  #isPaused = false;
  #isEnding = false;
  #isFlushDue = false;
  /** Undefined while the connection is open. */
  #closeReason: CloseReason | undefined = undefined;
  /** What closed it where it ends in order. */
  #endReason: CloseReason = 'client';

  constructor(socket: Socket, address: string, owner: TcpOwner, parts: TcpParts) {
    super();
    this.address = address;
    this.traffic = owner.traffic;
    this.#socket = socket;
    this.#owner = owner;
    this.#parts = parts;
    this.#output = new TcpOutput(socket, parts.buffers);
    this.#idleSinceMs = parts.clock.nowMs();
    parts.wheel.set(this, parts.times.firstQueryMs);
    socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    socket.on('drain', () => this.#onDrain());
    socket.on('end', () => this.#end('client'));
    socket.on('error', () => this.#close('reset'));
    socket.on('close', () => this.#onClose());
  }

  get peer(): string {
    return formatSocketAddress({ host: this.address, port: this.#socket.remotePort ?? 0 });
  }

  readAddress(target: Uint8Array): void {
    this.#mapped ??= mappedOf(this.address);
    for (let i = 0; i < MAPPED_BYTES; i++) target[i] = this.#mapped[i]!;
  }

  hold(): ReplySink {
    this.#inFlight++;
    return this;
  }

  holdStream(source: StreamSource): ReplyStream {
    this.#inFlight++;
    this.#streams ??= new TcpStreams(this);
    return this.#streams.open(source);
  }

  send(answer: Reply): void {
    this.append(answer);
    this.drop();
  }

  /** One message of a stream; false where the client does not take them as fast. */
  append(answer: Reply): boolean {
    if (this.#closeReason !== undefined) return false;
    this.#append(answer);
    return !this.#output.isBlocked;
  }

  drop(): void {
    if (--this.#inFlight === 0) this.#idleSinceMs = this.#parts.clock.nowMs();
    this.#goOn();
  }

  onFrame(bytes: Uint8Array, start: number, end: number): void {
    this.#frames++;
    // Shorter than a header: dropped as on UDP, and no sign of life.
    if (end - start < HEADER_LENGTH || this.#isEnding || this.#closeReason !== undefined) return;
    if (this.#waiting !== undefined) this.#waiting.push(bytes, start, end);
    else this.#respond(bytes, start, end);
  }

  /** Called once after `flushSoon`. */
  flush(): void {
    this.#isFlushDue = false;
    this.#write();
  }

  /** Takes no more queries, answers those in flight, and ends the connection. */
  finish(): void {
    this.#waiting = undefined;
    if (this.#isPaused) this.#resume();
    this.#end('shutdown');
  }

  /** Breaks the connection. */
  destroy(): void {
    this.#close('shutdown');
  }

  /**
   * The only timer of a connection: it looks what is due, and is not moved for each query. No time limit that begins later ends before it
   * fires, so it need not be moved forward either.
   */
  override onTimeout(nowMs: number): void {
    if (this.#dueReason(nowMs) !== undefined) this.#parts.closings.defer(this);
  }

  /** Called once after `closings.defer`; a query may have come meanwhile. */
  closeWhenDue(): void {
    if (this.#closeReason !== undefined) return;
    const reason = this.#dueReason(this.#parts.clock.nowMs());
    if (reason !== undefined) this.#close(reason);
  }

  /** Which time limit is over; where none is, the timer is set again. */
  #dueReason(nowMs: number): CloseReason | undefined {
    const { firstQueryMs, idleMs, drainMs } = this.#parts.times;
    if (this.#output.backlogBytes === 0) this.#backlogSinceMs = NEVER;
    // In the middle of a stream there is always more: what counts then is that the client goes on taking.
    else if (this.#streams?.hasMoved(this.#output.takenBytes)) this.#backlogSinceMs = nowMs;
    const isNew = this.#queries === 0;
    const isBusy = this.#inFlight > 0 || this.#backlogSinceMs !== NEVER || this.#frameSinceMs !== NEVER;
    const drainDueMs = this.#backlogSinceMs + drainMs;
    const frameDueMs = this.#isPaused ? NEVER : this.#frameSinceMs + idleMs;
    const idleDueMs = isNew ? this.#idleSinceMs + firstQueryMs : isBusy ? NEVER : this.#idleSinceMs + idleMs;
    const dueMs = Math.min(drainDueMs, frameDueMs, idleDueMs);
    if (nowMs < dueMs) {
      this.#parts.wheel.set(this, Math.min(dueMs - nowMs, idleMs, drainMs));
      return undefined;
    }
    if (dueMs === drainDueMs) return 'slow-reader';
    if (isNew) return 'first-query';
    return dueMs === frameDueMs ? 'unfinished-frame' : 'idle';
  }

  #onData(chunk: Buffer): void {
    const frames = this.#frames;
    const queries = this.#queries;
    const nowMs = this.#parts.clock.nowMs();
    this.#readMs = nowMs;
    this.#isReading = true;
    this.#reader.read(chunk, 0, chunk.length, this);
    this.#isReading = false;
    this.#write();
    if (this.#queries !== queries) this.#idleSinceMs = nowMs;
    if (!this.#reader.isMidFrame) this.#frameSinceMs = NEVER;
    else if (this.#frameSinceMs === NEVER || this.#frames !== frames) this.#frameSinceMs = nowMs;
  }

  #respond(bytes: Uint8Array, start: number, end: number): void {
    const outcome = this.#parts.responder.respond(bytes, start, end, this.#readMs, this, reply);
    if (outcome !== DROPPED) this.#queries++;
    if (outcome === ANSWERED) this.#append(reply);
    else if (this.#inFlight >= this.#parts.bounds.queries.value && !this.#isPaused) {
      this.#parts.bounds.queries.hits++;
      this.#pause();
    }
  }

  #append(answer: Reply): void {
    this.#output.append(answer);
    this.#watchBacklog();
    if (this.#isReading || this.#isFlushDue) return;
    this.#isFlushDue = true;
    this.#parts.buffers.flushSoon(this);
  }

  #write(): void {
    if (!this.#output.isPending) return;
    this.#output.flush();
    this.#watchBacklog();
  }

  #watchBacklog(): void {
    const backlogBytes = this.#output.backlogBytes;
    if (backlogBytes === 0) {
      this.#backlogSinceMs = NEVER;
      return;
    }
    if (this.#backlogSinceMs === NEVER) this.#backlogSinceMs = this.#parts.clock.nowMs();
    const bound = this.#parts.bounds.backlogBytes;
    const ofStreams = this.#streams?.roomBytes ?? 0;
    if (backlogBytes > bound.value + ofStreams) {
      bound.hits++;
      this.#close('slow-reader');
    } else if (this.#isCrowded && !this.#isPaused) this.#pause();
  }

  /** Too many answers wait in the connection; those of streams, which wait for room themselves, hold up no other query. */
  get #isCrowded(): boolean {
    return this.#output.isBlocked && this.#output.backlogBytes > (this.#streams?.roomBytes ?? 0);
  }

  #onDrain(): void {
    this.#backlogSinceMs = NEVER;
    this.#goOn();
    this.#streams?.drain();
  }

  #pause(): void {
    if (this.#closeReason !== undefined) return;
    if (!this.#parts.counts.pause()) {
      this.#close('overload');
      return;
    }
    this.#isPaused = true;
    this.#waiting ??= new FrameQueue();
    this.#socket.pause();
  }

  #resume(): void {
    this.#isPaused = false;
    this.#parts.counts.resume();
    this.#socket.resume();
  }

  /** After an answer, or when the client has taken all: what was put off because of them is done now. */
  #goOn(): void {
    if (this.#closeReason !== undefined) return;
    if (this.#isPaused && this.#inFlight <= this.#parts.bounds.queries.value / 2 && !this.#isCrowded) {
      this.#resume();
      const nowMs = this.#parts.clock.nowMs();
      this.#idleSinceMs = nowMs;
      if (this.#frameSinceMs !== NEVER) this.#frameSinceMs = nowMs;
      this.#askWaiting();
    }
    this.#endWhenDone();
  }

  /** In which the next pause may begin. */
  #askWaiting(): void {
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    this.#isReading = true;
    while (!this.#isPaused && this.#closeReason === undefined && waiting.shift()) {
      this.#respond(waiting.bytes, waiting.start, waiting.end);
    }
    this.#isReading = false;
    if (!this.#isPaused) this.#waiting = undefined;
    this.#write();
  }

  #end(reason: CloseReason): void {
    if (!this.#isEnding) this.#endReason = reason;
    this.#isEnding = true;
    this.#endWhenDone();
  }

  #endWhenDone(): void {
    // The FIN of a client that is paused may be seen before the last of its queries have been asked.
    if (!this.#isEnding || this.#inFlight > 0 || this.#isPaused || this.#closeReason !== undefined) return;
    this.#write();
    if (!this.#socket.writableEnded) this.#socket.end();
  }

  #close(reason: CloseReason): void {
    if (this.#closeReason !== undefined) return;
    this.#closeReason = reason;
    // With a FIN alone the kernel would keep what the client does not read.
    if (reason === 'slow-reader' || reason === 'overload') this.#socket.resetAndDestroy();
    else this.#socket.destroy();
  }

  #onClose(): void {
    this.#closeReason ??= this.#endReason;
    this.#output.flush();
    this.#waiting = undefined;
    this.#parts.wheel.clear(this);
    if (this.#isPaused) this.#parts.counts.resume();
    this.#isPaused = false;
    this.#streams?.gone();
    this.#owner.onClosed(this, this.#closeReason);
  }
}

function mappedOf(address: string): Uint8Array {
  const mapped = new Uint8Array(MAPPED_BYTES);
  mapAddress(address, mapped);
  return mapped;
}
