import type { NameTest } from '../cache/drops.ts';
import { dnssecBits } from '../cache/key.ts';
import { IN_FLIGHT, REFRESHES, SPARES, WAITERS } from '../core/limits.ts';
import { HEADER_LENGTH } from '../wire/constants.ts';
import { equalFolded, isWithin } from '../wire/name.ts';
import type { QueryView } from '../wire/query.ts';
import type { Client, ReplySink } from './client.ts';
import { Flight, type FlightControl } from './flight.ts';
import { Waiter } from './waiter.ts';
import type { Zone } from './zone.ts';

/** All questions in flight. Identical ones are one flight, whoever began it: a miss, a prefetch or the refresh of something stale. */
export class Flights {
  readonly #shared = new Map<number, Flight>();
  /** Shared as well, but another question with the same key came first: nobody joins them. */
  readonly #unlisted = new Set<Flight>();
  readonly #endedFlights: Flight[] = [];
  readonly #answeredWaiters: Waiter[] = [];
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

  /** Begins a flight; the caller asks upstream. */
  begin(query: QueryView, zone: Zone, key: number, isRefresh: boolean, control: FlightControl): Flight {
    const flight = this.#endedFlights.pop() ?? new Flight(control);
    flight.begin(query, zone, key, isRefresh);
    this.#count++;
    if (isRefresh) this.#refreshes++;
    // Another question with the same key keeps its place; this one is then not joined by others, which only costs a second question.
    if (flight.isShared && !this.#shared.has(key)) {
      this.#shared.set(key, flight);
      flight.isListed = true;
    } else if (flight.isShared) {
      this.#unlisted.add(flight);
    }
    return flight;
  }

  /** The client that asked `query` waits for the flight's end. */
  wait(flight: Flight, query: QueryView, client: Client, sink: ReplySink, nowMs: number): void {
    const waiter = this.#answeredWaiters.pop() ?? new Waiter();
    waiter.begin(query, client, sink, nowMs);
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

  /** Nobody joins it any more. */
  end(flight: Flight): void {
    this.#count--;
    if (flight.isRefresh) this.#refreshes--;
    this.#unlist(flight);
  }

  /**
   * What is being asked about `zone`, an uncompressed name, and below may be answered with what was true before: those who wait get it, but it is not kept,
   * and nobody joins them.
   */
  spoilBelow(zone: Uint8Array): void {
    this.spoilWhere((bytes, start, nameEnd) => isWithin(bytes, start, nameEnd, zone));
  }

  /** The same of the names that are meant, and of aliases of these. */
  spoilWhere(isMeant: NameTest): void {
    for (const flights of [this.#shared.values(), this.#unlisted]) {
      for (const flight of flights) {
        const { target } = flight.zone;
        const isOfTarget = target !== undefined && isMeant(target, 0, target.length);
        if (isOfTarget || isMeant(flight.message, HEADER_LENGTH, flight.questionEnd - 4)) this.spoil(flight);
      }
    }
  }

  /** Nobody joins it, and its answer is not kept. */
  spoil(flight: Flight): void {
    this.#unlist(flight);
    flight.isShared = false;
  }

  #unlist(flight: Flight): void {
    if (flight.isListed) this.#shared.delete(flight.key);
    else if (flight.isShared) this.#unlisted.delete(flight);
    flight.isListed = false;
  }

  /** The waiter has its answer, and its message is needed no more. */
  reuseWaiter(waiter: Waiter): void {
    if (waiter.isUsual && mayKeep(this.#answeredWaiters)) this.#answeredWaiters.push(waiter);
  }

  /** The flight has ended and all who waited have their answers. */
  reuseFlight(flight: Flight): void {
    if (mayKeep(this.#endedFlights)) this.#endedFlights.push(flight);
  }
}

function mayKeep(spare: readonly unknown[]): boolean {
  if (spare.length < SPARES.value) return true;
  SPARES.hits++;
  return false;
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
