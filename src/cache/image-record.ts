import { CACHED_RECORDS, KEPT_OPTIONS } from '../core/limits.ts';
import { FLAG_AA, FLAG_AD, FLAG_CD, HEADER_LENGTH, RCODE_NOERROR, RCODE_NXDOMAIN } from '../wire/constants.ts';
import { MessageScan } from '../wire/message-scan.ts';
import { expandedLength, skipName, skipPlainName } from '../wire/name.ts';
import { hashName } from '../wire/query.ts';
import { firstNameIn, namesIn } from '../wire/rdata-names.ts';
import { RecordWalk } from '../wire/record-walk.ts';
import { Relevance } from '../wire/relevance.ts';
import type { AnswerDraft } from './answer-draft.ts';
import type { CacheQuestion } from './cache-question.ts';
import { DNSSEC_SHIFT, KIND_NEGATIVE, KIND_POSITIVE, STATE_KEPT } from './entry-memory.ts';
import type { ImageBlock } from './image-block.ts';
import { ENTRY_HEAD_BYTES, IMAGE_OUTDATED } from './image-format.ts';
import { CHECKING_DISABLED, DNSSEC_OK, EVERY_TYPE } from './key.ts';

const KEPT_FLAGS = FLAG_AA | FLAG_AD;
const STATE_BITS = STATE_KEPT | IMAGE_OUTDATED | ((DNSSEC_OK | CHECKING_DISABLED) << DNSSEC_SHIFT);

/**
 * An entry of an image, read and judged: what is in a file is believed no more than what comes from the network. One instance is used for all; it is the question that the
 * entry answers, too. Its message is put together in the block, where the end of the record's head is the room for a header.
 */
export class ImageRecord implements CacheQuestion {
  bytes: Uint8Array;
  start = 0;
  nameEnd = 0;
  questionEnd = 0;
  nameHash = 0;
  type = 0;
  class = 0;
  dnssecOk = false;
  flags = 0;
  /** Number of its zone in the image. */
  zone = 0;
  kind = 0;
  isKept = false;
  isOutdated = false;
  /** Milliseconds from when the image was made; below 0: it was over then. */
  leftMs = 0;
  /** The same until it is refreshed, or, where it is kept, goes; Infinity: it is not refreshed ahead. */
  refreshLeftMs = 0;
  ttlSeconds = 0;
  hits = 0;
  readonly #block: ImageBlock;
  readonly #seed: number;
  readonly #scan = new MessageScan();
  readonly #walk = new RecordWalk();
  readonly #relevance = new Relevance();
  #rcode = 0;
  #answerFlags = 0;
  #optionsStart = 0;
  #optionsEnd = 0;

  constructor(block: ImageBlock, seed: number) {
    this.#block = block;
    this.bytes = block.bytes;
    this.#seed = seed;
  }

