/*
 * TTLs lie in the octets of a message from `base + offset` on, big-endian. `offsets[first]` to `offsets[first + count - 1]` say where.
 * One with the top bit set counts as 0 (RFC 2181, section 8).
 */

/** Counts the TTLs down by `seconds`, to no less than 0. */
export function subtractTtls(
  bytes: Uint8Array,
  base: number,
  offsets: Uint16Array,
  first: number,
  count: number,
  seconds: number,
): void {
  for (let i = first; i < first + count; i++) {
    const at = base + offsets[i]!;
    const ttl = readTtl(bytes, at) - seconds;
    writeTtl(bytes, at, ttl < 0 ? 0 : ttl);
  }
}

/** Sets all the TTLs to `seconds`. */
export function setTtls(
  bytes: Uint8Array,
  base: number,
  offsets: Uint16Array,
  first: number,
  count: number,
  seconds: number,
): void {
  for (let i = first; i < first + count; i++) writeTtl(bytes, base + offsets[i]!, seconds);
}

/** Brings the TTLs between `minSeconds` and `maxSeconds`. */
export function capTtls(
  bytes: Uint8Array,
  base: number,
  offsets: Uint16Array,
  first: number,
  count: number,
  minSeconds: number,
  maxSeconds: number,
): void {
  for (let i = first; i < first + count; i++) {
    const at = base + offsets[i]!;
    const ttl = readTtl(bytes, at);
    if (ttl > maxSeconds) writeTtl(bytes, at, maxSeconds);
    else if (ttl < minSeconds) writeTtl(bytes, at, minSeconds);
    // The top bit may be set.
    else if (ttl === 0) writeTtl(bytes, at, 0);
  }
}

function readTtl(bytes: Uint8Array, at: number): number {
  const ttl = (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
  return ttl < 0 ? 0 : ttl;
}

function writeTtl(bytes: Uint8Array, at: number, seconds: number): void {
  bytes[at] = seconds >>> 24;
  bytes[at + 1] = seconds >>> 16;
  bytes[at + 2] = seconds >>> 8;
  bytes[at + 3] = seconds;
}
