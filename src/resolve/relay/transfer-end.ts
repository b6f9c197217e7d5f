import { HEADER_LENGTH, RCODE_MASK, TYPE_IXFR, TYPE_SOA } from '../../wire/constants.ts';
import { skipName } from '../../wire/name.ts';

/**
 * Finds the last message of a zone transfer, in constant memory. The SOA record begins and ends it:
 *
 *   AXFR (RFC 5936)                     SOA  records ...  SOA
 *   IXFR (RFC 1995)                     SOA  (SOA gone ... SOA new ...) x n  SOA     or as AXFR
 *   IXFR, where nothing is newer        SOA
 *
 * So the last record is an even one of the SOAs, with the serial of the first.
 */
export class TransferEnd {
  readonly #isIncremental: boolean;
  readonly #askedSerial: number | undefined;
  #messages = 0;
  #soas = 0;
  #records = 0;
  #serial = 0;

  /** `request`: the client's message, whose question of `type` ends at `questionEnd`. */
  constructor(request: Uint8Array, questionEnd: number, type: number) {
    this.#isIncremental = type === TYPE_IXFR;
    this.#askedSerial = this.#isIncremental ? serialAfter(request, questionEnd, u16(request, 6)) : undefined;
  }

  /** Whether no message follows the one in [start, end). One that says no, or that cannot be read, is the last. */
  isLast(bytes: Uint8Array, start: number, end: number): boolean {
    this.#messages++;
    if ((bytes[start + 3]! & RCODE_MASK) !== 0) return true;
    const answers = u16(bytes, start + 6);
    if (answers === 0) return this.#messages === 1;
    let offset = start + HEADER_LENGTH;
    for (let i = u16(bytes, start + 4); i > 0; i--) {
      offset = skipName(bytes, offset, end) + 4;
      if (offset < HEADER_LENGTH || offset > end) return true;
    }
    for (let i = 0; i < answers; i++) {
      const typeAt = skipName(bytes, offset, end);
      if (typeAt < 0 || typeAt + 10 > end) return true;
      const next = typeAt + 10 + u16(bytes, typeAt + 8);
      if (next > end) return true;
      this.#records++;
      if (u16(bytes, typeAt) === TYPE_SOA && this.#endsAt(serialOf(bytes, typeAt + 10, next))) return true;
      offset = next;
    }
    return this.#isUpToDate();
  }

  #endsAt(serial: number): boolean {
    this.#soas++;
    if (this.#soas === 1) this.#serial = serial;
    const isEven = this.#soas % 2 === 0;
    return isEven && (!this.#isIncremental || serial === this.#serial);
  }

  /** The first message of an answer to IXFR held nothing but the SOA, which is no newer than what the client has. */
  #isUpToDate(): boolean {
    if (this.#askedSerial === undefined || this.#records !== 1 || this.#soas !== 1) return false;
    return ((this.#serial - this.#askedSerial) | 0) <= 0;
  }
}

/** The serial of the first SOA record from `offset` on, in the answers (`answers` of them) or the authority section, where it belongs; undefined where there is none. */
function serialAfter(bytes: Uint8Array, offset: number, answers: number): number | undefined {
  const count = answers + u16(bytes, 8);
  const end = bytes.length;
  for (let i = 0; i < count; i++) {
    const typeAt = skipName(bytes, offset, end);
    if (typeAt < 0 || typeAt + 10 > end) return undefined;
    const next = typeAt + 10 + u16(bytes, typeAt + 8);
    if (next > end) return undefined;
    if (u16(bytes, typeAt) === TYPE_SOA) return serialOf(bytes, typeAt + 10, next);
    offset = next;
  }
  return undefined;
}

/** The serial in the RDATA of a SOA record in [start, end), after two names; 0 where it cannot be read. */
function serialOf(bytes: Uint8Array, start: number, end: number): number {
  const rname = skipName(bytes, start, end);
  const at = rname < 0 ? -1 : skipName(bytes, rname, end);
  return at < 0 || at + 4 > end ? 0 : ((u16(bytes, at) << 16) | u16(bytes, at + 2)) >>> 0;
}

function u16(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!;
}
