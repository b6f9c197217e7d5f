import { DEPARTURES_A_TURN } from '../core/limits.ts';

/** What begins in its turn. */
export interface Departing {
  depart(): void;
}

/**
 * Lets so many questions leave in a turn of the loop; the others leave in the next ones, in their order. In between, what has come meanwhile is
 * read, so that hits do not wait behind misses.
 */
export class Departures {
  /** Those before `#next` have left. */
  #waiting: Departing[] = [];
  #next = 0;
  /** In this turn. */
  #left = 0;
  #isTurnSeen = false;
  readonly #onTurn = (): void => this.#beginTurn();

  /** At once where this turn has room. */
  add(departing: Departing): void {
    if (this.#left >= DEPARTURES_A_TURN.value) {
      DEPARTURES_A_TURN.hits++;
      this.#waiting.push(departing);
      return;
    }
    this.#left++;
    this.#awaitTurn();
    departing.depart();
  }

  /** All that wait leave now. */
  flush(): void {
    for (let i = this.#next; i < this.#waiting.length; i++) this.#waiting[i]!.depart();
    this.#waiting = [];
    this.#next = 0;
  }

  #awaitTurn(): void {
    if (this.#isTurnSeen) return;
    this.#isTurnSeen = true;
    setImmediate(this.#onTurn);
  }

  #beginTurn(): void {
    this.#isTurnSeen = false;
    const waiting = this.#waiting;
    const end = Math.min(this.#next + DEPARTURES_A_TURN.value, waiting.length);
    this.#left = end - this.#next;
    if (this.#left === 0) return;
    this.#awaitTurn();
    while (this.#next < end) waiting[this.#next++]!.depart();
    if (this.#next < this.#waiting.length) return;
    this.#waiting = [];
    this.#next = 0;
  }
}
