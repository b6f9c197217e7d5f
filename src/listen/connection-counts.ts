import { type Limit, TCP_CONNECTIONS, TCP_CONNECTIONS_PER_CLIENT, TCP_PAUSED } from '../core/limits.ts';

/** Why a connection is refused: all of them together are too many, or those of one address are. */
export type RefusalReason = 'total' | 'client';

export interface ConnectionBounds {
  readonly total: Limit;
  readonly perClient: Limit;
  readonly paused: Limit;
}

const BOUNDS: ConnectionBounds = {
  total: TCP_CONNECTIONS,
  perClient: TCP_CONNECTIONS_PER_CLIENT,
  paused: TCP_PAUSED,
};

/** The open connections of all TCP listeners, by the client's address. */
export class ConnectionCounts {
  readonly #bounds: ConnectionBounds;
  readonly #byAddress = new Map<string, number>();
  #total = 0;
  #paused = 0;

  constructor(bounds: ConnectionBounds = BOUNDS) {
    this.#bounds = bounds;
  }

  get total(): number {
    return this.#total;
  }

  /** Addresses that have a connection open. */
  get clients(): number {
    return this.#byAddress.size;
  }

  get paused(): number {
    return this.#paused;
  }

  /** Counts a connection, for which `release` must follow; or says why there must be none. */
  admit(address: string): RefusalReason | undefined {
    const { total, perClient } = this.#bounds;
    if (this.#total >= total.value) {
      total.hits++;
      return 'total';
    }
    const count = this.#byAddress.get(address) ?? 0;
    if (count >= perClient.value) {
      perClient.hits++;
      return 'client';
    }
    this.#byAddress.set(address, count + 1);
    this.#total++;
    return undefined;
  }

  release(address: string): void {
    this.#total--;
    const count = this.#byAddress.get(address)! - 1;
    if (count === 0) this.#byAddress.delete(address);
    else this.#byAddress.set(address, count);
  }

  /** Counts a connection that is not read for now, for which `resume` must follow; false where there are too many such. */
  pause(): boolean {
    if (this.#paused >= this.#bounds.paused.value) {
      this.#bounds.paused.hits++;
      return false;
    }
    this.#paused++;
    return true;
  }

  resume(): void {
    this.#paused--;
  }
}
