import { KEPT_OPTIONS } from '../core/limits.ts';
import { FLAG_AA, FLAG_AD, FLAG_TC } from '../wire/constants.ts';
import type { MessageScan } from '../wire/message-scan.ts';
import { type EntryMemory, KIND_FAILURE } from './entry-memory.ts';

const NOTHING = new Uint8Array(0);
const NO_OFFSETS = new Uint16Array(0);
const KEPT_FLAGS = FLAG_AA | FLAG_TC | FLAG_AD;

/** An answer on its way into an entry: parse results that point back into the message. One instance is used over and over. */
export class AnswerDraft {
  kind = KIND_FAILURE;
  rcode = 0;
  flags = 0;
  zone = 0;
  /** True for NXDOMAIN that answers every type of the name. */
  isForName = false;
  /** Of life; 0: for those who wait only. */
  seconds = 0;
  /** No TTL in the records is let stand above this. */
  capSeconds = 0xffff_ffff;
  isPrefetched = false;
  /** Of a last good answer that is kept although there is none any more: until when, monotonic; 0: this is no such answer. */
  keptUntilMs = 0;

  message: Uint8Array = NOTHING;
  bodyStart = 0;
  bodyEnd = 0;
  answers = 0;
  authorities = 0;
  additionals = 0;
  ttlOffsets = NO_OFFSETS;
  ttlCount = 0;
  groups = NO_OFFSETS;
  groupCount = 0;

  options: Uint8Array = NOTHING;
  optionsStart = 0;
  optionsEnd = 0;

  /** Takes a copy of the entry at `at`, but for its options and what is said of its life: room for a new entry may be where it lies. */
  takeEntry(memory: EntryMemory, at: number): void {
    const bodyStart = memory.bodyStart(at);
    const ttls = memory.ttlIndex(at);
    const groups = memory.groupIndex(at);
    this.kind = memory.kind(at);
    this.rcode = memory.rcode(at);
    this.flags = memory.flags(at);
    this.zone = memory.zone(at);
    this.isForName = false;
    this.message = memory.bytes.slice(bodyStart, memory.optionsStart(at));
    this.bodyStart = 0;
    this.bodyEnd = this.message.length;
    this.answers = memory.answers(at);
    this.authorities = memory.authorities(at);
    this.additionals = memory.additionals(at);
    this.ttlCount = memory.ttlCount(at);
    this.ttlOffsets = memory.u16.slice(ttls, groups);
    this.groupCount = memory.groupCount(at);
    this.groups = memory.u16.slice(groups, groups + 3 * this.groupCount);
    this.setOptions(NOTHING, 0, 0);
  }

  /** Takes the records that `scan` has found in `message`; what they are worth is set by the caller. */
  takeRecords(scan: MessageScan, message: Uint8Array): void {
    this.rcode = scan.rcode;
    this.flags = scan.flags & KEPT_FLAGS;
    this.message = message;
    this.bodyStart = scan.questionEnd;
    this.bodyEnd = scan.recordsEnd;
    this.answers = scan.answers;
    this.authorities = scan.authorities;
    this.additionals = scan.additionals;
    this.ttlOffsets = scan.ttlOffsets;
    this.ttlCount = scan.ttlCount;
    this.groups = scan.groups;
    this.groupCount = scan.groupCount;
    this.keptUntilMs = 0;
    this.setOptions(NOTHING, 0, 0);
  }

  /** A reply of nothing but its header and question. */
  takeRcode(rcode: number): void {
    this.rcode = rcode;
    this.flags = 0;
    this.message = NOTHING;
    this.bodyStart = this.bodyEnd = 0;
    this.answers = this.authorities = this.additionals = 0;
    this.ttlCount = this.groupCount = 0;
    this.keptUntilMs = 0;
    this.setOptions(NOTHING, 0, 0);
  }

  /** EDNS options, whole, that are repeated to clients with OPT. */
  setOptions(options: Uint8Array, start: number, end: number): void {
    const fits = end - start <= KEPT_OPTIONS.value;
    if (!fits) KEPT_OPTIONS.hits++;
    this.options = options;
    this.optionsStart = start;
    this.optionsEnd = fits ? end : start;
  }
}
