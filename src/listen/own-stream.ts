import { connect, type Socket } from 'node:net';
import { formatSocketAddress } from '../config/socket-address.ts';
import { SELF_QUESTION } from '../wire/self-question.ts';
import type { Proof } from './liveness.ts';
import type { TcpListener } from './tcp.ts';

/** The question behind its length (RFC 1035, section 4.2.2). */
const FRAME = Buffer.from([0, SELF_QUESTION.length, ...SELF_QUESTION]);

/** So many looks may pass before an answer: an agent with little CPU time takes long to accept and answer, and lives. */
const PATIENCE = 3;

/**
 * Asks a TCP listener now and then, over a connection of its own; what it has shown holds until it is asked again. An answer alone is no proof, for without the switch
 * another gives it: the listener must have accepted as well.
 */
export class OwnStream implements Proof {
  readonly address: string;
  readonly #listener: TcpListener;
  readonly #every: number;
  #asksLeft = 0;
  #waited = 0;
  #socket: Socket | undefined;
  #isConnected = false;
  #isAnswered = false;
  #accepted = 0;
  #refused = 0;

  /** Asks with every so many calls of `ask`. */
  constructor(listener: TcpListener, every: number) {
    this.address = `${formatSocketAddress(listener.address)} TCP`;
    this.#listener = listener;
    this.#every = every;
  }

  get hasShown(): boolean {
    // Clients have all places, and so the listener lives.
    if (this.#socket === undefined || this.#refusals !== this.#refused) return true;
    // Where we still stand in the queue it is enough that it moves.
    return this.#listener.accepted !== this.#accepted && (this.#isAnswered || !this.#isConnected);
  }

  get isLive(): boolean {
    return this.hasShown || (this.#waited < PATIENCE && !this.isLedAway);
  }

  get isLedAway(): boolean {
    return this.#socket !== undefined && this.#isAnswered && this.#listener.accepted === this.#accepted;
  }

  ask(): void {
    const { hasShown, isLedAway } = this;
    if (!hasShown && !isLedAway && ++this.#waited % PATIENCE !== 0) return;
    if (hasShown || isLedAway) this.#waited = 0;
    this.close();
    if (!hasShown || --this.#asksLeft <= 0) this.#connect();
  }

  close(): void {
    this.#socket?.destroy();
    this.#socket = undefined;
  }

  get #refusals(): number {
    const { client, total } = this.#listener.refused;
    return client + total;
  }

  #connect(): void {
    this.#asksLeft = this.#every;
    this.#isConnected = false;
    this.#isAnswered = false;
    this.#accepted = this.#listener.accepted;
    this.#refused = this.#refusals;
    const { host, port } = this.#listener.address;
    const socket = connect({ host, port });
    this.#socket = socket;
    socket.unref();
    // No answer is what tells of it.
    socket.on('error', () => {});
    socket.on('connect', () => {
      this.#isConnected = true;
      socket.write(FRAME);
    });
    socket.on('data', () => {
      this.#isAnswered = true;
      socket.destroy();
    });
  }
}
