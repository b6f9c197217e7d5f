import { CNAME_CHAIN } from '../core/limits.ts';
import {
  CLASS_ANY,
  TYPE_AAAA,
  TYPE_ANY,
  TYPE_CNAME,
  TYPE_DNAME,
  TYPE_DS,
  TYPE_NS,
  TYPE_NSEC,
  TYPE_NSEC3,
  TYPE_OPT,
  TYPE_RRSIG,
  TYPE_SIG,
  TYPE_SOA,
} from './constants.ts';
import { Mentions } from './mentions.ts';
import { type MessageScan, MOST_RECORDS } from './message-scan.ts';
import { NameChain } from './name-chain.ts';
import { targetIn } from './rdata-names.ts';
import { RecordWalk } from './record-walk.ts';

/** Of `kept`: it belongs, and is left out. */
const UNWANTED = 2;
/** Times that the additional section is gone through: NAPTR mentions SRV, SRV a host; deeper nobody goes. */
const MOST_PASSES = 3;
const NO_BYTES = new Uint8Array(0);

/**
 * Which records of a reply belong to its question. In the answer: those of the question's name and of the names that its CNAME records lead to, in whatever order,
 * of the type that was asked, and DNAME records above. In the authority section: SOA, NS and DS of zones that these names lie in, and proofs for those who asked
 * for them with DO, who check them. In the additional section: whatever is about those names, or about names that the kept records mention. All of the question's class.
 */
export class Relevance {
  /** 1 for each record that belongs and is wanted, in the order of the message, OPT and signature not among them. */
  readonly kept = new Uint8Array(MOST_RECORDS);
  /** Records that do not belong. */
  foreign = 0;
  /** AAAA records of the additional section that are not wanted. */
  unwanted = 0;
  /** More CNAME records than are followed: nothing is said of the others. */
  isChainLong = false;
  /** CNAME records that lead back. */
  isLoop = false;
  readonly #chain = new NameChain(CNAME_CHAIN.value + 1);
  readonly #mentions = new Mentions();
  readonly #walk = new RecordWalk();
  /** Where the names in the RDATA of CNAME records lie, and their owners; 0: followed. */
  readonly #links = new Uint32Array(2 * CNAME_CHAIN.value);
  #message: Uint8Array = NO_BYTES;
  #scan!: MessageScan;

  /** Judges the reply that `scan` has read, which repeats its question. `wantsAaaa`: false leaves such addresses out of the additional section. */
  judge(message: Uint8Array, scan: MessageScan, dnssecOk: boolean, wantsAaaa: boolean): void {
    this.#message = message;
    this.#scan = scan;
    this.foreign = 0;
    this.unwanted = 0;
    this.isChainLong = false;
    this.isLoop = false;
    this.#chain.begin(message, scan.start, scan.end);
    this.#mentions.begin(message, scan.start, scan.end);
    if (scan.hasCname) this.#followLinks();
    if (!this.isChainLong) this.#judgeSections(dnssecOk, wantsAaaa);
    this.#message = NO_BYTES;
  }

  /** CNAME records in any order: some servers put the end of the chain first. */
  #followLinks(): void {
    const links = this.#links;
    const count = this.#collectLinks();
    for (let isLonger = true; isLonger; ) {
      isLonger = false;
      for (let i = 0; i < count; i++) {
        const owner = links[2 * i]!;
        if (owner === 0 || !this.#chain.has(owner)) continue;
        links[2 * i] = 0;
        if (this.#chain.has(links[2 * i + 1]!)) this.isLoop = true;
        else if (this.#chain.add(links[2 * i + 1]!)) isLonger = true;
      }
    }
  }

  #collectLinks(): number {
    const walk = this.#walk;
    const { answers, end, questionEnd } = this.#scan;
    walk.begin(questionEnd);
    let count = 0;
    for (let i = 0; i < answers; i++) {
      walk.read(this.#message, end);
      if (walk.type !== TYPE_CNAME) continue;
      if (count === CNAME_CHAIN.value) {
        this.isChainLong = true;
        return 0;
      }
      this.#links[2 * count] = walk.ownerAt;
      this.#links[2 * count + 1] = walk.rdataAt;
      count++;
    }
    return count;
  }

  #judgeSections(dnssecOk: boolean, wantsAaaa: boolean): void {
    const { answers, authorities, additionals, questionEnd } = this.#scan;
    const inAuthority = answers + authorities;
    const { kept } = this;
    this.#walk.begin(questionEnd);
    for (let i = 0; i < inAuthority; i++) {
      this.#read();
      kept[i] = this.#hasClass() && (i < answers ? this.#isAnswer() : this.#isAuthority(dnssecOk)) ? 1 : 0;
      if (kept[i] === 1) this.#noteTarget();
      else this.foreign++;
    }
    if (additionals === 0) return;
    const additionalsAt = this.#walk.end;
    kept.fill(0, inAuthority, inAuthority + additionals);
    let left = additionals;
    for (let pass = 0, before = -1; pass < MOST_PASSES && left > 0 && left !== before; pass++) {
      before = left;
      left -= this.#judgeAdditionals(additionalsAt, wantsAaaa);
    }
    this.foreign += left;
  }

  /** Marks those that belong and were not known to; returns how many. What they mention belongs too, and may stand before them. */
  #judgeAdditionals(offset: number, wantsAaaa: boolean): number {
    const { answers, authorities, additionals } = this.#scan;
    const { kept } = this;
    const walk = this.#walk;
    walk.begin(offset);
    let found = 0;
    for (let i = answers + authorities; i < answers + authorities + additionals; i++) {
      this.#read();
      if (kept[i] !== 0 || !this.#hasClass()) continue;
      if (!this.#mentions.has(walk.ownerAt) && !this.#chain.has(walk.ownerAt)) continue;
      found++;
      kept[i] = 1;
      if (!wantsAaaa && walk.type === TYPE_AAAA) {
        kept[i] = UNWANTED;
        this.unwanted++;
      }
      this.#noteTarget();
    }
    return found;
  }

  /** OPT stands among the others at times, and is not counted with them. */
  #read(): void {
    this.#walk.read(this.#message, this.#scan.end);
    if (this.#walk.type === TYPE_OPT) this.#walk.read(this.#message, this.#scan.end);
  }

  #hasClass(): boolean {
    return this.#walk.class === this.#scan.class || this.#scan.class === CLASS_ANY;
  }

  #isAnswer(): boolean {
    const { type, ownerAt } = this.#walk;
    const asked = this.#scan.type;
    const isSignature = type === TYPE_RRSIG || type === TYPE_SIG;
    if (type !== asked && asked !== TYPE_ANY && type !== TYPE_CNAME && type !== TYPE_DNAME && !isSignature)
      return false;
    if (this.#chain.has(ownerAt)) return true;
    return (type === TYPE_DNAME || isSignature) && this.#chain.isWithin(ownerAt);
  }

  #isAuthority(dnssecOk: boolean): boolean {
    switch (this.#walk.type) {
      case TYPE_SOA:
      case TYPE_NS:
      case TYPE_DS:
        return this.#chain.isWithin(this.#walk.ownerAt);
      case TYPE_NSEC:
      case TYPE_NSEC3:
      case TYPE_RRSIG:
        return dnssecOk;
      default:
        return false;
    }
  }

  #noteTarget(): void {
    const { type, rdataAt, end } = this.#walk;
    const target = targetIn(this.#message, type, rdataAt, end);
    if (target !== -1) this.#mentions.add(target);
  }
}