  /** Reads the record in [at, at + length), which lies in the block and is not shorter than its head. False where it is not to be believed. */
  read(at: number, length: number): boolean {
    const { u16, u32, f64 } = this.#block;
    const index = (at >> 1) + 14;
    this.leftMs = f64[(at >> 3) + 1]!;
    this.refreshLeftMs = f64[(at >> 3) + 2]!;
    this.ttlSeconds = u32[(at >> 2) + 6]!;
    this.zone = u16[index]!;
    this.kind = u16[index + 1]!;
    const state = u16[index + 2]!;
    this.isKept = (state & STATE_KEPT) !== 0;
    this.isOutdated = (state & IMAGE_OUTDATED) !== 0;
    this.#answerFlags = u16[index + 3]!;
    this.#rcode = u16[index + 4]!;
    this.hits = u16[index + 5]!;
    const questionEnd = at + ENTRY_HEAD_BYTES + u16[index + 6]!;
    const bodyEnd = questionEnd + u16[index + 7]!;
    this.#optionsStart = bodyEnd;
    this.#optionsEnd = bodyEnd + u16[index + 11]!;
    if (this.#optionsEnd > at + length || (state & ~STATE_BITS) !== 0) return false;
    this.dnssecOk = ((state >> DNSSEC_SHIFT) & DNSSEC_OK) !== 0;
    this.flags = ((state >> DNSSEC_SHIFT) & CHECKING_DISABLED) !== 0 ? FLAG_CD : 0;
    const counts = [u16[index + 8]!, u16[index + 9]!, u16[index + 10]!] as const;
    return (
      this.#isOfUse() && this.#readQuestion(at, questionEnd) && this.#readMessage(bodyEnd, counts) && this.#hasOptions()
    );
  }

  /** Makes it the answer to be kept, but for its zone and its life. */
  fill(draft: AnswerDraft): void {
    draft.takeRecords(this.#scan, this.bytes);
    draft.rcode = this.#rcode;
    draft.kind = this.kind;
    draft.isForName = this.type === EVERY_TYPE;
    draft.seconds = this.ttlSeconds;
    draft.capSeconds = 0xffff_ffff;
    draft.isPrefetched = false;
    draft.setOptions(this.bytes, this.#optionsStart, this.#optionsEnd);
  }

  /** What the fields say must be what the resolver keeps. */
  #isOfUse(): boolean {
    const { kind, leftMs, refreshLeftMs } = this;
    const isNo = this.#rcode === RCODE_NXDOMAIN;
    if (kind !== KIND_POSITIVE && kind !== KIND_NEGATIVE) return false;
    if (this.#rcode !== RCODE_NOERROR && !(isNo && kind === KIND_NEGATIVE)) return false;
    if ((this.#answerFlags & ~KEPT_FLAGS) !== 0 || !Number.isFinite(leftMs) || Number.isNaN(refreshLeftMs))
      return false;
    // The records' TTLs have been brought down to what was left, or to less.
    if (leftMs > this.ttlSeconds * 1000) return false;
    return this.isKept ? kind === KIND_POSITIVE && leftMs <= refreshLeftMs : true;
  }

  #readQuestion(at: number, questionEnd: number): boolean {
    const { bytes } = this;
    const nameStart = at + ENTRY_HEAD_BYTES;
    const nameEnd = skipPlainName(bytes, nameStart, questionEnd);
    if (nameEnd === -1 || nameEnd + 4 !== questionEnd) return false;
    this.start = nameStart - HEADER_LENGTH;
    this.nameEnd = nameEnd;
    this.questionEnd = questionEnd;
    this.type = (bytes[nameEnd]! << 8) | bytes[nameEnd + 1]!;
    this.class = (bytes[nameEnd + 2]! << 8) | bytes[nameEnd + 3]!;
    if (this.type === EVERY_TYPE && this.#rcode !== RCODE_NXDOMAIN) return false;
    this.nameHash = hashName(bytes, nameStart, nameEnd, this.#seed);
    return true;
  }

  #readMessage(bodyEnd: number, [answers, authorities, additionals]: readonly [number, number, number]): boolean {
    const { bytes, start } = this;
    const scan = this.#scan;
    write16(bytes, start, 0);
    write16(bytes, start + 2, this.#answerFlags | (this.#rcode & 15));
    write16(bytes, start + 4, 1);
    write16(bytes, start + 6, answers);
    write16(bytes, start + 8, authorities);
    write16(bytes, start + 10, additionals);
    if (!scan.scan(bytes, start, bodyEnd) || scan.recordsEnd !== bodyEnd || scan.hasOpt || scan.isSigned) return false;
    const hasAnswer = this.kind !== KIND_POSITIVE || answers > 0;
    return hasAnswer && scan.ttlCount <= CACHED_RECORDS.value && this.#hasSoundNames(bodyEnd) && this.#isRelevant();
  }

  /** Whether the names in the records can be read: nobody has looked at them yet. */
  #hasSoundNames(bodyEnd: number): boolean {
    const { bytes, start } = this;
    const walk = this.#walk;
    walk.begin(this.questionEnd);
    for (let left = this.#scan.ttlCount; left > 0; left--) {
      walk.read(bytes, bodyEnd);
      let offset = walk.rdataAt === walk.end ? -1 : firstNameIn(bytes, walk.type, walk.rdataAt, walk.end);
      for (let names = offset === -1 ? 0 : namesIn(walk.type); names > 0; names--) {
        if (expandedLength(bytes, start, offset, bodyEnd) === -1) return false;
        offset = skipName(bytes, offset, walk.end);
        if (offset === -1) return false;
      }
    }
    return true;
  }

  /** Whether all records belong to the question, as those do that the resolver keeps. */
  #isRelevant(): boolean {
    if (this.#scan.isPlain) return true;
    const relevance = this.#relevance;
    relevance.judge(this.bytes, this.#scan, this.dnssecOk, true);
    return relevance.foreign === 0 && !relevance.isChainLong;
  }

  /** Whether the options are whole ones, one after the other, and no more than are kept. */
  #hasOptions(): boolean {
    const { bytes } = this;
    const end = this.#optionsEnd;
    if (end - this.#optionsStart > KEPT_OPTIONS.value) return false;
    let at = this.#optionsStart;
    while (at + 4 <= end) at += 4 + ((bytes[at + 2]! << 8) | bytes[at + 3]!);
    return at === end;
  }
}

function write16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >> 8;
  bytes[at + 1] = value;
}
