import {
  HEADER_LENGTH,
  TYPE_AFSDB,
  TYPE_CNAME,
  TYPE_DNAME,
  TYPE_KX,
  TYPE_MB,
  TYPE_MD,
  TYPE_MF,
  TYPE_MG,
  TYPE_MINFO,
  TYPE_MR,
  TYPE_MX,
  TYPE_NAPTR,
  TYPE_NS,
  TYPE_NSEC,
  TYPE_NXT,
  TYPE_PTR,
  TYPE_PX,
  TYPE_RP,
  TYPE_RRSIG,
  TYPE_RT,
  TYPE_SIG,
  TYPE_SOA,
  TYPE_SRV,
} from './constants.ts';
import type { MessageScan } from './message-scan.ts';
import { skipName } from './name.ts';

const POINTER = 0xc0;

/**
 * Writes the message that `scan` has read to `target`, from its start on, without OPT and signature; returns its length. `scan.hasOpt` must hold. For the rare
 * message whose OPT is not the last record: pointers of the records after it that lead past it are corrected, in owners and in the RDATA of
 * the types that hold names (RFC 3597, section 4, lets no newer type compress). Where that cannot be done, the additional section ends
 * where OPT was. `target` has room for the whole message and is not the message itself.
 */
export function stripOpt(message: Uint8Array, scan: MessageScan, target: Uint8Array): number {
  const optAt = scan.optOffset - scan.start;
  const optLength = scan.optEnd - scan.optOffset;
  target.set(message.subarray(scan.start, scan.optOffset));
  const isLast = scan.recordsEnd <= scan.optOffset;
  const end = isLast ? optAt : scan.recordsEnd - scan.start - optLength;
  if (!isLast) target.set(message.subarray(scan.optEnd, scan.recordsEnd), optAt);

  let count = 0;
  let isCorrected = true;
  for (let offset = optAt; offset < end; count++) {
    const typeAt = skipName(target, offset, end);
    const rdataAt = typeAt + 10;
    const next = rdataAt + read16(target, typeAt + 8);
    isCorrected &&= correctName(target, offset, typeAt, optAt, optLength) >= 0;
    isCorrected &&= correctRdata(target, read16(target, typeAt), rdataAt, next, optAt, optLength);
    offset = next;
  }
  const additionals = isCorrected ? scan.additionals : scan.additionals - count;
  target[10] = additionals >>> 8;
  target[11] = additionals;
  return isCorrected ? end : optAt;
}

/** Corrects the pointer at the end of the name at `offset`; returns the offset after the name, or -1 where it leads into OPT or is malformed. */
function correctName(target: Uint8Array, offset: number, limit: number, optAt: number, optLength: number): number {
  const nameEnd = skipName(target, offset, limit);
  if (nameEnd < 0) return -1;
  let at = offset;
  while (target[at]! > 0 && target[at]! < POINTER) at += 1 + target[at]!;
  if (target[at]! < POINTER) return nameEnd;
  const pointed = read16(target, at) & 0x3fff;
  if (pointed < optAt) return pointed >= HEADER_LENGTH ? nameEnd : -1;
  if (pointed < optAt + optLength) return -1;
  const corrected = pointed - optLength;
  target[at] = POINTER | (corrected >>> 8);
  target[at + 1] = corrected;
  return nameEnd;
}

/** False where a name in the RDATA in [start, end) cannot be corrected. */
function correctRdata(
  target: Uint8Array,
  type: number,
  start: number,
  end: number,
  optAt: number,
  optLength: number,
): boolean {
  const names = namesIn(type);
  let offset = type === TYPE_NAPTR ? skipStrings(target, start + 4, end, 3) : start + octetsBeforeName(type);
  for (let i = 0; i < names; i++) {
    if (offset < 0) return false;
    offset = correctName(target, offset, end, optAt, optLength);
  }
  return names === 0 || offset >= 0;
}

function namesIn(type: number): number {
  switch (type) {
    case TYPE_NS:
    case TYPE_MD:
    case TYPE_MF:
    case TYPE_CNAME:
    case TYPE_MB:
    case TYPE_MG:
    case TYPE_MR:
    case TYPE_PTR:
    case TYPE_DNAME:
    case TYPE_MX:
    case TYPE_AFSDB:
    case TYPE_RT:
    case TYPE_KX:
    case TYPE_SRV:
    case TYPE_NAPTR:
    case TYPE_SIG:
    case TYPE_RRSIG:
    case TYPE_NXT:
    case TYPE_NSEC:
      return 1;
    case TYPE_SOA:
    case TYPE_MINFO:
    case TYPE_RP:
    case TYPE_PX:
      return 2;
    default:
      return 0;
  }
}

function octetsBeforeName(type: number): number {
  switch (type) {
    case TYPE_MX:
    case TYPE_AFSDB:
    case TYPE_RT:
    case TYPE_KX:
    case TYPE_PX:
      return 2;
    case TYPE_SRV:
      return 6;
    case TYPE_SIG:
    case TYPE_RRSIG:
      return 18;
    default:
      return 0;
  }
}

/** The offset after `count` character-strings; -1 where they do not end before `end`. */
function skipStrings(bytes: Uint8Array, offset: number, end: number, count: number): number {
  for (let i = 0; i < count; i++) {
    if (offset >= end) return -1;
    offset += 1 + bytes[offset]!;
  }
  return offset < end ? offset : -1;
}

function read16(bytes: Uint8Array, offset: number): number {
  return (bytes[offset]! << 8) | bytes[offset + 1]!;
}
