import {
  HEADER_LENGTH,
  MAX_MESSAGE_LENGTH,
  RCODE_MASK,
  TYPE_A,
  TYPE_AAAA,
  TYPE_CNAME,
  TYPE_OPT,
  TYPE_PTR,
  TYPE_SIG,
  TYPE_SOA,
  TYPE_TSIG,
} from './constants.ts';
import { expandedLength, skipName, skipPlainName } from './name.ts';

/** Records that the longest message has room for: root owner (1) and type, class, TTL and RDLENGTH (10) each. */
export const MOST_RECORDS = Math.floor((MAX_MESSAGE_LENGTH - HEADER_LENGTH) / 11);
const NO_TTL = 0xffffffff;
const POINTER = 0xc0;
const NO_BYTES = new Uint8Array(0);

/**
 * What there is to know about an upstream's reply, from one pass over its records. One instance is used again for every reply; its fields
 * hold until the next `scan`.
 *
 *   start          questionEnd                          recordsEnd   optEnd
 *   | header | question | answer | authority | additional | OPT | TSIG |
 *                       `------------- body --------------´
 *
 * OPT and a signature are hop by hop and not kept. Where OPT is not last (`optOffset < recordsEnd`), it lies inside the body: `ReplyTrim`
 * first, then scan again.
 */
export class MessageScan {
  /** The message lies in [start, end). */
  start = 0;
  end = 0;
  flags = 0;
  /** Of the question; 0 where there is none. */
  type = 0;
  class = 0;
  /** Absolute, as `recordsEnd`, the offset after the last record that is kept. */
  questionEnd = 0;
  recordsEnd = 0;
  answers = 0;
  authorities = 0;
  /** Without OPT, TSIG and SIG(0). */
  additionals = 0;
  /** Where the TTLs of all kept records lie, relative to `questionEnd`. */
  readonly ttlOffsets = new Uint16Array(MOST_RECORDS);
  ttlCount = 0;
  /** Seconds, the lowest over all kept records; one with the top bit set counts as 0 (RFC 2181, section 8). 0xffffffff where there are none. */
  minimumTtl = NO_TTL;
  /**
   * Runs of two or more records of the answer that may change places, as triples: offset relative to `questionEnd`, length of one record, count. They are A or
   * AAAA with equal owner and length; or PTR with equal owner and names without pointers, the last records of the body, so that nothing points to them: of
   * different lengths, for which 0 stands.
   */
  readonly groups = new Uint16Array(3 * (MOST_RECORDS >> 1));
  /** Triples in `groups`. */
  groupCount = 0;
  /**
   * All kept records stand in the answer, under the question's own name, with the type and class that were asked: nothing in the message can be foreign
   * to the question.
   */
  isPlain = false;
  /** The answer has a record of the type that was asked. */
  hasAsked = false;
  /** A CNAME in the answer. */
  hasCname = false;
  /** An SOA in the authority section, with its TTL and MINIMUM in seconds. */
  hasSoa = false;
  soaTtl = 0;
  soaMinimum = 0;
  hasOpt = false;
  /** The high 8 bits of the RCODE, shifted to their place; 0 without OPT. */
  extendedRcode = 0;
  /** All 12 bits. */
  rcode = 0;
  udpSize = 512;
  dnssecOk = false;
  optionsStart = 0;
  optionsEnd = 0;
  /** Absolute; -1 without OPT. */
  optOffset = -1;
  optEnd = -1;
  /** TSIG or SIG(0) as the last record. */
  isSigned = false;

  #message: Uint8Array = NO_BYTES;
  // The record that was read last: where it starts, its type field, and its end.
  #ownerAt = 0;
  #typeAt = 0;
  #recordEnd = 0;
  #recordType = 0;
  #recordTtl = 0;

  /** Reads the message in [start, end), at most 65,535 octets. False where it is malformed; the fields are not to be used then. */
  scan(message: Uint8Array, start: number, end: number): boolean {
    this.#reset(message, start, end);
    if (end - start < HEADER_LENGTH || end - start > MAX_MESSAGE_LENGTH) return false;
    this.flags = this.#read16(start + 2);
    this.answers = this.#read16(start + 6);
    this.authorities = this.#read16(start + 8);
    const isWhole =
      this.#scanQuestion() &&
      this.#scanAnswers(this.answers) &&
      this.#scanAuthorities(this.authorities) &&
      this.#scanAdditionals(this.#read16(start + 10));
    if (this.authorities + this.additionals > 0) {
      this.isPlain = false;
      if (this.groupCount > 0 && this.groups[this.groupCount * 3 - 2] === 0) this.groupCount--;
    }
    this.rcode = this.extendedRcode | (this.flags & RCODE_MASK);
    this.#message = NO_BYTES;
    return isWhole;
  }

