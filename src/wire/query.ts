import {
  FLAG_QR,
  HEADER_LENGTH,
  OPCODE_MASK,
  TYPE_MAILA,
  TYPE_OPT,
  TYPE_SIG,
  TYPE_TKEY,
  TYPE_TSIG,
} from './constants.ts';
import { skipName, skipPlainName } from './name.ts';

export const QUERY_OK = 0;
/** Not a query that may be answered at all: under 12 octets, or a response. */
export const QUERY_DROP = 1;
export const QUERY_FORMERR = 2;
/** Another opcode, a signed message, TKEY or a transfer: what only a relay of bytes serves. */
export const QUERY_RELAY = 3;
export const QUERY_BADVERS = 4;

/** Without OPT, and the least that any client must take (RFC 6891, section 6.2.3). */
const LEAST_UDP_SIZE = 512;
const NO_BYTES = new Uint8Array(0);

/**
 * A client's message, read in place: fields are offsets into the message's own bytes and hold until the next `read`. One instance is used
 * again for every message.
 */
export class QueryView {
  bytes: Uint8Array = NO_BYTES;
  /** The message lies in [start, end). */
  start = 0;
  end = 0;
  /** Header octets 2 and 3. */
  flags = 0;
  /** Offset after the question's name, which is never compressed. 0 where there is no readable question: the reply is a header only. */
  nameEnd = 0;
  questionEnd = 0;
  type = 0;
  class = 0;
  /** See `hashName`. */
  nameHash = 0;
  hasOpt = false;
  ednsVersion = 0;
  /** Octets that the client takes over UDP, never below 512. */
  udpSize = LEAST_UDP_SIZE;
  dnssecOk = false;
  /** The options of OPT lie in [optionsStart, optionsEnd). */
  optionsStart = 0;
  optionsEnd = 0;
  readonly #seed: number;

  /** `seed`: a secret 32-bit number, so that nobody outside can make names that collide. */
  constructor(seed: number) {
    this.#seed = seed | 0;
  }

  /** Reads the message in [start, end); returns one of the QUERY_ numbers. Fields that could be read are set whichever it is, but for QUERY_DROP. */
  read(bytes: Uint8Array, start: number, end: number): number {
    if (end - start < HEADER_LENGTH) return QUERY_DROP;
    const flags = (bytes[start + 2]! << 8) | bytes[start + 3]!;
    if ((flags & FLAG_QR) !== 0) return QUERY_DROP;
    this.bytes = bytes;
    this.start = start;
    this.end = end;
    this.flags = flags;
    this.nameEnd = 0;
    this.questionEnd = 0;
    this.type = 0;
    this.class = 0;
    this.nameHash = 0;
    this.#forgetOpt();

    const isReadable = this.#readQuestion();
    if ((flags & OPCODE_MASK) !== 0) {
      if (!isReadable || this.#readRecords() === QUERY_FORMERR) this.#forgetOpt();
      return QUERY_RELAY;
    }
    if (!isReadable) return QUERY_FORMERR;
    const outcome = this.#readRecords();
    // TKEY, TSIG, IXFR, AXFR, MAILB and MAILA are neighbours.
    if (outcome !== QUERY_FORMERR && this.type >= TYPE_TKEY && this.type <= TYPE_MAILA) return QUERY_RELAY;
    return outcome;
  }

  #readQuestion(): boolean {
    const { bytes, start, end } = this;
    if (((bytes[start + 4]! << 8) | bytes[start + 5]!) !== 1) return false;
    const nameEnd = skipPlainName(bytes, start + HEADER_LENGTH, end);
    if (nameEnd < 0 || nameEnd + 4 > end) return false;
    this.nameEnd = nameEnd;
    this.questionEnd = nameEnd + 4;
    this.type = (bytes[nameEnd]! << 8) | bytes[nameEnd + 1]!;
    this.class = (bytes[nameEnd + 2]! << 8) | bytes[nameEnd + 3]!;
    this.nameHash = hashName(bytes, start + HEADER_LENGTH, nameEnd, this.#seed);
    return true;
  }

  #readRecords(): number {
    const { bytes, start, end, questionEnd } = this;
    const skipped = ((bytes[start + 6]! << 8) | bytes[start + 7]!) + ((bytes[start + 8]! << 8) | bytes[start + 9]!);
    const additionals = (bytes[start + 10]! << 8) | bytes[start + 11]!;
    if (skipped !== 0) return this.#walkRecords(skipped, additionals);
    if (additionals === 0) return QUERY_OK;
    const isOptAlone =
      additionals === 1 &&
      questionEnd + 11 <= end &&
      bytes[questionEnd] === 0 &&
      bytes[questionEnd + 1] === 0 &&
      bytes[questionEnd + 2] === TYPE_OPT;
    if (!isOptAlone) return this.#walkRecords(0, additionals);
    if (this.#readOpt(questionEnd + 1) < 0) return QUERY_FORMERR;
    return this.ednsVersion > 0 ? QUERY_BADVERS : QUERY_OK;
  }

  /** `skipped` records of answer and authority section mean nothing in a query; they are walked over. */
  #walkRecords(skipped: number, additionals: number): number {
    const { bytes, end } = this;
    const count = skipped + additionals;
    let offset = this.questionEnd;
    let isSigned = false;
    for (let i = 0; i < count; i++) {
      const typeAt = skipName(bytes, offset, end);
      if (typeAt < 0 || typeAt + 10 > end) return QUERY_FORMERR;
      const next = typeAt + 10 + ((bytes[typeAt + 8]! << 8) | bytes[typeAt + 9]!);
      if (next > end) return QUERY_FORMERR;
      if (i >= skipped) {
        const type = (bytes[typeAt]! << 8) | bytes[typeAt + 1]!;
        if (type === TYPE_OPT) {
          if (this.hasOpt || typeAt !== offset + 1 || this.#readOpt(typeAt) < 0) return QUERY_FORMERR;
        } else if (type === TYPE_TSIG || (type === TYPE_SIG && coversNothing(bytes, typeAt + 10, next))) {
          // A signature comes last (RFC 8945, section 5.1; RFC 2931, section 3.1).
          if (i !== count - 1) return QUERY_FORMERR;
          isSigned = true;
        }
      }
      offset = next;
    }
    if (isSigned) return QUERY_RELAY;
    return this.ednsVersion > 0 ? QUERY_BADVERS : QUERY_OK;
  }

  /** Reads the OPT record whose type is at `typeAt` (RFC 6891, section 6.1.3); returns the offset after it, or -1. */
  #readOpt(typeAt: number): number {
    const { bytes, end } = this;
    const optionsStart = typeAt + 10;
    const optionsEnd = optionsStart + ((bytes[typeAt + 8]! << 8) | bytes[typeAt + 9]!);
    if (optionsEnd > end) return -1;
    for (let offset = optionsStart; offset < optionsEnd; ) {
      offset += 4 + ((bytes[offset + 2]! << 8) | bytes[offset + 3]!);
      if (offset > optionsEnd) return -1;
    }
    const size = (bytes[typeAt + 2]! << 8) | bytes[typeAt + 3]!;
    this.hasOpt = true;
    this.udpSize = size < LEAST_UDP_SIZE ? LEAST_UDP_SIZE : size;
    this.ednsVersion = bytes[typeAt + 5]!;
    this.dnssecOk = (bytes[typeAt + 6]! & 0x80) !== 0;
    this.optionsStart = optionsStart;
    this.optionsEnd = optionsEnd;
    return optionsEnd;
  }

