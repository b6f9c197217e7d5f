import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { UpstreamAddress } from '../config/config.ts';
import type { Relay, RelayOwner } from './relay.ts';

/** A message over UDP: sent once, on a port that the kernel drew at random, connected so that only the server's own address can answer. */
export class DatagramRelay implements Relay {
  readonly #owner: RelayOwner;
  readonly #socket: Socket;
  #isSent = false;
  #isClosed = false;

  constructor({ host, port, source }: UpstreamAddress, message: Uint8Array, owner: RelayOwner) {
    this.#owner = owner;
    const family = isIPv6(host) ? 6 : 4;
    const socket = createSocket({ type: `udp${family}`, lookup: (name, _options, done) => done(null, name, family) });
    this.#socket = socket;
    // Nobody listens there, says the other end: it has not been taken.
    socket.on('error', (error: NodeJS.ErrnoException) =>
      this.#fail(error, !this.#isSent || error.code === 'ECONNREFUSED'),
    );
    socket.on('message', (bytes) => {
      if (!this.#isClosed) owner.onMessage(bytes, 0, bytes.length);
    });
    socket.on('connect', () => {
      if (this.#isClosed) return;
      this.#isSent = true;
      owner.onSent();
      socket.send(message, (error) => {
        if (error !== null) this.#fail(error, true);
      });
    });
    // What cannot be bound says so in that very call: too soon for the owner.
    process.nextTick(() => {
      if (this.#isClosed) return;
      if (source !== undefined) socket.bind({ address: source, port: 0 }, () => socket.connect(port, host));
      else socket.connect(port, host);
    });
  }

  /** There is never more than one message at a time. */
  resume(): void {}

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#socket.close();
  }

  #fail(error: NodeJS.ErrnoException, isUndelivered: boolean): void {
    if (this.#isClosed) return;
    this.close();
    this.#owner.onClosed(error.code ?? error.message, isUndelivered);
  }
}
