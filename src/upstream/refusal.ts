import {
  FLAG_AA,
  FLAG_RA,
  HEADER_LENGTH,
  RCODE_MASK,
  RCODE_NOERROR,
  RCODE_NOTIMP,
  RCODE_REFUSED,
  RCODE_SERVFAIL,
  TYPE_NS,
} from '../wire/constants.ts';
import { skipName } from '../wire/name.ts';

/** Type and class of a question; type, class, TTL and length of a record. */
const QUESTION_FIXED = 4;
const RECORD_FIXED = 10;

/**
 * Whether a reply, in [start, end), says "not me" rather than something about the name, so that another upstream is worth asking: SERVFAIL, REFUSED, NOTIMP, or
 * a lame answer: a referral to other servers (RFC 9499, section 6), from one that neither resolves for us nor knows the zone.
 */
export function isRefusal(message: Uint8Array, start: number, end: number): boolean {
  const rcode = message[start + 3]! & RCODE_MASK;
  if (rcode !== RCODE_NOERROR) return rcode === RCODE_SERVFAIL || rcode === RCODE_REFUSED || rcode === RCODE_NOTIMP;
  const flags = (message[start + 2]! << 8) | message[start + 3]!;
  if ((flags & (FLAG_AA | FLAG_RA)) !== 0 || count(message, start + 6) > 0) return false;
  return refers(message, start, end);
}

/** Whether the authority section has name servers and nothing else. */
function refers(message: Uint8Array, start: number, end: number): boolean {
  const authorities = count(message, start + 8);
  let at = start + HEADER_LENGTH;
  for (let i = count(message, start + 4); i > 0; i--) {
    at = skipName(message, at, end);
    if (at < 0) return false;
    at += QUESTION_FIXED;
  }
  for (let i = 0; i < authorities; i++) {
    at = skipName(message, at, end);
    if (at < 0 || at + RECORD_FIXED > end || count(message, at) !== TYPE_NS) return false;
    at += RECORD_FIXED + count(message, at + 8);
  }
  return authorities > 0;
}

function count(message: Uint8Array, at: number): number {
  return (message[at]! << 8) | message[at + 1]!;
}
