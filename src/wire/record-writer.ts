import { HEADER_LENGTH, MAX_MESSAGE_LENGTH } from './constants.ts';
import { skipName } from './name.ts';
import { NameWriter } from './name-writer.ts';
import { firstNameIn, namesIn } from './rdata-names.ts';
import type { RecordWalk } from './record-walk.ts';

/** TYPE, CLASS and TTL. */
const FIXED_OCTETS = 8;
const NO_BYTES = new Uint8Array(0);

/**
 * Writes records of one message into another, in which they come to lie elsewhere: what points to a name that moved points to where it is now. One instance is used
 * again for every message.
 */
export class RecordWriter {
  readonly #names = new NameWriter();
  #message: Uint8Array = NO_BYTES;
  #start = 0;
  #end = 0;
  #target: Uint8Array = NO_BYTES;

  /**
   * From the message in [start, end), whose question ends at `questionEnd`, to `target`, a message that begins at 0 and has room for 65,535 octets. `nameAt`: where
   * the name of that question stands in it.
   */
  begin(
    message: Uint8Array,
    start: number,
    questionEnd: number,
    end: number,
    target: Uint8Array,
    nameAt = HEADER_LENGTH,
  ): void {
    this.#message = message;
    this.#start = start;
    this.#end = end;
    this.#target = target;
    this.#names.begin(questionEnd - start, nameAt);
  }

  /** Lets go of both messages. */
  finish(): void {
    this.#message = NO_BYTES;
    this.#target = NO_BYTES;
  }

  /**
   * Writes the record that `record` has read, in the order of the message. The offset after it; `at` where its RDATA is not as its type has it, and it is given up; -1
   * where there is no room.
   */
  write(record: RecordWalk, at: number): number {
    const message = this.#message;
    const target = this.#target;
    const { ownerAt, typeAt, type, rdataAt } = record;
    const typeTo = this.#names.write(message, this.#start, ownerAt, this.#end, target, at, MAX_MESSAGE_LENGTH);
    const rdataTo = typeTo + FIXED_OCTETS + 2;
    if (typeTo === -1 || rdataTo > MAX_MESSAGE_LENGTH) return -1;
    for (let i = 0; i < FIXED_OCTETS; i++) target[typeTo + i] = message[typeAt + i]!;
    const next = namesIn(type) === 0 ? this.copy(rdataAt, record.end, rdataTo) : this.#writeRdata(record, rdataTo);
    if (next === -1) return -1;
    if (next === rdataTo && record.end !== rdataAt) {
      this.#names.forgetFrom(at);
      return at;
    }
    target[rdataTo - 2] = (next - rdataTo) >> 8;
    target[rdataTo - 1] = next - rdataTo;
    return next;
  }

  /** Copies octets as they are; returns the offset after them, or -1 where there is no room. */
  copy(from: number, end: number, at: number): number {
    if (at + end - from > MAX_MESSAGE_LENGTH) return -1;
    this.#target.set(this.#message.subarray(from, end), at);
    return at + end - from;
  }

  /** RDATA with names in it; returns `at` where they are malformed. */
  #writeRdata({ type, rdataAt, end }: RecordWalk, at: number): number {
    const message = this.#message;
    let offset = firstNameIn(message, type, rdataAt, end);
    if (offset === -1) return at;
    let to = this.copy(rdataAt, offset, at);
    for (let i = namesIn(type); i > 0 && to !== -1; i--) {
      const after = skipName(message, offset, end);
      if (after < 0) return at;
      const next = this.#names.write(message, this.#start, offset, this.#end, this.#target, to, MAX_MESSAGE_LENGTH);
      if (next === -1) return at;
      to = next;
      offset = after;
    }
    return to === -1 ? -1 : this.copy(offset, end, to);
  }
}
