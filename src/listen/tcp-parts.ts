import type { Clock } from '../core/clock.ts';
import { type Limit, TCP_BACKLOG_BYTES, TCP_QUERIES } from '../core/limits.ts';
import type { Portions } from '../core/portions.ts';
import type { TimerWheel } from '../core/timer-wheel.ts';
import type { Libc } from '../native/libc.ts';
import type { Responder } from '../resolve/responder.ts';
import type { ConnectionCounts } from './connection-counts.ts';
import type { OutputBuffers } from './output-buffers.ts';

/** Whose time seemed to be over. */
export interface Closable {
  /** Closes where the time is over still. */
  closeWhenDue(): void;
}

export interface TcpTimes {
  /** From the connection to the end of its first query. */
  readonly firstQueryMs: number;
  /** Without a query, and from a message's first byte to its last one. */
  readonly idleMs: number;
  /** Until the client has taken all that was ready for it. */
  readonly drainMs: number;
}

/** The first two as CoreDNS has them: clients are used to those. */
export const TCP_TIMES: TcpTimes = { firstQueryMs: 3000, idleMs: 10_000, drainMs: 10_000 };

/** Bounds of one connection. */
export interface TcpBounds {
  /** Queries in flight. */
  readonly queries: Limit;
  /** Bytes of answers that the client has not taken yet. */
  readonly backlogBytes: Limit;
}

export const TCP_BOUNDS: TcpBounds = { queries: TCP_QUERIES, backlogBytes: TCP_BACKLOG_BYTES };

/** What all TCP connections share. */
export interface TcpParts {
  /** Without it listening sockets cannot be passed to a successor. */
  readonly libc?: Libc | undefined;
  readonly responder: Responder;
  readonly clock: Clock;
  /** Of coarse ticks: the time limits are seconds. */
  readonly wheel: TimerWheel;
  readonly counts: ConnectionCounts;
  readonly buffers: OutputBuffers;
  /** Connections whose time seems to be over: clients that came together go together, and closing thousands takes a tenth of a second. */
  readonly closings: Portions<Closable>;
  readonly times: TcpTimes;
  readonly bounds: TcpBounds;
}
