import { OPTION_EDE, TYPE_OPT } from './constants.ts';

/**
 * Writes an OPT record of EDNS version 0 to `target` at `at`, where there must be room for 11 octets and the options; returns the offset
 * after it (RFC 6891, section 6.1.2). `extendedRcode` is the full RCODE >> 4. The options in [optionsStart, optionsEnd) are copied as they are.
 */
export function writeOpt(
  target: Uint8Array,
  at: number,
  udpSize: number,
  extendedRcode: number,
  dnssecOk: boolean,
  options: Uint8Array,
  optionsStart: number,
  optionsEnd: number,
): number {
  const length = optionsEnd - optionsStart;
  target[at] = 0;
  target[at + 1] = 0;
  target[at + 2] = TYPE_OPT;
  target[at + 3] = udpSize >>> 8;
  target[at + 4] = udpSize;
  target[at + 5] = extendedRcode;
  target[at + 6] = 0;
  target[at + 7] = dnssecOk ? 0x80 : 0;
  target[at + 8] = 0;
  target[at + 9] = length >>> 8;
  target[at + 10] = length;
  for (let i = 0; i < length; i++) target[at + 11 + i] = options[optionsStart + i]!;
  return at + 11 + length;
}

/** The offset of the 4-octet head of the first option of that code in [start, end), or -1. */
export function findOption(bytes: Uint8Array, start: number, end: number, code: number): number {
  for (let offset = start; offset + 4 <= end; ) {
    const next = offset + 4 + ((bytes[offset + 2]! << 8) | bytes[offset + 3]!);
    if (next > end) return -1;
    if (((bytes[offset]! << 8) | bytes[offset + 1]!) === code) return offset;
    offset = next;
  }
  return -1;
}

/** An extended DNS error as a whole option with its head (RFC 8914, section 2). */
export function edeOption(code: number, text: string): Uint8Array {
  const extraText = new TextEncoder().encode(text);
  const option = new Uint8Array(6 + extraText.length);
  const length = 2 + extraText.length;
  option[1] = OPTION_EDE;
  option[2] = length >>> 8;
  option[3] = length;
  option[4] = code >>> 8;
  option[5] = code;
  option.set(extraText, 6);
  return option;
}
