import { HEADER_LENGTH, MAX_LABEL_LENGTH, MAX_NAME_LENGTH } from './constants.ts';

/** A name has at most 127 labels and the root; more jumps than that would be pointers to pointers. */
const MAX_JUMPS = 128;
const POINTER = 0xc0;

/**
 * The offset just after the name at `offset`, or -1 where it is malformed (RFC 1035, section 4.1.4).
 * Pointers end a name on the wire and are not followed.
 */
export function skipName(message: Uint8Array, offset: number, end: number): number {
  const limit = offset + MAX_NAME_LENGTH;
  while (offset < end) {
    const length = message[offset]!;
    if (length === 0) return offset < limit ? offset + 1 : -1;
    if (length > MAX_LABEL_LENGTH) {
      return length >= POINTER && offset + 2 <= end && offset < limit ? offset + 2 : -1;
    }
    offset += 1 + length;
  }
  return -1;
}

/** The offset just after an uncompressed name, or -1 where it is malformed, has a pointer, or is over 255 octets. */
export function skipPlainName(message: Uint8Array, offset: number, end: number): number {
  const limit = offset + MAX_NAME_LENGTH < end ? offset + MAX_NAME_LENGTH : end;
  while (offset < limit) {
    const length = message[offset]!;
    if (length === 0) return offset + 1;
    if (length > MAX_LABEL_LENGTH) return -1;
    offset += 1 + length;
  }
  return -1;
}

/**
 * Writes the name at `offset` without compression, its case kept, to `target` at `at`, where there must be room for 255 octets.
 * Pointers count from `start`, where the message's header begins; each must lead back to before the labels that it ends, and not into
 * the header. Returns the length (at most 255), or -1 where the name is malformed; what `target` holds then is not to be used.
 */
export function expandName(
  message: Uint8Array,
  start: number,
  offset: number,
  end: number,
  target: Uint8Array,
  at: number,
): number {
  let length = 0;
  let jumps = 0;
  let runStart = offset;
  while (offset < end) {
    const octet = message[offset]!;
    if (octet <= MAX_LABEL_LENGTH) {
      const next = offset + octet + 1;
      if (length + octet + 1 > MAX_NAME_LENGTH || next > end) return -1;
      while (offset < next) target[at + length++] = message[offset++]!;
      if (octet === 0) return length;
    } else {
      offset = followPointer(message, start, offset, end, runStart);
      if (offset < 0 || ++jumps > MAX_JUMPS) return -1;
      runStart = offset;
    }
  }
  return -1;
}

/** The length that `expandName` would give, with nothing written. */
export function expandedLength(message: Uint8Array, start: number, offset: number, end: number): number {
  let length = 0;
  let jumps = 0;
  let runStart = offset;
  while (offset < end) {
    const octet = message[offset]!;
    if (octet <= MAX_LABEL_LENGTH) {
      length += octet + 1;
      offset += octet + 1;
      if (length > MAX_NAME_LENGTH || offset > end) return -1;
      if (octet === 0) return length;
    } else {
      offset = followPointer(message, start, offset, end, runStart);
      if (offset < 0 || ++jumps > MAX_JUMPS) return -1;
      runStart = offset;
    }
  }
  return -1;
}

/**
 * Where the pointer at `offset` leads, or -1. Strictly backwards: what it leads to lies before the labels that it ends, so that no loop
 * is possible. Not into the header: ID and flags are changed in place, and the name would change with them.
 */
function followPointer(message: Uint8Array, start: number, offset: number, end: number, runStart: number): number {
  if (message[offset]! < POINTER || offset + 2 > end) return -1;
  const pointed = start + (((message[offset]! & 0x3f) << 8) | message[offset + 1]!);
  return pointed >= start + HEADER_LENGTH && pointed < runStart ? pointed : -1;
}

/**
 * Whether two stretches of names are equal but for the case of A-Z (RFC 4343). For names only, never over type and class: a type of 65 is
 * the letter A there. Length octets are below 64 and so not letters.
 */