  #reset(message: Uint8Array, start: number, end: number): void {
    this.#message = message;
    this.start = start;
    this.end = end;
    this.type = 0;
    this.class = 0;
    this.additionals = 0;
    this.ttlCount = 0;
    this.minimumTtl = NO_TTL;
    this.groupCount = 0;
    this.isPlain = false;
    this.hasAsked = false;
    this.hasCname = false;
    this.hasSoa = false;
    this.soaTtl = 0;
    this.soaMinimum = 0;
    this.hasOpt = false;
    this.extendedRcode = 0;
    this.udpSize = 512;
    this.dnssecOk = false;
    this.optionsStart = 0;
    this.optionsEnd = 0;
    this.optOffset = -1;
    this.optEnd = -1;
    this.isSigned = false;
  }

  #scanQuestion(): boolean {
    const start = this.start;
    const count = this.#read16(start + 4);
    let questionEnd = start + HEADER_LENGTH;
    if (count === 1) {
      const nameEnd = skipPlainName(this.#message, questionEnd, this.end);
      if (nameEnd < 0 || nameEnd + 4 > this.end) return false;
      this.type = this.#read16(nameEnd);
      this.class = this.#read16(nameEnd + 2);
      questionEnd = nameEnd + 4;
    } else if (count > 1) {
      return false;
    }
    this.questionEnd = questionEnd;
    this.recordsEnd = questionEnd;
    this.#recordEnd = questionEnd;
    return true;
  }

  #scanAnswers(count: number): boolean {
    const groups = this.groups;
    // The run that is being read.
    let runType = 0;
    let runStart = 0;
    let runLength = 0;
    let runCount = 0;
    let isPlain = this.questionEnd > this.start + HEADER_LENGTH;
    for (let i = 0; i < count; i++) {
      if (!this.#readRecord() || !this.#keep()) return false;
      const type = this.#recordType;
      const ownerAt = this.#ownerAt;
      if (type === TYPE_CNAME) this.hasCname = true;
      if (type === this.type) this.hasAsked = true;
      if (isPlain) isPlain = type === this.type && this.#isOfQuestion();
      const isAddress = type === TYPE_A || type === TYPE_AAAA;
      const mayMove = isAddress || (type === TYPE_PTR && this.#hasPlainTarget());
      // Of PTR records the lengths do not count: that of a run is 0.
      const length = isAddress ? this.#recordEnd - ownerAt : 0;
      if (mayMove && type === runType && length === runLength && this.#hasOwnerOf(runStart)) {
        runCount++;
        const at = this.groupCount * 3;
        groups[at] = runStart - this.questionEnd;
        groups[at + 1] = runLength;
        groups[at + 2] = runCount;
      } else {
        if (runCount > 1 && runType !== TYPE_PTR) this.groupCount++;
        runType = mayMove ? type : 0;
        runStart = ownerAt;
        runLength = length;
        runCount = 1;
      }
    }
    if (runCount > 1) this.groupCount++;
    this.isPlain = isPlain;
    return true;
  }

  #scanAuthorities(count: number): boolean {
    for (let i = 0; i < count; i++) {
      if (!this.#readRecord() || !this.#keep()) return false;
      if (this.#recordType === TYPE_SOA && !this.hasSoa && !this.#readSoa()) return false;
    }
    return true;
  }

  #scanAdditionals(count: number): boolean {
    for (let i = 0; i < count; i++) {
      if (!this.#readRecord()) return false;
      const type = this.#recordType;
      if (type === TYPE_OPT) {
        if (this.hasOpt || !this.#readOpt()) return false;
      } else if (type === TYPE_TSIG || (type === TYPE_SIG && this.#coversNothing())) {
        // A signature comes last (RFC 8945, section 5.1; RFC 2931, section 3.1).
        if (i !== count - 1) return false;
        this.isSigned = true;
      } else {
        if (!this.#keep()) return false;
        this.additionals++;
      }
    }
    return true;
  }

  /** Reads the record after the last one. False where it does not lie inside the message or its owner is malformed. */
  #readRecord(): boolean {
    const message = this.#message;
    const end = this.end;
    const ownerAt = this.#recordEnd;
    let typeAt: number;
    if (ownerAt < end && message[ownerAt]! >= POINTER) {
      typeAt = ownerAt + 2;
      // Most owners are the question's name.
      const isQuestion =
        typeAt <= end &&
        message[ownerAt] === POINTER &&
        message[ownerAt + 1] === HEADER_LENGTH &&
        this.questionEnd > this.start + HEADER_LENGTH;
      if (!isQuestion && expandedLength(message, this.start, ownerAt, end) < 0) return false;
    } else {
      typeAt = skipName(message, ownerAt, end);
      if (typeAt < 0) return false;
      // What has no pointer at its end has been checked whole.
      if (message[typeAt - 2]! >= POINTER && expandedLength(message, this.start, ownerAt, end) < 0) return false;
    }
    if (typeAt + 10 > end) return false;
    const recordEnd = typeAt + 10 + this.#read16(typeAt + 8);
    if (recordEnd > end) return false;
    this.#ownerAt = ownerAt;
    this.#typeAt = typeAt;
    this.#recordEnd = recordEnd;
    this.#recordType = this.#read16(typeAt);
    return true;
  }

  /** Notes the TTL of the record just read, which belongs to the body. False for what belongs only to the additional section. */
  #keep(): boolean {
    const type = this.#recordType;
    if (type === TYPE_OPT || type === TYPE_TSIG) return false;
    const ttlAt = this.#typeAt + 4;
    const ttl = this.#readTtl(ttlAt);
    this.ttlOffsets[this.ttlCount++] = ttlAt - this.questionEnd;
    this.#recordTtl = ttl;
    if (ttl < this.minimumTtl) this.minimumTtl = ttl;
    this.recordsEnd = this.#recordEnd;
    return true;
  }

  #readSoa(): boolean {
    const rdataEnd = this.#recordEnd;
    const mnameEnd = skipName(this.#message, this.#typeAt + 10, rdataEnd);
    const rnameEnd = mnameEnd < 0 ? -1 : skipName(this.#message, mnameEnd, rdataEnd);
    // SERIAL, REFRESH, RETRY, EXPIRE and MINIMUM, four octets each.
    if (rnameEnd < 0 || rnameEnd + 20 > rdataEnd) return false;
    this.hasSoa = true;
    this.soaTtl = this.#recordTtl;
    this.soaMinimum = this.#readTtl(rnameEnd + 16);
    return true;
  }

  #readOpt(): boolean {
    const typeAt = this.#typeAt;
    if (typeAt !== this.#ownerAt + 1) return false;
    this.hasOpt = true;
    this.udpSize = Math.max(this.#read16(typeAt + 2), 512);
    this.extendedRcode = this.#message[typeAt + 4]! << 4;
    this.dnssecOk = (this.#message[typeAt + 6]! & 0x80) !== 0;
    this.optionsStart = typeAt + 10;
    this.optionsEnd = this.#recordEnd;
    this.optOffset = this.#ownerAt;
    this.optEnd = this.#recordEnd;
    return true;
  }

  /** Whether the SIG record just read signs the message, not records (RFC 2931, section 3). */
  #coversNothing(): boolean {
    const rdataAt = this.#typeAt + 10;
    return rdataAt + 2 <= this.#recordEnd && this.#read16(rdataAt) === 0;
  }

  /** Whether the record just read has a pointer to the question as its owner, and the question's class. */
  #isOfQuestion(): boolean {
    const at = this.#ownerAt;
    return (
      this.#message[at] === POINTER &&
      this.#message[at + 1] === HEADER_LENGTH &&
      this.#read16(this.#typeAt + 2) === this.class
    );
  }

  /** Whether the PTR record just read leads to a name without pointers. */
  #hasPlainTarget(): boolean {
    return skipPlainName(this.#message, this.#typeAt + 10, this.#recordEnd) === this.#recordEnd;
  }

  /** Whether the record just read has the same owner and class, octet by octet, as the one at `offset`, which has the same type. */
  #hasOwnerOf(offset: number): boolean {
    const message = this.#message;
    const length = this.#typeAt + 4 - this.#ownerAt;
    for (let i = 0; i < length; i++) {
      if (message[offset + i] !== message[this.#ownerAt + i]) return false;
    }
    return true;
  }

  #read16(offset: number): number {
    return (this.#message[offset]! << 8) | this.#message[offset + 1]!;
  }

  #readTtl(offset: number): number {
    const ttl = (this.#read16(offset) << 16) | this.#read16(offset + 2);
    return ttl < 0 ? 0 : ttl;
  }
}
