import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { FOREVER_MS, SocketChannel } from './channel.ts';
import type { HandoverTimes } from './holdings.ts';
import type { Identity } from './identity.ts';
import { helloOf, identityOf } from './message.ts';

export interface StandbyParts {
  readonly path: string;
  readonly self: Identity;
  readonly passesSockets: boolean;
  readonly protocols: readonly number[];
  readonly times: HandoverTimes;
  /** The one that serves says that what it was given is out of date. */
  onDropped?(): void;
}

/** A process that stands by: it is known to the one that serves, and sees when that one is gone. */
export class Standby {
  readonly #parts: StandbyParts;
  readonly #hasSockets: boolean;
  #channel: SocketChannel | undefined;
  #rank = 0;
  #isEnded = false;
  /** What was dropped here, and nobody was told of yet. */
  #untold: string | undefined;
  #registering: Promise<void> | undefined;
  readonly #onRegistered: () => void;
  /** Resolves when it is known to one that serves. */
  readonly registered: Promise<void>;
  /** The one that serves, when it was last spoken to. */
  incumbent: Identity | undefined;

  constructor(parts: StandbyParts, hasSockets: boolean) {
    this.#parts = parts;
    this.#hasSockets = hasSockets;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.registered = promise;
    this.#onRegistered = resolve;
  }

  /** Makes itself known at the path. Rejects with ECONNREFUSED or ENOENT where nobody serves. */
  register(): Promise<void> {
    // Twice at once would be two places in the line.
    this.#registering ??= this.#register().finally(() => {
      this.#registering = undefined;
    });
    return this.#registering;
  }

  async #register(): Promise<void> {
    const { path, self, passesSockets, protocols, times } = this.#parts;
    const channel = await connectTo(path);
    try {
      await channel.send(helloOf(self, passesSockets, protocols));
      this.incumbent = identityOf(await channel.expect('hello', times.answerMs));
      await channel.send({ message: 'stand-by', hasSockets: this.#hasSockets });
      this.#rank = Number((await channel.expect('noted', times.answerMs))['rank']) || 0;
    } catch (error) {
      channel.close();
      throw error;
    }
    this.#channel = channel;
    if (this.#isEnded) channel.close();
    this.#onRegistered();
    void this.#answer(channel);
    this.#tell();
  }

  /** What is cached at and below a zone is out of date, here and with the one that took it. */
  tellDropped(zone: string): void {
    // Two zones have none in common but the root.
    this.#untold = this.#untold === undefined || this.#untold === zone ? zone : '.';
    this.#tell();
  }

  #tell(): void {
    const zone = this.#untold;
    if (zone === undefined || this.#channel === undefined || this.#channel.isClosed) return;
    this.#untold = undefined;
    // Where it cannot be told it is gone, and the next one that serves is.
    this.#channel.send({ message: 'dropped', zone }).catch(() => this.tellDropped(zone));
  }

  /**
   * Resolves with true when nobody serves any more, and it is this one's turn; with false after `end`. Where the one that was known is gone and another serves, that one is
   * stood by behind.
   */
  async untilAlone(): Promise<boolean> {
    const { times } = this.#parts;
    while (!this.#isEnded) {
      await this.#channel?.closed;
      for (let isFirst = true; !this.#isEnded; isFirst = false) {
        try {
          await this.register();
          break;
        } catch (error) {
          if (!isNobody(error)) await sleep(times.againMs);
          else if (isFirst && this.#rank > 0) await sleep(this.#rank * times.rankMs);
          else return !this.#isEnded;
        }
      }
    }
    return false;
  }

  /** Stands by no more. */
  end(): void {
    this.#isEnded = true;
    this.#channel?.close();
  }

  async #answer(channel: SocketChannel): Promise<void> {
    while (!channel.isClosed) {
      try {
        const { message, rank } = await channel.next(FOREVER_MS);
        if (message === 'noted') this.#rank = Number(rank) || 0;
        else if (message === 'dropped') this.#parts.onDropped?.();
        else if (message === 'ping') await channel.send({ message: 'pong' });
      } catch {
        // Closed; or nothing was said for weeks.
      }
    }
  }
}

/** Rejects with the system's error. */
export async function connectTo(path: string): Promise<SocketChannel> {
  const socket = connect(path);
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  return new SocketChannel(socket);
}

/** Whether an error says that nobody listens at the path. */
export function isNobody(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ECONNREFUSED' || code === 'ENOENT' || code === 'ENOTDIR';
}
