import { TCP_CLOSINGS_A_TURN } from '../core/limits.ts';

/** Whose time seemed to be over. */
export interface Closable {
  /** Closes where the time is over still. */
  closeWhenDue(): void;
}

/** Connections whose time is over, a few in a turn of the loop: clients that came together go together, and closing thousands takes a tenth of a second. */
export class DueClosings {
  #due: Closable[] = [];
  #next = 0;
  readonly #closeSome = (): void => {
    const end = Math.min(this.#next + TCP_CLOSINGS_A_TURN.value, this.#due.length);
    while (this.#next < end) this.#due[this.#next++]!.closeWhenDue();
    if (this.#next < this.#due.length) {
      TCP_CLOSINGS_A_TURN.hits++;
      setImmediate(this.#closeSome);
      return;
    }
    this.#due = [];
    this.#next = 0;
  };

  add(connection: Closable): void {
    if (this.#due.push(connection) === 1) setImmediate(this.#closeSome);
  }
}
