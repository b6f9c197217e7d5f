import {
  TYPE_AFSDB,
  TYPE_CNAME,
  TYPE_DNAME,
  TYPE_HTTPS,
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
  TYPE_SVCB,
} from './constants.ts';

/**
 * Where the first of the names in the RDATA in [start, end) begins, or -1 where there is none: names of the types of RFC 1035, 1183, 2782 and others that may be
 * compressed (RFC 3597, section 4, lets no newer type compress).
 */
export function firstNameIn(bytes: Uint8Array, type: number, start: number, end: number): number {
  if (namesIn(type) === 0) return -1;
  const at = type === TYPE_NAPTR ? skipStrings(bytes, start + 4, end, 3) : start + octetsBeforeNames(type);
  return at < end ? at : -1;
}

/** Where the name begins that a record sends its readers on to, whose addresses may stand in the additional section; -1: to none. */
export function targetIn(bytes: Uint8Array, type: number, start: number, end: number): number {
  if (type === TYPE_SVCB || type === TYPE_HTTPS) return start + 2 < end ? start + 2 : -1;
  return firstNameIn(bytes, type, start, end);
}

/** How many names that may be compressed stand in the RDATA of a type, one behind the other. */
export function namesIn(type: number): number {
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

function octetsBeforeNames(type: number): number {
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
