import type { Channel } from './channel.ts';
import type { Identity } from './identity.ts';

/** So long a process that stands by may take to say that it lives: kubelet waits a second. */
const PONG_MS = 800;

/** A process that stands by, seen from the one that serves. */
export class StandbyLink {
  readonly channel: Channel;
  readonly other: Identity;
  /** Whether it can serve at once. */
  readonly hasSockets: boolean;
  #rank = -1;
  #pong: Promise<unknown> | undefined;

  constructor(channel: Channel, other: Identity, hasSockets: boolean) {
    this.channel = channel;
    this.other = other;
    this.hasSockets = hasSockets;
  }

  /** Its place in the line. */
  note(rank: number): void {
    if (rank === this.#rank) return;
    this.#rank = rank;
    void this.channel.send({ message: 'noted', rank }).catch(() => {});
  }

  /** Resolves when it has said that it lives; rejects where it does not within a second. Calls that come together are one. */
  async ping(): Promise<void> {
    this.#pong ??= this.#ask().finally(() => {
      this.#pong = undefined;
    });
    await this.#pong;
  }

  async #ask(): Promise<void> {
    await this.channel.send({ message: 'ping' });
    await this.channel.expect('pong', PONG_MS);
  }
}
