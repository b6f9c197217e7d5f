import { dnssecBits } from '../cache/key.ts';
import { IN_FLIGHT, REFRESHES, WAITERS } from '../core/limits.ts';
import { HEADER_LENGTH } from '../wire/constants.ts';
import { equalFolded } from '../wire/name.ts';
import type { QueryView } from '../wire/query.ts';
import type { Flight, Waiter } from './flight.ts';

/** All questions in flight. Identical ones are one flight, whoever began it: a miss, a prefetch or the refresh of something stale. */
export class Flights {
  readonly #shared = new Map<number, Flight>();
  #count = 0;
  #refreshes = 0;
  #waiters = 0;
  /** Clients that joined a flight begun before them. Read by the metrics. */
  coalesced = 0;

  get count(): number {
    return this.#count;
  }

  get waiters(): number {
    return this.#waiters;
  }

  /** The flight that asks what `query` asks, or undefined. */
  find(query: QueryView, key: number): Flight | undefined {
    const flight = this.#shared.get(key);
    return flight !== undefined && isSame(flight, query) ? flight : undefined;
  }

  /** True where another flight may begin; counts it where not. */
  hasRoom(isRefresh: boolean): boolean {
    if (isRefresh && this.#refreshes >= REFRESHES.value) {
      REFRESHES.hits++;
      return false;
    }
    if (this.#count < IN_FLIGHT.value) return true;
    IN_FLIGHT.hits++;
    return false;
  }

  /** True where another client may wait; counts it where not. */
  hasRoomToWait(): boolean {
    if (this.#waiters < WAITERS.value) return true;
    WAITERS.hits++;
    return false;
  }

  begin(flight: Flight): void {
    this.#count++;
    if (flight.isRefresh) this.#refreshes++;
    // Another question with the same key keeps its place; this one is then not joined by others, which only costs a second question.
    if (flight.isShared && !this.#shared.has(flight.key)) this.#shared.set(flight.key, flight);
  }

  wait(flight: Flight, waiter: Waiter): void {
    if (flight.lastWaiter === undefined) flight.firstWaiter = waiter;
    else flight.lastWaiter.next = waiter;
    flight.lastWaiter = waiter;
    this.#waiters++;
  }

  /** Takes the waiter that has waited longest from the flight; undefined where none is left. */
  release(flight: Flight): Waiter | undefined {
    const waiter = flight.firstWaiter;
    if (waiter === undefined) return undefined;
    flight.firstWaiter = waiter.next;
    if (waiter.next === undefined) flight.lastWaiter = undefined;
    this.#waiters--;
    return waiter;
  }

  end(flight: Flight): void {
    this.#count--;
    if (flight.isRefresh) this.#refreshes--;
    if (this.#shared.get(flight.key) === flight) this.#shared.delete(flight.key);
  }
}

function isSame(flight: Flight, query: QueryView): boolean {
  const length = query.questionEnd - query.start;
  if (flight.questionEnd !== length || flight.dnssecBits !== dnssecBits(query.dnssecOk, query.flags)) return false;
  const { message } = flight;
  const codes = length - 4;
  for (let i = 0; i < 4; i++) {
    if (message[codes + i] !== query.bytes[query.nameEnd + i]) return false;
  }
  return equalFolded(message, HEADER_LENGTH, query.bytes, query.start + HEADER_LENGTH, codes - HEADER_LENGTH);
}
