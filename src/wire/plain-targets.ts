import { TYPE_PTR } from './constants.ts';
import { copyBytes } from './copy.ts';
import type { MessageScan } from './message-scan.ts';
import { expandName, skipName } from './name.ts';
import { RecordWalk } from './record-walk.ts';

/** Of a PTR record, from its owner, a pointer, to its RDLENGTH. */
const FIXED_OCTETS = 12;
const OPT_OCTETS = 11;
/** What clients take in one datagram: those without EDNS, and of the others glibc the least. */
const PLAIN_DATAGRAM = 512;
const LEAST_DATAGRAM = 1200;

/**
 * Writes the names that PTR records of one owner lead to without pointers: these lead into the record before, so that none could change its place. One instance is
 * used again for every reply.
 */
export class PlainTargets {
  readonly #walk = new RecordWalk();

  /**
   * Of the reply that `scan` has read: the length of what was written to `target`, a whole message with the same header, question and OPT, to be scanned again. 0
   * where the reply is to be used as it is: it is no such answer, has no pointers in its RDATA, or would not fit any more into a datagram that it fits into.
   * `target` has room for 65,535 octets.
   */
  write(message: Uint8Array, scan: MessageScan, target: Uint8Array): number {
    const { answers, optEnd, optOffset, questionEnd, start } = scan;
    if (scan.type !== TYPE_PTR || !scan.isPlain || scan.isSigned || answers < 2) return 0;
    if (scan.groupCount > 0 && scan.groups[2] === answers) return 0;
    const walk = this.#walk;
    const most = mostOctets(scan.recordsEnd - start);
    let at = copyBytes(message, start, questionEnd, target, 0);
    walk.begin(questionEnd);
    for (let i = 0; i < answers; i++) {
      walk.read(message, scan.end);
      // What comes after the name would be lost.
      if (skipName(message, walk.rdataAt, walk.end) !== walk.end) return 0;
      const rdataTo = at + FIXED_OCTETS;
      const length = expandName(message, start, walk.rdataAt, walk.end, target, rdataTo);
      if (length === -1 || rdataTo + length > most) return 0;
      copyBytes(message, walk.ownerAt, walk.rdataAt - 2, target, at);
      target[rdataTo - 2] = 0;
      target[rdataTo - 1] = length;
      at = rdataTo + length;
    }
    return scan.hasOpt ? copyBytes(message, optOffset, optEnd, target, at) : at;
  }
}

/** How long the message may become, without OPT, that has so many octets. */
function mostOctets(length: number): number {
  return (length > PLAIN_DATAGRAM ? LEAST_DATAGRAM : PLAIN_DATAGRAM) - OPT_OCTETS;
}
