import type { SocketAddress } from '../config/config.ts';
import type { Clock } from '../core/clock.ts';
import { TCP_CLOSINGS_A_TURN } from '../core/limits.ts';
import { type Logger, silentLogger } from '../core/logger.ts';
import { Portions } from '../core/portions.ts';
import { Alarm, type TimerWheel } from '../core/timer-wheel.ts';
import type { TrafficTable } from '../metrics/traffic-table.ts';
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
}

/** UDP and TCP on one address. */
interface Pair {
  readonly udp: UdpListener;
  readonly tcp: TcpListener;
}

/** A port that is free for TCP may be taken for UDP; of 28,000 ports two are rarely taken in a row. */
const FREE_PORT_TRIES = 20;

/** Every socket that queries come in on. */
export class Listeners {
  readonly udp: readonly UdpListener[];
  readonly tcp: readonly TcpListener[];
  readonly counts: ConnectionCounts;
  readonly buffers: OutputBuffers;
  readonly #wheel: TimerWheel;

  /**
   * Opens UDP and TCP on every address, or none: throws `ConfigError` for an address that cannot be served and `StartError` for one
   * that cannot be had. Port 0 becomes a port that is free for both.
   */
  static async open(addresses: readonly SocketAddress[], parts: ListenersParts): Promise<Listeners> {
    const log = parts.log ?? silentLogger;
    const udp = await UdpOpener.choose(log, parts.udpKinds);
    for (const address of addresses) udp.expectServable(address);
    if (parts.connectionBounds === undefined) fitToDescriptors(log);
    const tcpParts: TcpParts = {
      responder: parts.responder,
      clock: parts.clock,
      wheel: parts.wheel,
      counts: new ConnectionCounts(parts.connectionBounds),
      buffers: new OutputBuffers(),
      closings: new Portions<Closable>(TCP_CLOSINGS_A_TURN, (connection) => connection.closeWhenDue()),
      times: parts.times ?? TCP_TIMES,
      bounds: parts.bounds ?? TCP_BOUNDS,
    };
    const pairs: Pair[] = [];
    try {
      for (const address of addresses) pairs.push(await openPair(address, udp, parts, tcpParts));
    } catch (error) {
      for (const pair of pairs) await Promise.all([close(pair.udp), close(pair.tcp)]);
      throw error;
    }
    return new Listeners(pairs, tcpParts);
  }

  private constructor(pairs: readonly Pair[], parts: TcpParts) {
    this.udp = pairs.map((pair) => pair.udp);
    this.tcp = pairs.map((pair) => pair.tcp);
    this.counts = parts.counts;
    this.buffers = parts.buffers;
    this.#wheel = parts.wheel;
  }

  /** What is listened on, in the order of the configuration, with the ports that 0 became. */
  get addresses(): SocketAddress[] {
    return this.tcp.map((listener) => listener.address);
  }

  /** Takes no more queries, answers those in flight for up to `graceMs`, then closes whatever is left. */
  async close({ graceMs = 2000 }: { graceMs?: number } = {}): Promise<void> {
    const all = [...this.udp, ...this.tcp];
    const deadline = new Alarm(() => {
      for (const listener of all) listener.destroy();
    });
    this.#wheel.set(deadline, graceMs);
    await Promise.all(all.map((listener) => listener.finish()));
    this.#wheel.clear(deadline);
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
      tcp = await TcpListener.open(address, parts.traffics, tcpParts);
    } catch (error) {
      throw await explainBindError(error, address, 'TCP');
    }
    try {
      return { tcp, udp: await udp.open(tcp.address, parts) };
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
