import { SignpostError } from '../core/errors.ts';
import { type Channel, FOREVER_MS } from './channel.ts';
import type { Identity } from './identity.ts';

/** So long a process that stands by may take to say that it lives: kubelet waits a second. */
const PONG_MS = 800;

/** A process that stands by, seen from the one that serves. */
export class StandbyLink {
  readonly channel: Channel;
  readonly other: Identity;
  /** Whether it can serve at once. */
  readonly hasSockets: boolean;
  readonly #onDropped: (zone: string) => void;
  #rank = -1;
  #pong: PromiseWithResolvers<void> | undefined;

  /** `onDropped`: what it holds, and so what it has given, is out of date at and below a zone. */
  constructor(channel: Channel, other: Identity, hasSockets: boolean, onDropped: (zone: string) => void) {
    this.channel = channel;
    this.other = other;
    this.hasSockets = hasSockets;
    this.#onDropped = onDropped;
    void this.#listen();
  }

  /** Its place in the line. */
  note(rank: number): void {
    if (rank === this.#rank) return;
    this.#rank = rank;
    void this.channel.send({ message: 'noted', rank }).catch(() => {});
  }

  /** Resolves when it has said that it lives; rejects where it does not within a second. Calls that come together are one. */
  async ping(): Promise<void> {
    this.#pong ??= this.#ask();
    await this.#pong.promise;
  }

  /** What it holds is out of date. The kernel has the message when this returns: that it comes does not depend on whether this process lives on. */
  spoil(): void {
    this.channel.send({ message: 'dropped' }).catch(() => {});
  }

  #ask(): PromiseWithResolvers<void> {
    const pong = Promise.withResolvers<void>();
    const late = new SignpostError('ERR_HANDOVER_SILENT', `nothing was said for ${PONG_MS} ms`);
    const timer = setTimeout(() => pong.reject(late), PONG_MS);
    this.channel.send({ message: 'ping' }).catch(pong.reject);
    const end = (): void => {
      clearTimeout(timer);
      this.#pong = undefined;
    };
    pong.promise.then(end, end);
    return pong;
  }

  async #listen(): Promise<void> {
    while (!this.channel.isClosed) {
      try {
        const { message, zone } = await this.channel.next(FOREVER_MS);
        if (message === 'pong') this.#pong?.resolve();
        else if (message === 'dropped') this.#onDropped(typeof zone === 'string' ? zone : '.');
      } catch (error) {
        // Closed; or nothing was said for weeks.
        if (this.channel.isClosed) this.#pong?.reject(error);
      }
    }
  }
}
