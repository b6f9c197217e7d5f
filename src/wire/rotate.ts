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
