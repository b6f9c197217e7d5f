import type { SocketAddress } from '../config/config.ts';
import type { Clock } from '../core/clock.ts';
import { TCP_CLOSINGS_A_TURN } from '../core/limits.ts';
import { type Logger, silentLogger } from '../core/logger.ts';
import { Portions } from '../core/portions.ts';
import { Alarm, type TimerWheel } from '../core/timer-wheel.ts';
import type { TrafficTable } from '../metrics/traffic-table.ts';
import { type Libc, loadLibc } from '../native/libc.ts';
import type { Responder } from '../resolve/responder.ts';
import { bindErrorCode, explainBindError } from './bind-error.ts';
import { type ConnectionBounds, ConnectionCounts } from './connection-counts.ts';
import { fitToDescriptors } from './descriptor-limit.ts';
import { OutputBuffers } from './output-buffers.ts';
import { TcpListener } from './tcp.ts';
import { type Closable, TCP_BOUNDS, TCP_TIMES, type TcpBounds, type TcpParts, type TcpTimes } from './tcp-parts.ts';
import type { UdpKind, UdpListener } from './udp-listener.ts';
import { UdpOpener } from './udp-opener.ts';

export interface ListenersParts {
  readonly responder: Responder;
  readonly traffics: TrafficTable;
  readonly clock: Clock;
  /** Of coarse ticks (250 ms): its time limits are seconds. */
  readonly wheel: TimerWheel;
  /** Memory that most answers' records lie in; see `UdpListenerParts`. */
  readonly slab?: Uint8Array<ArrayBuffer>;
  readonly log?: Logger;
  /** What is tried for UDP, in order. */
  readonly udpKinds?: readonly UdpKind[];
  readonly times?: TcpTimes;
  readonly bounds?: TcpBounds;
  readonly connectionBounds?: ConnectionBounds;
  /** Sockets of a predecessor, bound already. Each is asked for once, and the listeners' from then on; undefined: bind it. */
  readonly adopt?: (protocol: 'udp' | 'tcp', address: SocketAddress) => number | undefined;
}

/** A socket as a successor is given it. */
export interface PassedSocket {
  readonly protocol: 'udp' | 'tcp';
  readonly address: SocketAddress;
  readonly descriptor: number;
}

/** UDP and TCP on one address. */
interface Pair {
  readonly udp: UdpListener;
  readonly tcp: TcpListener;
}

/** A port that is free for TCP may be taken for UDP; of 28,000 ports two are rarely taken in a row. */
const FREE_PORT_TRIES = 20;

/** How long those who were asking wait before the addresses are free. */
const YIELD_GRACE_MS = 1000;

/** Every socket that queries come in on. */
export class Listeners {
  /** Filled anew after `yield`. */
  readonly udp: UdpListener[] = [];
  readonly tcp: TcpListener[] = [];
  readonly counts: ConnectionCounts;
  readonly buffers: OutputBuffers;
  readonly #opener: UdpOpener;
  readonly #parts: ListenersParts;
  readonly #tcpParts: TcpParts;
  /** After `yield`; undefined: all is open, or closed. */
  #opening: Promise<void> | undefined;

  /**
   * Opens UDP and TCP on every address, or none: throws `ConfigError` for an address that cannot be served and `StartError` for one
   * that cannot be had. Port 0 becomes a port that is free for both.
   */
  static async open(addresses: readonly SocketAddress[], parts: ListenersParts): Promise<Listeners> {
    const log = parts.log ?? silentLogger;
    const opener = await UdpOpener.choose(log, parts.udpKinds);
    for (const address of addresses) opener.expectServable(address);
    if (parts.connectionBounds === undefined) fitToDescriptors(log);
    const libc = opener.kind === 'portable' ? undefined : await loadLibc();
    const listeners = new Listeners(opener, parts, libc);
    await listeners.#open(addresses);
    return listeners;
  }

