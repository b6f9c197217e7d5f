import { HEADER_LENGTH, MAX_NAME_LENGTH } from '../wire/constants.ts';
import { expandName, skipName } from '../wire/name.ts';
import { firstNameIn, namesIn } from '../wire/rdata-names.ts';
import { RecordWalk } from '../wire/record-walk.ts';
import { ENTRY_HEADER, type EntryMemory } from './entry-memory.ts';

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;
const OTHER_PRIME = 0x85ebca6b;

/** Tells whether two answers say the same. One instance is used over and over. */
export class EntryDigest {
  readonly #walk = new RecordWalk();
  readonly #name = new Uint8Array(MAX_NAME_LENGTH);
  #low = 0;
  #high = 0;

  /**
   * A number of 53 bits that is the same for entries with the same code and records, whatever the order, TTLs, case and compression of these. The authority section does not
   * count: its SOA record has a serial number that goes with the time.
   */
  of(memory: EntryMemory, at: number): number {
    const { bytes } = memory;
    const end = memory.optionsStart(at);
    const inAnswer = memory.answers(at);
    const inAuthority = inAnswer + memory.authorities(at);
    const count = inAuthority + memory.additionals(at);
    const walk = this.#walk;
    let low = memory.rcode(at);
    let high = memory.kind(at);
    walk.begin(memory.bodyStart(at));
    for (let i = 0; i < count; i++) {
      walk.read(bytes, end);
      if (i >= inAnswer && i < inAuthority) continue;
      this.#addRecord(bytes, at + ENTRY_HEADER - HEADER_LENGTH, i < inAnswer ? 1 : 2);
      // A sum has no order.
      low = (low + this.#low) | 0;
      high = (high + this.#high) | 0;
    }
    return (high & 0x1fffff) * 2 ** 32 + (low >>> 0);
  }

  /** `start`: where the message would begin. */
  #addRecord(bytes: Uint8Array, start: number, section: number): void {
    const { ownerAt, typeAt, rdataAt, end, type } = this.#walk;
    this.#low = FNV_OFFSET ^ section;
    this.#high = type;
    this.#addName(bytes, start, ownerAt, end);
    this.#add(bytes, typeAt, typeAt + 4);
    let at = rdataAt;
    const firstName = firstNameIn(bytes, type, rdataAt, end);
    if (firstName !== -1) {
      this.#add(bytes, at, firstName);
      at = firstName;
      for (let names = namesIn(type); names > 0 && at < end && at !== -1; names--) {
        this.#addName(bytes, start, at, end);
        at = skipName(bytes, at, end);
      }
    }
    if (at !== -1) this.#add(bytes, at, end);
  }

  #addName(bytes: Uint8Array, start: number, at: number, end: number): void {
    const name = this.#name;
    const length = expandName(bytes, start, at, end, name, 0);
    for (let i = 0; i < length; i++) {
      const octet = name[i]!;
      if (octet >= 0x41 && octet <= 0x5a) name[i] = octet | 0x20;
    }
    this.#add(name, 0, length);
  }

  #add(bytes: Uint8Array, from: number, to: number): void {
    let low = this.#low;
    let high = this.#high;
    for (let i = from; i < to; i++) {
      low = Math.imul(low ^ bytes[i]!, FNV_PRIME);
      high = Math.imul(high ^ bytes[i]!, OTHER_PRIME) ^ (high >>> 15);
    }
    this.#low = low;
    this.#high = high;
  }
}
