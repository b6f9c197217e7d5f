import dgram from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import type { SocketAddress } from '../config/config.ts';
import { formatSocketAddress } from '../config/socket-address.ts';
import type { Clock } from '../core/clock.ts';
import { type Limit, UDP_BACKLOG } from '../core/limits.ts';
import type { Traffic } from '../metrics/traffic.ts';
import { mapAddress } from '../native/sockaddr.ts';
import type { Client, ReplySink } from '../resolve/client.ts';
import { ANSWERED, type Responder } from '../resolve/responder.ts';
import { Reply } from '../wire/reply.ts';
import { UDP_RECEIVE_BUFFER_BYTES, type UdpListener, type UdpListenerParts } from './udp-listener.ts';

/** Room for every reply of a usual size; longer ones get a buffer of their own. */
const SCRATCH_BYTES = 4096;

/**
 * UDP on one address through node:dgram: what runs wherever Node does. It answers from the address that it is bound to, so that must be the
 * one that was asked.
 */
export class PortableUdpListener implements UdpListener, Client {
  readonly kind = 'portable';
  readonly isStream = false;
  readonly traffic: Traffic;
  readonly address: SocketAddress;
  readonly receiveBufferBytes: number;
  /** node:dgram cannot tell. */
  readonly kernelDrops = undefined;
  backlogDrops = 0;
  received = 0;
  receiveErrors = 0;
  sendErrors = 0;
  readonly segmented = 0;
  readonly descriptor = -1;
  readonly #socket: dgram.Socket;
  readonly #clock: Clock;
  readonly #responder: Responder;
  readonly #backlog: Limit;
  readonly #reply = new Reply();
  #scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
  #queued = 0;
  #held = 0;
  #port = 0;
  #host = '';
  #isFinishing = false;
  #isClosed = false;
  readonly #closed: Promise<void>;

  /** Throws what the system said. */
  static async open(address: SocketAddress, parts: UdpListenerParts): Promise<PortableUdpListener> {
    const socket = dgram.createSocket(
      isIPv6(address.host)
        ? { type: 'udp6', ipv6Only: true, lookup: lookUpNothing }
        : { type: 'udp4', lookup: lookUpNothing },
    );
    const listening = once(socket, 'listening');
    try {
      socket.bind({ address: address.host, port: address.port, exclusive: true });
      await listening;
    } catch (error) {
      socket.close();
      throw error;
    }
    return new PortableUdpListener(socket, { host: address.host, port: socket.address().port }, parts);
  }

  private constructor(socket: dgram.Socket, address: SocketAddress, parts: UdpListenerParts) {
    this.address = address;
    this.traffic = parts.traffics.open(`dns://${formatSocketAddress(address)}`, 'udp', isIPv6(address.host) ? 2 : 1);
    this.#socket = socket;
    this.#clock = parts.clock;
    this.#responder = parts.responder;
    this.#backlog = parts.backlog ?? UDP_BACKLOG;
    // The kernel cuts it to what net.core.rmem_max allows, and says nothing.
    socket.setRecvBufferSize(UDP_RECEIVE_BUFFER_BYTES);
    this.receiveBufferBytes = socket.getRecvBufferSize();
    this.#closed = new Promise((resolve) => {
      socket.once('close', resolve);
    });
    socket.on('error', () => {
      this.receiveErrors++;
    });
    socket.on('message', (message, peer) => this.#onMessage(message, peer));
  }

  get peer(): string {
    return formatSocketAddress({ host: this.#host, port: this.#port });
  }

  readAddress(target: Uint8Array): void {
    mapAddress(this.#host, target);
  }

  get held(): number {
    return this.#held;
  }

  hold(): ReplySink {
    this.#held++;
    return new UdpSink(this, this.#port, this.#host);
  }

  /** Sends or copies before it returns. Drops the reply where the kernel takes none and the backlog is full. */
  sendTo(reply: Reply, port: number, host: string): void {
    if (this.#isClosed) return;
    if (this.#queued > 0 && this.#socket.getSendQueueCount() >= this.#backlog.value) {
      this.#backlog.hits++;
      this.backlogDrops++;
      return;
    }
    const isLong = reply.length > SCRATCH_BYTES;
    const buffer = isLong ? Buffer.allocUnsafeSlow(reply.length) : this.#scratch;
    this.#socket.send(buffer, 0, reply.copyTo(buffer, 0), port, host);
    const queued = this.#socket.getSendQueueCount();
    // What the kernel did not take at once is read by libuv later: that buffer is not ours any more.
    if (queued > 0 && !isLong) this.#scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
    this.#queued = queued;
  }

  holdStream(): undefined {}

  /** One held message has its answer, or will have none. */
  release(): void {
    this.#held--;
    if (this.#isFinishing && this.#held === 0) this.destroy();
  }

  /** Never needed: node:dgram tells nobody its descriptor, so there is no successor that could read. */
  pause(): void {}

  async resume(): Promise<void> {}

  finish(): Promise<void> {
    this.#isFinishing = true;
    if (this.#held === 0) this.destroy();
    return this.#closed;
  }

  destroy(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#socket.close();
  }

  #onMessage(message: Buffer, peer: dgram.RemoteInfo): void {
    this.received++;
    // Nothing can be sent to port 0, which only a forger writes.
    if (this.#isFinishing || peer.port === 0) return;
    this.#port = peer.port;
    this.#host = peer.address;
    const reply = this.#reply;
    if (this.#responder.respond(message, 0, message.length, this.#clock.nowMs(), this, reply) === ANSWERED) {
      this.sendTo(reply, peer.port, peer.address);
    }
  }
}

/** The sender of one datagram whose answer comes later. */
class UdpSink implements ReplySink {
  readonly #listener: PortableUdpListener;
  readonly #port: number;
  readonly #host: string;

  constructor(listener: PortableUdpListener, port: number, host: string) {
    this.#listener = listener;
    this.#port = port;
    this.#host = host;
  }

  send(reply: Reply): void {
    this.#listener.sendTo(reply, this.#port, this.#host);
    this.#listener.release();
  }

  drop(): void {
    this.#listener.release();
  }
}

/** Peers are addresses, never names. With node's own look-up each `send` would wait for the next tick. */
function lookUpNothing(
  address: string,
  family: unknown,
  callback: (error: null, address: string, family: number) => void,
): void {
  callback(null, address, family as number);
}
