import { MAX_MESSAGE_LENGTH } from './constants.ts';
import type { MessageScan } from './message-scan.ts';
import { skipName } from './name.ts';
import { NameWriter } from './name-writer.ts';
import { firstNameIn, namesIn } from './rdata-names.ts';
import { RecordWalk } from './record-walk.ts';
import { Relevance } from './relevance.ts';

/** TYPE, CLASS and TTL. */
const FIXED_OCTETS = 8;
const NO_BYTES = new Uint8Array(0);

/**
 * Leaves out of a reply what does not belong to its question, and brings OPT to the end where it stands among the records. Most replies are as they should be, and
 * are not touched. One instance is used again for every reply.
 */
export class ReplyTrim {
  readonly relevance = new Relevance();
  readonly #names = new NameWriter();
  readonly #walk = new RecordWalk();
  #message: Uint8Array = NO_BYTES;
  #target: Uint8Array = NO_BYTES;
  #scan!: MessageScan;

  /**
   * 0 where the reply that `scan` has read is to be used as it is; else the length of what was written to `target`, a whole message with the same header,
   * question and OPT, to be scanned again; -1 where it cannot be written. The reply repeats its question. `target` has room for 65,535 octets.
   */
  trim(message: Uint8Array, scan: MessageScan, dnssecOk: boolean, wantsAaaa: boolean, target: Uint8Array): number {
    const { relevance } = this;
    relevance.judge(message, scan, dnssecOk, wantsAaaa);
    const isOptInside = scan.optOffset !== -1 && scan.optOffset < scan.recordsEnd;
    if (relevance.isChainLong) relevance.kept.fill(1, 0, scan.ttlCount);
    if (relevance.foreign + relevance.unwanted === 0 && !isOptInside) return 0;
    this.#message = message;
    this.#target = target;
    this.#scan = scan;
    const end = this.#writeAll();
    this.#message = NO_BYTES;
    this.#target = NO_BYTES;
    return end;
  }

  #writeAll(): number {
    const scan = this.#scan;
    const target = this.#target;
    const questionLength = scan.questionEnd - scan.start;
    target.set(this.#message.subarray(scan.start, scan.questionEnd));
    this.#names.begin(questionLength);
    this.#walk.begin(scan.questionEnd);
    let at = this.#writeSection(questionLength, 6, 0, scan.answers);
    if (at !== -1) at = this.#writeSection(at, 8, scan.answers, scan.authorities);
    if (at !== -1) at = this.#writeSection(at, 10, scan.answers + scan.authorities, scan.additionals);
    return at === -1 || !scan.hasOpt ? at : this.#writeOpt(at);
  }

  /** Writes the records of a section, `first` of the message being its first one, and their count into the header; returns the offset after them, or -1. */
  #writeSection(at: number, countAt: number, first: number, length: number): number {
    const { kept } = this.relevance;
    let count = 0;
    for (let i = first; i < first + length; i++) {
      this.#walk.read(this.#message, this.#scan.end);
      if (this.#walk.ownerAt === this.#scan.optOffset) this.#walk.read(this.#message, this.#scan.end);
      if (kept[i] !== 1) continue;
      const next = this.#writeRecord(at);
      if (next === -1) return -1;
      // A record whose RDATA is not as its type has it is given up.
      if (next !== at) count++;
      at = next;
    }
    this.#target[countAt] = count >> 8;
    this.#target[countAt + 1] = count;
    return at;
  }

  /** The offset after the record; `at` where its RDATA is malformed; -1 where there is no room. */
  #writeRecord(at: number): number {
    const message = this.#message;
    const target = this.#target;
    const { start, end } = this.#scan;
    const { ownerAt, typeAt, type, rdataAt } = this.#walk;
    const typeTo = this.#names.write(message, start, ownerAt, end, target, at, MAX_MESSAGE_LENGTH);
    const rdataTo = typeTo + FIXED_OCTETS + 2;
    if (typeTo === -1 || rdataTo > MAX_MESSAGE_LENGTH) return -1;
    for (let i = 0; i < FIXED_OCTETS; i++) target[typeTo + i] = message[typeAt + i]!;
    const next = namesIn(type) === 0 ? this.#copy(rdataAt, this.#walk.end, rdataTo) : this.#writeRdata(rdataTo);
    if (next === -1) return -1;
    if (next === rdataTo && this.#walk.end !== rdataAt) {
      this.#names.forgetFrom(at);
      return at;
    }
    target[rdataTo - 2] = (next - rdataTo) >> 8;
    target[rdataTo - 1] = next - rdataTo;
    return next;
  }

  /** RDATA with names in it; returns `at` where they are malformed. */
  #writeRdata(at: number): number {
    const message = this.#message;
    const { start } = this.#scan;
    const { type, rdataAt, end } = this.#walk;
    let offset = firstNameIn(message, type, rdataAt, end);
    if (offset === -1) return at;
    let to = this.#copy(rdataAt, offset, at);
    for (let i = namesIn(type); i > 0 && to !== -1; i--) {
      const after = skipName(message, offset, end);
      if (after < 0) return at;
      const next = this.#names.write(message, start, offset, this.#scan.end, this.#target, to, MAX_MESSAGE_LENGTH);
      if (next === -1) return at;
      to = next;
      offset = after;
    }
    return to === -1 ? -1 : this.#copy(offset, end, to);
  }

  #copy(from: number, end: number, at: number): number {
    if (at + end - from > MAX_MESSAGE_LENGTH) return -1;
    this.#target.set(this.#message.subarray(from, end), at);
    return at + end - from;
  }

  #writeOpt(at: number): number {
    const { optOffset, optEnd } = this.#scan;
    const target = this.#target;
    const additionals = ((target[10]! << 8) | target[11]!) + 1;
    target[10] = additionals >> 8;
    target[11] = additionals;
    return this.#copy(optOffset, optEnd, at);
  }
}