  #forgetOpt(): void {
    this.hasOpt = false;
    this.ednsVersion = 0;
    this.udpSize = LEAST_UDP_SIZE;
    this.dnssecOk = false;
    this.optionsStart = 0;
    this.optionsEnd = 0;
  }
}

/** Whether the RDATA of a SIG record in [start, end) has type covered 0: it signs the message then, not records (RFC 2931, section 3). */
function coversNothing(bytes: Uint8Array, start: number, end: number): boolean {
  return start + 2 <= end && bytes[start] === 0 && bytes[start + 1] === 0;
}

/**
 * A 32-bit signed hash of the uncompressed name in [start, end), the same whatever the case of its letters. Four octets at a time, and both
 * multipliers come from the seed: with known ones, names could be made that collide under every seed.
 */
export function hashName(wire: Uint8Array, start: number, end: number, seed: number): number {
  const first = Math.imul(seed, 0x9e3779b1) | 1;
  const second = Math.imul(seed ^ 0x5bd1e995, 0x85ebca6b) | 1;
  let hash = seed | 0;
  let offset = start;
  for (; offset + 4 <= end; offset += 4) {
    const word = wire[offset]! | (wire[offset + 1]! << 8) | (wire[offset + 2]! << 16) | (wire[offset + 3]! << 24);
    hash = Math.imul(hash ^ foldWord(word), first);
    hash = Math.imul(hash ^ (hash >>> 16), second);
  }
  let rest = 0;
  for (let shift = 0; offset < end; offset++, shift += 8) rest |= wire[offset]! << shift;
  hash = Math.imul(hash ^ foldWord(rest), first);
  hash = Math.imul(hash ^ (hash >>> 16), second);
  return hash ^ (hash >>> 15);
}

/**
 * A-Z to a-z in each octet of a word. Without its top bit an octet is at most 0x7f, so that adding 0x3f sets the top bit from 'A' on, and
 * adding 0x25 from '[' on, with no carry into the next octet.
 */
function foldWord(word: number): number {
  const low = word & 0x7f7f7f7f;
  const isUpper = (low + 0x3f3f3f3f) & ~(low + 0x25252525) & ~word & 0x80808080;
  return word | (isUpper >>> 2);
}
