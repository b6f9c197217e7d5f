import { Timer } from '../core/timer-wheel.ts';
import { Traffic } from '../metrics/traffic.ts';
import type { Reply } from '../wire/reply.ts';
import type { Client, ReplySink } from './client.ts';

/** No listener's: what is asked here is counted where a client asks it, or was asked under another name. */
const UNCOUNTED = new Traffic();

/** Asks in the agent's own cause, and waits as a client does, who can take answers of any length. No listener counts it. Its timer is for whoever needs one. */
export abstract class OwnClient extends Timer implements Client, ReplySink {
  readonly isStream = true;
  readonly peer = '';
  readonly traffic = UNCOUNTED;

  /** Nobody's: :: */
  readAddress(target: Uint8Array): void {
    target.fill(0, 0, 16);
  }

  hold(): ReplySink | undefined {
    return this;
  }

  holdStream(): undefined {
    return undefined;
  }

  abstract send(reply: Reply): void;
  abstract drop(): void;
  override onTimeout(_nowMs: number): void {}
}
