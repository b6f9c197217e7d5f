import type { SocketAddress } from '../config/config.ts';
import type { Clock } from '../core/clock.ts';
import type { Limit } from '../core/limits.ts';
import type { Logger } from '../core/logger.ts';
import type { TrafficTable } from '../metrics/traffic-table.ts';
import type { Responder } from '../resolve/responder.ts';

/** A burst while the loop is busy: 4 MiB are about 5,000 small datagrams at the 768 B that the kernel books for each. */
export const UDP_RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024;

/**
 * How datagrams come in, from the best on:
 *   batched        64 a system call, when libuv says that there are some
 *   batched-dgram  the same, but a node:dgram socket on the descriptor takes the first one and so says that there are more
 *   portable       one by one through node:dgram
 */
export type UdpKind = 'batched' | 'batched-dgram' | 'portable';

export interface UdpListenerParts {
  readonly responder: Responder;
  readonly clock: Clock;
  readonly traffics: TrafficTable;
  readonly log?: Logger;
  /** Datagrams that wait for the kernel to take them. */
  readonly backlog?: Limit;
  /** Memory that most answers' records lie in; it changes in the callbacks of upstreams only. Without it answers are copied. */
  readonly slab?: Uint8Array<ArrayBuffer> | undefined;
  /** A socket that is bound to the address already; the listener's to close, also where it cannot be opened on it. */
  readonly adopted?: number | undefined;
}

/** UDP on one address. What it counts is read by the metrics. */
export interface UdpListener {
  readonly kind: UdpKind;
  readonly address: SocketAddress;
  /** What the kernel granted, its own bookkeeping included: Linux reports twice what may be used. */
  readonly receiveBufferBytes: number;
  /** Datagrams that the kernel threw away because nobody read them in time; undefined where it is not known. */
  readonly kernelDrops: number | undefined;
  /** Replies dropped because `backlog` was full. */
  readonly backlogDrops: number;
  /** Datagrams that were read. */
  readonly received: number;
  /** Errors that the kernel reported instead of a datagram. */
  readonly receiveErrors: number;
  /** Answers that the kernel refused for good. */
  readonly sendErrors: number;
  /** Answers that left in one piece with others to the same client, cut by the kernel. */
  readonly segmented: number;
  /** Messages whose answer is still to come. */
  readonly held: number;
  /** What a successor is given: the socket itself. -1: this kind cannot pass it. */
  readonly descriptor: number;
  /** Reads no more and keeps the socket, so that another process may read; what is in flight is answered. Nothing where the socket cannot be passed. */
  pause(): void;
  /** Reads again after `pause`. */
  resume(): Promise<void>;
  /** Takes no more messages, answers those it has, and closes. */
  finish(): Promise<void>;
  /** Closes now; answers that are still to come are dropped. */
  destroy(): void;
}
