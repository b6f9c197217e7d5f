import type { Limit } from './limits.ts';

/**
 * Work in portions: so many pieces in a turn of the loop, the others in the next ones, in their order. In between, what has come meanwhile is
 * read and answered. A turn that had more than its portion counts as a hit of the limit.
 */
export class Portions<T> {
  readonly #bound: Limit;
  readonly #begin: (piece: T) => void;
  /** Those before `#next` have begun. */
  #waiting: T[] = [];
  #next = 0;
  /** Room in this turn. */
  #left: number;
  #isTurnAwaited = false;
  readonly #onTurn = (): void => this.#beginTurn();

  /** `begin` may not throw. */
  constructor(bound: Limit, begin: (piece: T) => void) {
    this.#bound = bound;
    this.#begin = begin;
    this.#left = bound.value;
  }

  /** Begins the piece at once where this turn has room. */
  add(piece: T): void {
    this.#awaitTurn();
    const isFirstToWait = this.#waiting.length === 0;
    if (this.#left === 0 || !isFirstToWait) {
      if (isFirstToWait) this.#bound.hits++;
      this.#waiting.push(piece);
      return;
    }
    this.#left--;
    this.#begin(piece);
  }

  /** Begins the piece in the next turn at the soonest, when what waits to be read has been. */
  defer(piece: T): void {
    this.#awaitTurn();
    this.#waiting.push(piece);
  }

  /** All that wait begin now. */
  flush(): void {
    for (let i = this.#next; i < this.#waiting.length; i++) this.#begin(this.#waiting[i]!);
    this.#forget();
  }

  #awaitTurn(): void {
    if (this.#isTurnAwaited) return;
    this.#isTurnAwaited = true;
    setImmediate(this.#onTurn);
  }

  #beginTurn(): void {
    this.#isTurnAwaited = false;
    const waiting = this.#waiting;
    const end = Math.min(this.#next + this.#bound.value, waiting.length);
    this.#left = this.#bound.value - (end - this.#next);
    if (this.#next === end) return;
    this.#awaitTurn();
    while (this.#next < end) this.#begin(waiting[this.#next++]!);
    if (this.#next < waiting.length) this.#bound.hits++;
    else this.#forget();
  }

  #forget(): void {
    this.#waiting = [];
    this.#next = 0;
  }
}
