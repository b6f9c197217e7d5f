import { randomInt } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { formatSocketAddress } from '../config/socket-address.ts';
import { SELF_QUESTION } from '../wire/self-question.ts';
import type { Proof } from './liveness.ts';
import type { UdpListener } from './udp-listener.ts';

/**
 * Asks a UDP listener from a socket of its own, which hears nobody but that address: pods can fill the listener's buffer, and not this one.
 * An answer alone is no proof, for without the switch another gives it: the listener must have read as well.
 */
export class OwnDatagrams implements Proof {
  readonly address: string;
  readonly #listener: UdpListener;
  readonly #question = Uint8Array.from(SELF_QUESTION);
  #id = randomInt(65_536);
  #socket: Socket | undefined;
  #isAnswered = false;
  #received: number;
  #drops: number | undefined;

  constructor(listener: UdpListener) {
    this.address = `${formatSocketAddress(listener.address)} UDP`;
    this.#listener = listener;
    this.#received = listener.received;
    this.#drops = listener.kernelDrops;
  }

  get isLive(): boolean {
    return this.hasShown;
  }

  get hasShown(): boolean {
    const { received, kernelDrops } = this.#listener;
    // Where the kernel dropped some, the question may be among them.
    const mayBeLost = kernelDrops === undefined || kernelDrops !== this.#drops;
    return received !== this.#received && (this.#isAnswered || mayBeLost);
  }

  get isLedAway(): boolean {
    return this.#isAnswered && this.#listener.received === this.#received;
  }

  ask(): void {
    this.#received = this.#listener.received;
    this.#drops = this.#listener.kernelDrops;
    // Its address may have gone and come again since it was connected.
    if (!this.#isAnswered) this.close();
    this.#isAnswered = false;
    this.#id = (this.#id + 1) & 0xffff;
    this.#question[0] = this.#id >> 8;
    this.#question[1] = this.#id & 0xff;
    if (this.#socket === undefined) this.#connect();
    else this.#socket.send(this.#question);
  }

  close(): void {
    this.#socket?.close();
    this.#socket = undefined;
  }

  #connect(): void {
    const { host, port } = this.#listener.address;
    const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
    this.#socket = socket;
    // No answer is what tells of it.
    socket.on('error', () => {});
    socket.on('message', (reply) => {
      if (reply.length > 2 && reply.readUInt16BE(0) === this.#id) this.#isAnswered = true;
    });
    socket.unref();
    socket.connect(port, host, (...errors: unknown[]) => {
      if (errors[0] === undefined && this.#socket === socket) socket.send(this.#question);
    });
  }
}
