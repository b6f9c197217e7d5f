import type { Exchange } from './exchange.ts';
import type { PendingTable } from './pending.ts';

/** What a framing tells its connection. */
export interface FramingOwner {
  readonly pending: PendingTable;
  /** The reply to what was asked at `slot`; the bytes are valid during the call only. */
  onMessage(slot: number, bytes: Uint8Array, start: number, end: number): void;
  /** One of the BAD_ numbers. */
  onBadReply(reason: number): void;
  /** What was asked at `slot` gets no answer here. `reason` is undefined where nothing is wrong with the server and it may be asked again. */
  onRefused(slot: number, reason: string | undefined): void;
  /** How long the server keeps an idle connection. */
  onKeepalive(timeoutMs: number): void;
  /** The server takes no more questions on this connection, and still answers. */
  onLastQuestion(): void;
  /** The server wants no questions for so long. */
  onPause(pauseMs: number): void;
  /** What came is not what is spoken here. */
  onBroken(reason: string): void;
}

/** How queries and replies lie in a stream: `dns-framing.ts` for TCP and TLS, `doh-framing.ts` for HTTP/2. */
export interface StreamFraming {
  /** Bytes that wait here or in the socket. */
  readonly backlog: number;
  /** The stream is there: what waits may leave. */
  open(): void;
  /** Takes one query under an id of the pending table; it leaves at the end of the tick. False: too long. */
  add(exchange: Exchange, id: number): boolean;
  /** Takes what came in [start, end), whatever its borders. */
  read(bytes: Uint8Array, start: number, end: number): void;
}
