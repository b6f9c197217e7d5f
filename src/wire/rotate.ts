import { MAX_NAME_LENGTH } from './constants.ts';

/**
 * Turns a run of `count` records of equal length in place: the first goes to the end. Owner, type and class are equal in a group, so what
 * moves is TTL and address. Octet by octet, for groups are short and it needs no room of its own.
 */
export function rotateGroup(bytes: Uint8Array, start: number, recordLength: number, count: number): void {
  const last = start + recordLength * (count - 1);
  for (let i = 0; i < recordLength; i++) {
    let at = start + i;
    const first = bytes[at]!;
    for (; at < last; at += recordLength) bytes[at] = bytes[at + recordLength]!;
    bytes[at] = first;
  }
}

/** Owner, type, class, TTL, RDLENGTH, and a name. */
const MOST_BYTES = 2 * MAX_NAME_LENGTH + 10;
const held = new Uint8Array(MOST_BYTES);

/**
 * The same for a run of two or more records of different lengths with equal owners, each no longer than two names: from `base + offset` to `end`, which is where
 * the last one ends. `ttlOffsets[first]` and the `count - 1` after it say where their TTLs lie, counted from `base`, and do so afterwards.
 */
export function rotateUneven(
  bytes: Uint8Array,
  base: number,
  offset: number,
  end: number,
  ttlOffsets: Uint16Array,
  first: number,
  count: number,
): void {
  const start = base + offset;
  const last = first + count - 1;
  // Owners are equal, so that TTLs are as far from each other as the records.
  const length = ttlOffsets[first + 1]! - ttlOffsets[first]!;
  const ttlAt = ttlOffsets[first]! - offset;
  for (let i = 0; i < length; i++) held[i] = bytes[start + i]!;
  bytes.copyWithin(start, start + length, end);
  for (let i = 0; i < length; i++) bytes[end - length + i] = held[i]!;
  for (let i = first; i < last; i++) ttlOffsets[i] = ttlOffsets[i + 1]! - length;
  ttlOffsets[last] = end - length - base + ttlAt;
}
