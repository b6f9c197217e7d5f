import { Traffic } from '../metrics/traffic.ts';
import type { Reply } from '../wire/reply.ts';
import type { Client, ReplySink } from './client.ts';

/** No listener's: what is asked here, a client has asked under another name. */
const UNCOUNTED = new Traffic();

/** One look-up of a name that a search path led to: it waits for the answer as a client does, over a stream. */
export class CandidateAsk implements Client, ReplySink {
  readonly isStream = true;
  readonly peer = '';
  readonly traffic = UNCOUNTED;
  readonly #hold: () => boolean;
  readonly #take: (message: Uint8Array | undefined) => void;

  /** `take` gets a copy of the answer, or undefined where there will be none; `hold`: whether it may wait. Both are called once at the most. */
  constructor(take: (message: Uint8Array | undefined) => void, hold: () => boolean = () => true) {
    this.#take = take;
    this.#hold = hold;
  }

  hold(): ReplySink | undefined {
    return this.#hold() ? this : undefined;
  }

  holdStream(): undefined {
    return undefined;
  }

  readAddress(target: Uint8Array): void {
    target.fill(0, 0, 16);
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