  private constructor(opener: UdpOpener, parts: ListenersParts, libc: Libc | undefined) {
    this.#opener = opener;
    this.#parts = parts;
    this.#tcpParts = {
      libc,
      responder: parts.responder,
      clock: parts.clock,
      wheel: parts.wheel,
      counts: new ConnectionCounts(parts.connectionBounds),
      buffers: new OutputBuffers(),
      closings: new Portions<Closable>(TCP_CLOSINGS_A_TURN, (connection) => connection.closeWhenDue()),
      times: parts.times ?? TCP_TIMES,
      bounds: parts.bounds ?? TCP_BOUNDS,
    };
    this.counts = this.#tcpParts.counts;
    this.buffers = this.#tcpParts.buffers;
  }

  /** What is listened on, in the order of the configuration, with the ports that 0 became. */
  get addresses(): SocketAddress[] {
    return this.tcp.map((listener) => listener.address);
  }

  /** Every socket, for a successor; undefined where this platform cannot pass them. They stay ours: it gets copies. */
  get passedSockets(): PassedSocket[] | undefined {
    const sockets = [
      ...this.udp.map(({ address, descriptor }) => ({ protocol: 'udp' as const, address, descriptor })),
      ...this.tcp.map(({ address, descriptor }) => ({ protocol: 'tcp' as const, address, descriptor })),
    ];
    return sockets.length === 0 || sockets.some(({ descriptor }) => descriptor === -1) ? undefined : sockets;
  }

  /** Reads and accepts nothing more, and keeps the sockets for `resume`: a successor reads. What is in flight is answered, connections are served on. */
  pause(): void {
    for (const listener of [...this.udp, ...this.tcp]) listener.pause();
  }

  /** The successor is gone. */
  async resume(): Promise<void> {
    await Promise.all([...this.udp, ...this.tcp].map((listener) => listener.resume()));
  }

  /** Frees the addresses for another process, which binds them itself. Returns what binds them again: it rejects where they cannot be had. */
  async yield(): Promise<() => Promise<void>> {
    const { addresses } = this;
    await this.close({ graceMs: YIELD_GRACE_MS });
    return () => {
      this.#opening = this.#open(addresses).finally(() => {
        this.#opening = undefined;
      });
      return this.#opening;
    };
  }

  /** Takes no more queries, answers those in flight for up to `graceMs`, then closes whatever is left. */
  async close({ graceMs = 2000 }: { graceMs?: number } = {}): Promise<void> {
    // What is about to be bound again must not stay.
    if (this.#opening !== undefined) await this.#opening.catch(() => {});
    const all = [...this.udp, ...this.tcp];
    const deadline = new Alarm(() => {
      for (const listener of all) listener.destroy();
    });
    const { wheel } = this.#parts;
    wheel.set(deadline, graceMs);
    await Promise.all(all.map((listener) => listener.finish()));
    wheel.clear(deadline);
  }

  /** All or none. */
  async #open(addresses: readonly SocketAddress[]): Promise<void> {
    const pairs: Pair[] = [];
    try {
      for (const address of addresses) pairs.push(await openPair(address, this.#opener, this.#parts, this.#tcpParts));
    } catch (error) {
      for (const pair of pairs) await Promise.all([close(pair.udp), close(pair.tcp)]);
      throw error;
    }
    this.udp.splice(0, this.udp.length, ...pairs.map((pair) => pair.udp));
    this.tcp.splice(0, this.tcp.length, ...pairs.map((pair) => pair.tcp));
  }
}

async function openPair(
  address: SocketAddress,
  udp: UdpOpener,
  parts: ListenersParts,
  tcpParts: TcpParts,
): Promise<Pair> {
  for (let tries = 1; ; tries++) {
    let tcp: TcpListener;
    try {
      tcp = await TcpListener.open(address, parts.traffics, tcpParts, parts.adopt?.('tcp', address));
    } catch (error) {
      throw await explainBindError(error, address, 'TCP');
    }
    try {
      return { tcp, udp: await udp.open(tcp.address, { ...parts, adopted: parts.adopt?.('udp', tcp.address) }) };
    } catch (error) {
      await close(tcp);
      const isTaken = bindErrorCode(error) === 'EADDRINUSE';
      if (address.port !== 0 || !isTaken || tries === FREE_PORT_TRIES) {
        throw await explainBindError(error, tcp.address, 'UDP');
      }
    }
  }
}

async function close(listener: UdpListener | TcpListener): Promise<void> {
  const closed = listener.finish();
  listener.destroy();
  await closed;
}
