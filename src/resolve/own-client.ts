import { Timer } from '../core/timer-wheel.ts';
import type { Traffic } from '../metrics/traffic.ts';
import type { Reply } from '../wire/reply.ts';
import type { Client, ReplySink } from './client.ts';

/** Asks in the agent's own cause, and waits as a client does, who can take answers of any length. No listener counts it. Its timer is for whoever needs one. */
export abstract class OwnClient extends Timer implements Client, ReplySink {
  readonly isStream = true;
  readonly peer = '';
  readonly traffic: Traffic;

  constructor(traffic: Traffic) {
    super();
    this.traffic = traffic;
  }

  /** Nobody's: :: */
  readAddress(target: Uint8Array): void {
    target.fill(0, 0, 16);
  }

  hold(): ReplySink {
    return this;
  }

  holdStream(): undefined {
    return undefined;
  }

  abstract send(reply: Reply): void;
  abstract drop(): void;
  override onTimeout(_nowMs: number): void {}
}
