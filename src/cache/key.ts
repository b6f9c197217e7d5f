/**
 * The index's key of a question: 32 bits. Two questions with one key are told apart by comparing them whole.
 * DO and CD are part of it (RFC 4035, section 4.7), and so is the class.
 */
export function keyOf(nameHash: number, type: number, classCode: number, dnssecBits: number): number {
  let hash = Math.imul(nameHash ^ ((type << 2) | dnssecBits), 0x2c1b3c6d);
  hash = Math.imul(hash ^ (hash >>> 15) ^ classCode, 0x297a2d39);
  return hash ^ (hash >>> 15);
}

/** What `dnssecBits` has: DO, and CD. */
export const DNSSEC_OK = 1;
export const CHECKING_DISABLED = 2;

/** DNSSEC_OK, CHECKING_DISABLED, both or none. */
export function dnssecBits(dnssecOk: boolean, flags: number): number {
  return (dnssecOk ? 1 : 0) | ((flags & 0x10) >> 3);
}

/** Stands for every type in the key of a name that does not exist (RFC 2308, section 5). */
export const EVERY_TYPE = 0;
