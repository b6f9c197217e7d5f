/** RFC 8467, section 4.1: queries are padded to a multiple of this. */
const BLOCK = 128;

const OPTION_PADDING = 12;
const OPTION_HEAD = 4;

/** Bytes that a query may grow by. */
export const PADDING_MOST = OPTION_HEAD + BLOCK - 1;

/**
 * Pads the query in [start, end) with an option (RFC 7830), so that its length tells less of the name. It ends in an OPT record, whose data length stands at
 * `lengthAt`. Returns its new end.
 */
export function pad(target: Uint8Array, start: number, end: number, lengthAt: number): number {
  const padding = (BLOCK - ((end + OPTION_HEAD - start) % BLOCK)) % BLOCK;
  const dataLength = ((target[lengthAt]! << 8) | target[lengthAt + 1]!) + OPTION_HEAD + padding;
  target[lengthAt] = dataLength >> 8;
  target[lengthAt + 1] = dataLength;
  target[end] = 0;
  target[end + 1] = OPTION_PADDING;
  target[end + 2] = 0;
  target[end + 3] = padding;
  const paddedEnd = end + OPTION_HEAD + padding;
  target.fill(0, end + OPTION_HEAD, paddedEnd);
  return paddedEnd;
}
