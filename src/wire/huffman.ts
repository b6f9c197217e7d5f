/** Bits of the code of each octet, and of the end mark behind them (RFC 7541, appendix B). Codes are counted up by length, then by octet, so lengths say all. */
const LENGTHS: readonly number[] = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28,
  28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
  13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6, 15, 5, 6, 5, 6,
  5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23,
  22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22, 21, 20, 22, 22,
  23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23, 26, 26,
  20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27,
  27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27,
  27, 27, 27, 26, 30,
];

const END_MARK = 256;
const LONGEST = 30;

/** Octets by length and value; of each length its first code, and where its octets begin. */
const octets = LENGTHS.map((length, octet) => ({ length, octet }))
  .sort((a, b) => a.length - b.length || a.octet - b.octet)
  .map(({ octet }) => octet);
const counts = Array.from({ length: LONGEST + 1 }, (_, length) => LENGTHS.filter((each) => each === length).length);
const firstCodes = new Int32Array(LONGEST + 1);
const firstOctets = new Int32Array(LONGEST + 1);
for (let length = 1; length <= LONGEST; length++) {
  firstCodes[length] = (firstCodes[length - 1]! + counts[length - 1]!) << 1;
  firstOctets[length] = firstOctets[length - 1]! + counts[length - 1]!;
}

/** Writes what is coded in [start, end) to `target`; returns its length, or -1 where it is not coded right (RFC 7541, section 5.2) or longer than `target`. */
export function decodeHuffman(bytes: Uint8Array, start: number, end: number, target: Uint8Array): number {
  let filled = 0;
  let code = 0;
  let length = 0;
  for (let offset = start; offset < end; offset++) {
    for (let bit = 7; bit >= 0; bit--) {
      code = (code << 1) | ((bytes[offset]! >> bit) & 1);
      if (++length > LONGEST) return -1;
      const place = code - firstCodes[length]!;
      if (place >= counts[length]!) continue;
      const octet = octets[firstOctets[length]! + place]!;
      if (octet === END_MARK || filled === target.length) return -1;
      target[filled++] = octet;
      code = 0;
      length = 0;
    }
  }
  // What fills the last octet are the first bits of the end mark: ones.
  return length < 8 && code === (1 << length) - 1 ? filled : -1;
}
