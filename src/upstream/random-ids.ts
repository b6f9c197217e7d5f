import { randomFillSync } from 'node:crypto';

/** 4 KiB: one call of the generator for 2,048 numbers. */
const POOL = 2048;

/** Message ids and the choice of ports from a cryptographic generator (RFC 5452, section 9.2), drawn in bulk: a call each would cost more than the query. */
export class RandomIds {
  readonly #pool = new Uint16Array(POOL);
  #at = POOL;

  /** 0 to 65,535. */
  next(): number {
    if (this.#at === POOL) {
      randomFillSync(this.#pool);
      this.#at = 0;
    }
    return this.#pool[this.#at++]!;
  }
}
