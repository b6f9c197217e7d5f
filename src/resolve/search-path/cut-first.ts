import type { AnswerCache } from '../../cache/answer-cache.ts';
import type { Clock } from '../../core/clock.ts';
import { HELD_A_TURN } from '../../core/limits.ts';
import { Portions } from '../../core/portions.ts';
import type { TimerWheel } from '../../core/timer-wheel.ts';
import { FLAG_AA, FLAG_QR, FLAG_RA, HEADER_LENGTH, MAX_NAME_LENGTH, RCODE_NXDOMAIN } from '../../wire/constants.ts';
import { copyBytes } from '../../wire/copy.ts';
import type { QueryView } from '../../wire/query.ts';
import type { Flight } from '../flight.ts';
import type { Flights } from '../flights.ts';
import { OwnClient } from '../own-client.ts';
import { CUT_ABSENT, type Cuts } from './cuts.ts';
import { SoaRecord } from './soa-record.ts';

/** A cluster DNS answers within a few milliseconds; one that does not must not keep clients twice. */
const PATIENCE_MS = 250;
const BY_CUT = { label: 'cut' };

export interface CutFirstParts {
  cache: AnswerCache;
  clock: Clock;
  cuts: Cuts;
  flights: Flights;
  wheel: TimerWheel;
}

/**
 * The way out of a flight by the name above its own: that one's NXDOMAIN is its answer, and whatever else comes, or nothing in time, sends it on to the upstream. Answers are given in
 * turns of their own, as `Following` does.
 */
export class CutFirst {
  /** Questions that were not asked upstream in the end. Read by the metrics. */
  answered = 0;
  readonly #parts: CutFirstParts;
  readonly #soa = new SoaRecord();
  readonly #message = new Uint8Array(HEADER_LENGTH + MAX_NAME_LENGTH + 4 + this.#soa.bytes.length);
  readonly #turns = new Portions<Held>(HELD_A_TURN, (held) => this.#goOn(held));
  readonly #ask = (held: Held): void => this.#askItself(held);

  constructor(parts: CutFirstParts) {
    this.#parts = parts;
  }

  /** `flight` waits for `asked`, the flight of the cut that begins at `at` of its message, with the question `cut`. There must be room to wait. */
  hold(flight: Flight, at: number, asked: Flight, cut: QueryView, nowMs: number): void {
    const { flights, wheel } = this.#parts;
    const held = new Held(flight, at, this.#turns, this.#ask);
    flights.wait(asked, cut, held, held, nowMs);
    wheel.set(held, PATIENCE_MS);
  }

  #goOn(held: Held): void {
    if (held.isOver) return;
    const { cache, clock, cuts, flights, wheel } = this.#parts;
    const { flight, at } = held;
    const nowMs = clock.nowMs();
    const nameEnd = flight.questionEnd - 4;
    const isAbsent =
      cuts.look(flight.message, at, nameEnd, nowMs) === CUT_ABSENT && this.#soa.take(cache.memory, cuts.entry);
    const { entry } = cuts;
    if (!isAbsent || cuts.hasRecords(flight.message, HEADER_LENGTH, nameEnd, flight.zone, nowMs, false)) {
      this.#askItself(held);
      return;
    }
    held.isOver = true;
    wheel.clear(held);
    this.answered++;
    const seconds = Math.ceil((cache.memory.freshUntilMs(entry) - nowMs) / 1000);
    const length = this.#write(flight, cache.memory.flags(entry) & FLAG_AA, seconds);
    // What the cut answers is not kept under every name below it: it goes when the cut goes.
    flights.spoil(flight);
    flight.onAnswer(this.#message, 0, length, BY_CUT);
  }

  #askItself(held: Held): void {
    held.isOver = true;
    this.#parts.wheel.clear(held);
    held.flight.zone.forwarder!.ask(held.flight);
  }

  /** The answer that the flight's name does not exist; returns its length. */
  #write({ message, questionEnd }: Flight, authoritative: number, seconds: number): number {
    const answer = this.#message;
    const recordAt = copyBytes(message, 0, questionEnd, answer, 0);
    const flags = FLAG_QR | FLAG_RA | authoritative;
    answer[2]! |= flags >> 8;
    answer[3] = (flags & 0xff) | RCODE_NXDOMAIN;
    answer.fill(0, 6, HEADER_LENGTH);
    answer[9] = 1;
    const length = copyBytes(this.#soa.bytes, 0, this.#soa.length, answer, recordAt);
    const ttlAt = recordAt + this.#soa.ttlOffsets[0]!;
    for (let i = 0; i < 4; i++) answer[ttlAt + i] = seconds >>> (24 - 8 * i);
    return length;
  }
}

/** A flight that waits for another's answer, as a client does. */
class Held extends OwnClient {
  readonly flight: Flight;
  readonly at: number;
  /** The flight is on its way, or has ended, and is no more for this. */
  isOver = false;
  readonly #turns: Portions<Held>;
  readonly #ask: (held: Held) => void;

  constructor(flight: Flight, at: number, turns: Portions<Held>, ask: (held: Held) => void) {
    super();
    this.flight = flight;
    this.at = at;
    this.#turns = turns;
    this.#ask = ask;
  }

  /** What it says is in the cache, if it is to be believed. */
  send(): void {
    if (!this.isOver) this.#turns.defer(this);
  }

  drop(): void {
    if (!this.isOver) this.#turns.defer(this);
  }

  override onTimeout(): void {
    if (!this.isOver) this.#ask(this);
  }
}
