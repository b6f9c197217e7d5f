import { HEADER_LENGTH, TYPE_CNAME } from './constants.ts';
import { copyBytes } from './copy.ts';
import { RecordWalk } from './record-walk.ts';
import { RecordWriter } from './record-writer.ts';

/** TYPE, CLASS, TTL and RDLENGTH. */
const FIXED_OCTETS = 10;
const NO_BYTES = new Uint8Array(0);

/**
 * An answer where it lies: a header, or twelve octets of anything else, then question and records. `MessageScan` fulfils it, and a cached entry can, whose question has other
 * octets before it. Offsets are absolute.
 */
export interface AnswerPlace {
  readonly start: number;
  readonly questionEnd: number;
  readonly recordsEnd: number;
  readonly answers: number;
  readonly authorities: number;
  readonly additionals: number;
}

/**
 * Makes the answer to one name of the answer to another: a CNAME record that leads from the one to the other, and behind it all that the other got. Any resolver takes
 * that for an answer (RFC 1034, section 3.6.2). One instance is used again for every answer.
 *
 *   | header | question: from, type | from CNAME to | records of to, whose pointers lead to the name in the CNAME |
 */
export class CnameAnswer {
  readonly #walk = new RecordWalk();
  readonly #writer = new RecordWriter();
  #target: Uint8Array = NO_BYTES;
  #toAt = 0;

  /**
   * Writes header, question and CNAME to `target`, from 0 on, where there is room for 65,535 octets; returns their length. That is a whole message, and the answer to whoever asked
   * for the CNAME. `question`: a header, of which all but the counts stands as it is, and a question that ends at `questionEnd`. `to`: uncompressed.
   */
  begin(question: Uint8Array, questionEnd: number, to: Uint8Array, ttlSeconds: number, target: Uint8Array): number {
    this.#target = target;
    const ownerAt = copyBytes(question, 0, questionEnd, target, 0);
    target.fill(0, 6, HEADER_LENGTH);
    target[7] = 1;
    // The owner is the question's name, and the class the question's.
    target[ownerAt] = 0xc0;
    target[ownerAt + 1] = HEADER_LENGTH;
    const typeAt = ownerAt + 2;
    target[typeAt] = TYPE_CNAME >> 8;
    target[typeAt + 1] = TYPE_CNAME;
    target[typeAt + 2] = question[questionEnd - 2]!;
    target[typeAt + 3] = question[questionEnd - 1]!;
    for (let i = 0; i < 4; i++) target[typeAt + 4 + i] = ttlSeconds >>> (24 - 8 * i);
    target[typeAt + 8] = to.length >> 8;
    target[typeAt + 9] = to.length;
    this.#toAt = typeAt + FIXED_OCTETS;
    return copyBytes(to, 0, to.length, target, this.#toAt);
  }

  /**
   * Writes the records of `answer`, which lies in `message` and whose question is the name that the CNAME leads to, behind what `begin` has written up to `at`; returns
   * the length of all, or -1 where there is no room for it.
   */
  append(message: Uint8Array, answer: AnswerPlace, at: number): number {
    this.#walk.begin(answer.questionEnd);
    this.#writer.begin(message, answer.start, answer.questionEnd, answer.recordsEnd, this.#target, this.#toAt);
    at = this.#writeSection(message, answer.recordsEnd, answer.answers, 6, at);
    if (at !== -1) at = this.#writeSection(message, answer.recordsEnd, answer.authorities, 8, at);
    if (at !== -1) at = this.#writeSection(message, answer.recordsEnd, answer.additionals, 10, at);
    this.#writer.finish();
    return at;
  }

  /** The next `count` records, which are counted at `countAt` of the header. */
  #writeSection(message: Uint8Array, recordsEnd: number, count: number, countAt: number, at: number): number {
    const target = this.#target;
    let written = (target[countAt]! << 8) | target[countAt + 1]!;
    for (let i = 0; i < count; i++) {
      this.#walk.read(message, recordsEnd);
      const next = this.#writer.write(this.#walk, at);
      if (next === -1) return -1;
      // A record whose RDATA is not as its type has it is given up.
      if (next !== at) written++;
      at = next;
    }
    target[countAt] = written >> 8;
    target[countAt + 1] = written;
    return at;
  }
}
