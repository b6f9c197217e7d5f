import { HEADER_LENGTH, RCODE_MASK } from '../wire/constants.ts';
import { equalFolded } from '../wire/name.ts';
import type { Exchange } from './exchange.ts';
import type { RandomIds } from './random-ids.ts';

/** Why a message from an upstream is not taken for a reply. Negative, so that they can stand where a slot would. */
export const BAD_MALFORMED = -1;
export const BAD_ID = -2;
export const BAD_QUESTION = -3;
export const BAD_COOKIE = -4;

/** Drawing another id is cheap while the table is not nearly full. */
const DRAWS = 8;
const NONE = -1;

/**
 * What one connection or socket was asked and has not answered. An id is wholly random; its low bits are the slot, so that no id need be
 * looked up, and the slots are linked in the order of sending, so that the oldest is at hand.
 *
 *   id   | random          | slot |      head ─▶ slot ─▶ slot ─▶ tail
 *        15                        0     (oldest)
 */
export class PendingTable {
  readonly sentMs: Float64Array;
  readonly #exchanges: (Exchange | undefined)[];
  readonly #ids: Uint16Array;
  readonly #next: Int32Array;
  readonly #previous: Int32Array;
  readonly #random: RandomIds;
  readonly #mask: number;
  #tail = NONE;
  /** The slot asked first of those unanswered, or -1. */
  head = NONE;
  /** Slots taken, those included whose exchange is done. */
  size = 0;

  /** `capacity`: a power of two, at most 65,536. 26 bytes for each. */
  constructor(capacity: number, random: RandomIds) {
    this.sentMs = new Float64Array(capacity);
    this.#exchanges = Array.from({ length: capacity }, () => undefined);
    this.#ids = new Uint16Array(capacity);
    this.#next = new Int32Array(capacity);
    this.#previous = new Int32Array(capacity);
    this.#random = random;
    this.#mask = capacity - 1;
  }

  get isFull(): boolean {
    return this.size > this.#mask;
  }

  /** Reserves an id that no other in the table has; -1 where the table is full. */
  take(exchange: Exchange, nowMs: number): number {
    if (this.isFull) return -1;
    let id = this.#random.next();
    for (let draw = 1; draw < DRAWS && this.#isTaken(id); draw++) id = this.#random.next();
    while (this.#isTaken(id)) id = (id & ~this.#mask) | ((id + 1) & this.#mask);
    const slot = id & this.#mask;
    this.#exchanges[slot] = exchange;
    this.#ids[slot] = id;
    this.sentMs[slot] = nowMs;
    this.#previous[slot] = this.#tail;
    this.#next[slot] = NONE;
    if (this.#tail === NONE) this.head = slot;
    else this.#next[this.#tail] = slot;
    this.#tail = slot;
    this.size++;
    return id;
  }

  #isTaken(id: number): boolean {
    return this.#exchanges[id & this.#mask] !== undefined;
  }

  slotOf(id: number): number {
    return id & this.#mask;
  }

  /** What is asked at a slot that is taken. */
  at(slot: number): Exchange {
    return this.#exchanges[slot]!;
  }

  /** The slot asked next after this one, or -1. */
  after(slot: number): number {
    return this.#next[slot]!;
  }

  /**
   * The slot that a message in [start, end) answers: its id, its QR bit, and the very question (the name in any case). One of the
   * negative numbers above where there is none: the message is no reply, and the good one may still come. A server that could not read
   * a question may leave it out of its error; over UDP (`isStream` false) anybody could send that, so it does not count there.
   */
  find(message: Uint8Array, start: number, end: number, isStream: boolean): number {
    if (end - start < HEADER_LENGTH || message[start + 2]! < 0x80) return BAD_MALFORMED;
    const id = (message[start]! << 8) | message[start + 1]!;
    const slot = id & this.#mask;
    if (this.#exchanges[slot] === undefined || this.#ids[slot] !== id) return BAD_ID;
    return this.#compare(slot, message, start, end, isStream);
  }

  /** The same where the transport itself tells which slot a message is for, and its id says nothing. */
  check(slot: number, message: Uint8Array, start: number, end: number): number {
    if (end - start < HEADER_LENGTH || message[start + 2]! < 0x80) return BAD_MALFORMED;
    return this.#compare(slot, message, start, end, true);
  }

  #compare(slot: number, message: Uint8Array, start: number, end: number, isStream: boolean): number {
    const exchange = this.at(slot);
    const questions = (message[start + 4]! << 8) | message[start + 5]!;
    if (questions === 1) return isSameQuestion(exchange, message, start, end) ? slot : BAD_QUESTION;
    const isError = (message[start + 3]! & RCODE_MASK) !== 0;
    return questions === 0 && isStream && isError ? slot : BAD_QUESTION;
  }

  /** Gives a slot free. */
  release(slot: number): void {
    const next = this.#next[slot]!;
    const previous = this.#previous[slot]!;
    if (previous === NONE) this.head = next;
    else this.#next[previous] = next;
    if (next === NONE) this.#tail = previous;
    else this.#previous[next] = previous;
    this.#exchanges[slot] = undefined;
    this.size--;
  }

  /** Gives the oldest free that nobody waits for any more and whose reply, after `lostMs`, will not come. */
  releaseLost(nowMs: number, lostMs: number): void {
    while (this.head !== NONE && this.at(this.head).isDone && nowMs - this.sentMs[this.head]! > lostMs) {
      this.release(this.head);
    }
  }
}

/** Type and class are compared as they are: folded, type 65 would be the letter A. */
function isSameQuestion(exchange: Exchange, message: Uint8Array, start: number, end: number): boolean {
  const asked = exchange.message;
  const nameLength = exchange.questionEnd - 4 - HEADER_LENGTH;
  const at = start + HEADER_LENGTH + nameLength;
  if (at + 4 > end) return false;
  const typeAt = HEADER_LENGTH + nameLength;
  return (
    message[at] === asked[typeAt] &&
    message[at + 1] === asked[typeAt + 1] &&
    message[at + 2] === asked[typeAt + 2] &&
    message[at + 3] === asked[typeAt + 3] &&
    equalFolded(asked, HEADER_LENGTH, message, start + HEADER_LENGTH, nameLength)
  );
}
