import type { Traffic } from '../../metrics/traffic.ts';
import type { Client } from '../client.ts';

/** Stands for a client that gets something else where its answer is not at hand: it never waits, and so nothing is asked for it. */
export class HastyClient implements Client {
  readonly isStream: boolean;
  readonly traffic: Traffic;
  readonly #client: Client;

  constructor(client: Client) {
    this.isStream = client.isStream;
    this.traffic = client.traffic;
    this.#client = client;
  }

  get peer(): string {
    return this.#client.peer;
  }

  readAddress(target: Uint8Array): void {
    this.#client.readAddress(target);
  }

  hold(): undefined {
    return undefined;
  }

  holdStream(): undefined {
    return undefined;
  }
}
