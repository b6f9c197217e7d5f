import type { Reply } from '../../wire/reply.ts';
import type { ReplySink } from '../client.ts';
import { OwnClient } from '../own-client.ts';

/** One look-up of a name that a search path led to: a client asked it under another name. */
export class CandidateAsk extends OwnClient {
  readonly #hold: () => boolean;
  readonly #take: (message: Uint8Array | undefined) => void;

  /** `take` gets a copy of the answer, or undefined where there will be none; `hold`: whether it may wait. Both are called once at the most. */
  constructor(take: (message: Uint8Array | undefined) => void, hold: () => boolean = () => true) {
    super();
    this.#hold = hold;
    this.#take = take;
  }

  override hold(): ReplySink | undefined {
    return this.#hold() ? this : undefined;
  }

  send(reply: Reply): void {
    const message = new Uint8Array(reply.length);
    reply.copyTo(message, 0);
    this.#take(message);
  }

  drop(): void {
    this.#take(undefined);
  }
}
