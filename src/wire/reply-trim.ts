import type { MessageScan } from './message-scan.ts';
import { RecordWalk } from './record-walk.ts';
import { RecordWriter } from './record-writer.ts';
import { Relevance } from './relevance.ts';

const NO_BYTES = new Uint8Array(0);

/**
 * Leaves out of a reply what does not belong to its question, and brings OPT to the end where it stands among the records. Most replies are as they should be, and
 * are not touched. One instance is used again for every reply.
 */
export class ReplyTrim {
  readonly relevance = new Relevance();
  readonly #writer = new RecordWriter();
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
    this.#writer.finish();
    this.#message = NO_BYTES;
    this.#target = NO_BYTES;
    return end;
  }

  #writeAll(): number {
    const scan = this.#scan;
    const target = this.#target;
    const questionLength = scan.questionEnd - scan.start;
    target.set(this.#message.subarray(scan.start, scan.questionEnd));
    this.#writer.begin(this.#message, scan.start, scan.questionEnd, scan.end, target);
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
      const next = this.#writer.write(this.#walk, at);
      if (next === -1) return -1;
      // A record whose RDATA is not as its type has it is given up.
      if (next !== at) count++;
      at = next;
    }
    this.#target[countAt] = count >> 8;
    this.#target[countAt + 1] = count;
    return at;
  }

  #writeOpt(at: number): number {
    const { optOffset, optEnd } = this.#scan;
    const target = this.#target;
    const additionals = ((target[10]! << 8) | target[11]!) + 1;
    target[10] = additionals >> 8;
    target[11] = additionals;
    return this.#writer.copy(optOffset, optEnd, at);
  }
}
