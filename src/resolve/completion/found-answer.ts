import type { EntryMemory } from '../../cache/entry-memory.ts';
import type { AnswerPlace } from '../../wire/cname-answer.ts';
import { FLAG_TC, HEADER_LENGTH, RCODE_NOERROR, RCODE_NXDOMAIN } from '../../wire/constants.ts';
import type { MessageScan } from '../../wire/message-scan.ts';
import { RecordWalk } from '../../wire/record-walk.ts';

/** What a look-up of one type of a name has found. */
export const UNKNOWN = 0;
/** NXDOMAIN. */
export const ABSENT = 1;
/** The name is there, with nothing of this type. */
export const NO_DATA = 2;
export const ADDRESSES = 3;
/** Neither yes nor no. */
export const FAILED = 4;

const NO_BYTES = new Uint8Array(0);

/** An answer where it lies, in the cache or in a message, as what is made of it needs it. One instance is used again for every look-up. */
export class FoundAnswer implements AnswerPlace {
  status = UNKNOWN;
  bytes: Uint8Array = NO_BYTES;
  start = 0;
  questionEnd = 0;
  recordsEnd = 0;
  answers = 0;
  authorities = 0;
  additionals = 0;
  /** The lowest of the records, as it stands in them. */
  ttlSeconds = 0;
  readonly #walk = new RecordWalk();

  /** The cached answer at `at`, asked for `type`. */
  readEntry(memory: EntryMemory, at: number, type: number): void {
    const bodyStart = memory.bodyStart(at);
    this.bytes = memory.bytes;
    this.start = bodyStart - memory.questionLength(at) - HEADER_LENGTH;
    this.questionEnd = bodyStart;
    this.recordsEnd = bodyStart + memory.bodyLength(at);
    this.answers = memory.answers(at);
    this.authorities = memory.authorities(at);
    this.additionals = memory.additionals(at);
    this.ttlSeconds = memory.ttlSeconds(at);
    this.status = this.#statusOf(memory.rcode(at), type);
  }

  /** The message that `scan` has read. */
  readMessage(message: Uint8Array, scan: MessageScan): void {
    this.bytes = message;
    this.start = scan.start;
    this.questionEnd = scan.questionEnd;
    this.recordsEnd = scan.recordsEnd;
    this.answers = scan.answers;
    this.authorities = scan.authorities;
    this.additionals = scan.additionals;
    this.ttlSeconds = scan.minimumTtl;
    this.status = (scan.flags & FLAG_TC) === 0 ? this.#statusOf(scan.rcode, scan.type) : FAILED;
  }

  /** Octets of its records. */
  get recordsLength(): number {
    return this.recordsEnd - this.questionEnd;
  }

  #statusOf(rcode: number, type: number): number {
    if (rcode === RCODE_NXDOMAIN) return ABSENT;
    if (rcode !== RCODE_NOERROR) return FAILED;
    const walk = this.#walk;
    walk.begin(this.questionEnd);
    for (let i = 0; i < this.answers; i++) {
      walk.read(this.bytes, this.recordsEnd);
      if (walk.type === type) return ADDRESSES;
    }
    return NO_DATA;
  }
}
