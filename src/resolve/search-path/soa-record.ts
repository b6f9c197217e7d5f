import { ENTRY_HEADER, type EntryMemory } from '../../cache/entry-memory.ts';
import { HEADER_LENGTH, MAX_NAME_LENGTH, TYPE_SOA } from '../../wire/constants.ts';
import { copyBytes } from '../../wire/copy.ts';
import { expandName, skipName } from '../../wire/name.ts';
import { RecordWalk } from '../../wire/record-walk.ts';

/** SERIAL, REFRESH, RETRY, EXPIRE and MINIMUM. */
const NUMBERS = 20;
/** TYPE, CLASS, TTL and RDLENGTH. */
const FIXED = 10;

/** The SOA record of a cached negative answer, its names written out, so that it can stand in the answer to any other name of its zone. */
export class SoaRecord {
  /** The record lies in [0, length); 0: none was taken so far. */
  readonly bytes = new Uint8Array(3 * MAX_NAME_LENGTH + FIXED + NUMBERS);
  length = 0;
  /** Where its TTL lies. */
  readonly ttlOffsets = new Uint16Array(1);
  /** Its last field: for how long a "no" may be kept (RFC 2308, section 4). */
  minimumSeconds = 0;
  readonly #walk = new RecordWalk();

  /** Takes the first SOA record of the authority section of the entry at `at`, which has no answers; false where there is none, and then nothing is taken. */
  take(memory: EntryMemory, at: number): boolean {
    const walk = this.#walk;
    const { bytes } = memory;
    const end = memory.optionsStart(at);
    walk.begin(memory.bodyStart(at));
    for (let i = memory.authorities(at); i > 0; i--) {
      walk.read(bytes, end);
      // Pointers count from where the header would be.
      if (walk.type === TYPE_SOA) return this.#copy(bytes, at + ENTRY_HEADER - HEADER_LENGTH);
    }
    return false;
  }

  #copy(source: Uint8Array, start: number): boolean {
    const { ownerAt, typeAt, rdataAt, end } = this.#walk;
    const rnameAt = skipName(source, rdataAt, end);
    if (rnameAt === -1 || end - rdataAt < NUMBERS) return false;
    const { bytes } = this;
    const owner = expandName(source, start, ownerAt, end, bytes, 0);
    const mname = owner === -1 ? -1 : expandName(source, start, rdataAt, end, bytes, owner + FIXED);
    const rname = mname === -1 ? -1 : expandName(source, start, rnameAt, end, bytes, owner + FIXED + mname);
    if (rname === -1) {
      this.length = 0;
      return false;
    }
    copyBytes(source, typeAt, typeAt + FIXED, bytes, owner);
    const rdataLength = mname + rname + NUMBERS;
    bytes[owner + 8] = rdataLength >> 8;
    bytes[owner + 9] = rdataLength;
    this.length = copyBytes(source, end - NUMBERS, end, bytes, owner + FIXED + mname + rname);
    this.ttlOffsets[0] = owner + 4;
    const minimum = this.length - 4;
    this.minimumSeconds =
      ((bytes[minimum]! << 24) | (bytes[minimum + 1]! << 16) | (bytes[minimum + 2]! << 8) | bytes[minimum + 3]!) >>> 0;
    return true;
  }
}
