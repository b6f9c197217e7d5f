import { type AddressInfo, createServer, isIPv6, type Server, type Socket } from 'node:net';
import type { SocketAddress } from '../config/config.ts';
import { formatSocketAddress } from '../config/socket-address.ts';
import type { Traffic } from '../metrics/traffic.ts';
import type { TrafficTable } from '../metrics/traffic-table.ts';
import { ServerSocket } from '../native/server-socket.ts';
import { CLOSE_REASONS, type CloseReason } from './close-reason.ts';
import type { RefusalReason } from './connection-counts.ts';
import { TcpClient, type TcpOwner } from './tcp-client.ts';
import type { TcpParts } from './tcp-parts.ts';

/** Connections that the kernel completes before we take them: a burst while the loop is busy. It cuts this to net.core.somaxconn. */
const ACCEPT_BACKLOG = 1024;

/** Answers waiting in a connection from which on its queries are not read. */
const HIGH_WATER_BYTES = 64 * 1024;

/** TCP on one address. */
export class TcpListener implements TcpOwner {
  readonly address: SocketAddress;
  readonly traffic: Traffic;
  /** Connections since the start, refused ones not included. */
  accepted = 0;
  /** Connections that the kernel could not hand over: no descriptor left, or gone before they were taken. */
  acceptErrors = 0;
  readonly refused: Record<RefusalReason, number> = { total: 0, client: 0 };
  readonly closed: Record<CloseReason, number>;
  readonly #server: Server;
  readonly #socket: ServerSocket;
  readonly #parts: TcpParts;
  readonly #clients = new Set<TcpClient>();
  readonly #closed: Promise<void>;
  #onEnd: () => void = () => {};
  #isFinishing = false;

  /** Throws what the system said. `adopted`: a socket that listens on the address already, the listener's from now on. */
  static async open(
    address: SocketAddress,
    traffics: TrafficTable,
    parts: TcpParts,
    adopted?: number,
  ): Promise<TcpListener> {
    // Half open: a client that ends its side is still owed its answers. No delay: answers are gathered by us.
    const server = createServer({ allowHalfOpen: true, noDelay: true, highWaterMark: HIGH_WATER_BYTES });
    const socket = new ServerSocket(server, ACCEPT_BACKLOG, parts.libc);
    await socket.open({ ...address, ipv6Only: isIPv6(address.host) }, adopted);
    const { port } = server.address() as AddressInfo;
    return new TcpListener(server, socket, { host: address.host, port }, traffics, parts);
  }

  private constructor(
    server: Server,
    socket: ServerSocket,
    address: SocketAddress,
    traffics: TrafficTable,
    parts: TcpParts,
  ) {
    this.#socket = socket;
    this.address = address;
    this.traffic = traffics.open(`dns://${formatSocketAddress(address)}`, 'tcp', isIPv6(address.host) ? 2 : 1);
    this.closed = Object.fromEntries(CLOSE_REASONS.map((reason) => [reason, 0])) as Record<CloseReason, number>;
    this.#server = server;
    this.#parts = parts;
    this.#closed = new Promise((resolve) => {
      this.#onEnd = resolve;
    });
    server.on('close', () => this.#endWhenEmpty());
    server.on('connection', (socket) => this.#onConnection(socket));
    server.on('error', () => {
      this.acceptErrors++;
    });
  }

  /** Open connections. */
  get connections(): number {
    return this.#clients.size;
  }

  onClosed(client: TcpClient, reason: CloseReason): void {
    this.#parts.counts.release(client.address);
    this.#clients.delete(client);
    this.closed[reason]++;
    this.#endWhenEmpty();
  }

  /** What a successor is given: the listening socket. -1 where it cannot be passed. */
  get descriptor(): number {
    return this.#socket.descriptor;
  }

  /** Accepts no more and keeps the socket, so that another process may accept; connections that are open are served on. */
  pause(): void {
    this.#socket.pause();
  }

  /** Accepts again after `pause`. */
  resume(): Promise<void> {
    return this.#socket.resume();
  }

  /** Accepts no more, answers what is in flight, and ends every connection; done when the clients have closed theirs. */
  finish(): Promise<void> {
    this.#isFinishing = true;
    this.#socket.close();
    for (const client of this.#clients) client.finish();
    this.#endWhenEmpty();
    return this.#closed;
  }

  /** Closes now, and breaks every connection. */
  destroy(): void {
    this.#isFinishing = true;
    this.#socket.close();
    for (const client of this.#clients) client.destroy();
  }

  /** The server says that it is closed before its last sockets do; while another process accepts it says so too. */
  #endWhenEmpty(): void {
    if (this.#isFinishing && !this.#server.listening && this.#clients.size === 0) this.#onEnd();
  }

  #onConnection(socket: Socket): void {
    const address = socket.remoteAddress;
    // Gone already.
    if (address === undefined) {
      this.acceptErrors++;
      socket.destroy();
      return;
    }
    const refusal = this.#parts.counts.admit(address);
    if (refusal !== undefined) {
      this.refused[refusal]++;
      socket.resetAndDestroy();
      return;
    }
    this.accepted++;
    this.#clients.add(new TcpClient(socket, address, this, this.#parts));
  }
}