export function equalFolded(a: Uint8Array, aStart: number, b: Uint8Array, bStart: number, length: number): boolean {
  for (let i = 0; i < length; i++) {
    const x = a[aStart + i]!;
    const y = b[bStart + i]!;
    if (x !== y) {
      const lower = x | 0x20;
      if ((x ^ y) !== 0x20 || lower < 0x61 || lower > 0x7a) return false;
    }
  }
  return true;
}

/** Whether the uncompressed name in [start, nameEnd) is `zone`, an uncompressed name too, or lies below it: label by label, whatever the case. */
export function isWithin(bytes: Uint8Array, start: number, nameEnd: number, zone: Uint8Array): boolean {
  const suffix = nameEnd - zone.length;
  if (suffix < start || !equalFolded(bytes, suffix, zone, 0, zone.length)) return false;
  let offset = start;
  while (offset < suffix) offset += 1 + bytes[offset]!;
  return offset === suffix;
}

/** Presentation form of an uncompressed name, with trailing dot and the escapes of RFC 1035, section 5.1. */
export function nameToText(wire: Uint8Array, offset: number): string {
  let text = '';
  for (let length = wire[offset] ?? 0; length > 0 && length <= MAX_LABEL_LENGTH; length = wire[offset] ?? 0) {
    const labelEnd = Math.min(offset + 1 + length, wire.length);
    for (offset++; offset < labelEnd; offset++) text += octetToText(wire[offset]!);
    text += '.';
  }
  return text === '' ? '.' : text;
}

/** Those with a meaning of their own in a zone file. */
const ESCAPED = new Set([...'.\\"();@$'].map((character) => character.charCodeAt(0)));

function octetToText(octet: number): string {
  if (octet < 0x21 || octet > 0x7e) return `\\${String(octet).padStart(3, '0')}`;
  return ESCAPED.has(octet) ? `\\${String.fromCharCode(octet)}` : String.fromCharCode(octet);
}

/**
 * Wire form of a name in presentation form, with or without trailing dot; '.' is the root. Undefined where a label is empty or over
 * 63 octets, the name is over 255, an escape is not one, or a character is not printable ASCII (names in other scripts come as A-labels).
 */
export function nameFromText(text: string): Uint8Array | undefined {
  if (text === '.') return new Uint8Array(1);
  const wire = new Uint8Array(MAX_NAME_LENGTH);
  let labelAt = 0;
  let at = 1;
  for (let i = 0; i < text.length; ) {
    const code = text.charCodeAt(i);
    if (code === DOT) {
      if (at === labelAt + 1) return undefined;
      wire[labelAt] = at - labelAt - 1;
      labelAt = at++;
      i++;
      continue;
    }
    const octet = code === BACKSLASH ? escapedOctet(text, i) : code;
    // The octet must leave room for the root after it.
    if (octet < 0 || octet > 0xff || at - labelAt > MAX_LABEL_LENGTH || at >= MAX_NAME_LENGTH - 1) return undefined;
    if (code < 0x21 || code > 0x7e) return undefined;
    wire[at++] = octet;
    i += code === BACKSLASH ? escapeLength(text, i) : 1;
  }
  if (at === labelAt + 1) return labelAt === 0 ? undefined : wire.slice(0, at);
  wire[labelAt] = at - labelAt - 1;
  return wire.slice(0, at + 1);
}

const DOT = 0x2e;
const BACKSLASH = 0x5c;

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

function escapeLength(text: string, offset: number): number {
  return isDigit(text.charCodeAt(offset + 1)) ? 4 : 2;
}

/** What the backslash at `offset` stands for: `\X` is X itself, `\DDD` the octet of that decimal number. -1 where it is neither. */
function escapedOctet(text: string, offset: number): number {
  const code = text.charCodeAt(offset + 1);
  if (!isDigit(code)) return code >= 0x21 && code <= 0x7e ? code : -1;
  const digits = text.slice(offset + 1, offset + 4);
  return /^\d{3}$/.test(digits) ? Number(digits) : -1;
}
