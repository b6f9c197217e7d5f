import { decodeHuffman } from './huffman.ts';

/** RFC 7541, appendix A: the last of the fields that both ends know, and those that matter here. */
const LAST_STATIC = 61;
const FIRST_STATUS = 8;
const STATUSES = [200, 204, 206, 304, 400, 404, 500];
const AUTHORITY = 1;
const METHOD_POST = 3;
const PATH = 4;
const SCHEME_HTTPS = 7;
const ACCEPT = 19;
const CONTENT_LENGTH = 28;
const CONTENT_TYPE = 31;
const RETRY_AFTER = 53;

/** What else a field may be called in full. */
const NAMES: Readonly<Record<string, number>> = {
  ':status': FIRST_STATUS,
  'content-type': CONTENT_TYPE,
  'retry-after': RETRY_AFTER,
};

const INDEXED = 0x80;
const KEPT = 0x40;
const TABLE_SIZE = 0x20;
const HUFFMAN = 0x80;

/** Longer than any field that is read here; more would only cost time. */
const LONGEST_VALUE = 256;

/**
 * The head of an HTTP/2 response: the three fields that a DNS reply depends on. The table that HPACK builds up is not kept, for our settings tell the server that
 * there is none. One reused instance.
 */
export class ResponseHead {
  status = 0;
  contentType = '';
  retryAfter = '';
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;
  #end = 0;

  /** Reads a whole header block in [start, end); false where it is malformed. */
  read(bytes: Uint8Array, start: number, end: number): boolean {
    this.status = 0;
    this.contentType = '';
    this.retryAfter = '';
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
    while (this.#at < end) if (!this.#readField(bytes[this.#at]!)) return false;
    return this.#at === end;
  }

  #readField(first: number): boolean {
    if (first >= INDEXED) return this.#takeIndexed(this.#readNumber(0x7f));
    if (first >= KEPT) return this.#takeLiteral(this.#readNumber(0x3f));
    if (first >= TABLE_SIZE) return this.#readNumber(0x1f) === 0;
    return this.#takeLiteral(this.#readNumber(0x0f));
  }

  #takeIndexed(index: number): boolean {
    if (index < 1 || index > LAST_STATIC) return false;
    const status = STATUSES[index - FIRST_STATUS];
    if (status !== undefined) this.status = status;
    return true;
  }

  #takeLiteral(index: number): boolean {
    if (index < 0 || index > LAST_STATIC) return false;
    let field = index;
    if (index === 0) {
      const name = this.#readText();
      if (name === undefined) return false;
      field = NAMES[name] ?? AUTHORITY;
    }
    const isStatus = field >= FIRST_STATUS && field < FIRST_STATUS + STATUSES.length;
    if (!isStatus && field !== CONTENT_TYPE && field !== RETRY_AFTER) return this.#skipText();
    const value = this.#readText();
    if (value === undefined) return false;
    if (isStatus) this.status = /^\d{3}$/.test(value) ? Number(value) : 0;
    else if (field === CONTENT_TYPE) this.contentType = value;
    else this.retryAfter = value;
    return true;
  }

  #skipText(): boolean {
    if (this.#at >= this.#end) return false;
    const length = this.#readNumber(0x7f);
    if (length < 0 || length > this.#end - this.#at) return false;
    this.#at += length;
    return true;
  }

  #readText(): string | undefined {
    const isCoded = this.#bytes[this.#at]! >= HUFFMAN;
    const start = this.#at;
    if (!this.#skipText()) return undefined;
    const end = this.#at;
    // Where the value begins: behind its length.
    this.#at = start;
    this.#readNumber(0x7f);
    const valueStart = this.#at;
    this.#at = end;
    if (end - valueStart > LONGEST_VALUE) return '';
    if (isCoded) return decodeHuffman(this.#bytes, valueStart, end);
    return String.fromCharCode(...this.#bytes.subarray(valueStart, end));
  }

  /** RFC 7541, section 5.1; -1 where it does not end, or is larger than anything here. */
  #readNumber(mask: number): number {
    let number = this.#bytes[this.#at++]! & mask;
    if (number < mask) return number;
    for (let shift = 0; shift <= 14; shift += 7) {
      if (this.#at >= this.#end) return -1;
      const octet = this.#bytes[this.#at++]!;
      number += (octet & 0x7f) << shift;
      if (octet < 0x80) return number;
    }
    return -1;
  }
}

/** What is the same in the head of every question that is posted: all but the length, which `writeContentLength` adds at the end. */
export function postHead(authority: string, path: string, contentType: string): Uint8Array {
  const fields: [name: number, value: string][] = [
    [AUTHORITY, authority],
    [PATH, path],
    [CONTENT_TYPE, contentType],
    [ACCEPT, contentType],
  ];
  const literals = fields.flatMap(([name, value]) => {
    const text = Buffer.from(value, 'latin1');
    return [...numberOctets(0, 0x0f, name), ...numberOctets(0, 0x7f, text.length), ...text];
  });
  return Uint8Array.of(INDEXED | METHOD_POST, INDEXED | SCHEME_HTTPS, ...literals);
}

/** Octets that `writeContentLength` may need. */
export const CONTENT_LENGTH_MOST = 8;

/** Writes the field to `target`; returns the offset after it. `length`: at most 5 digits. */
export function writeContentLength(target: Uint8Array, at: number, length: number): number {
  const digits = length < 10 ? 1 : length < 100 ? 2 : length < 1000 ? 3 : length < 10_000 ? 4 : 5;
  target[at] = 0x0f;
  target[at + 1] = CONTENT_LENGTH - 0x0f;
  target[at + 2] = digits;
  const end = at + 3 + digits;
  for (let offset = end - 1, rest = length; offset >= at + 3; offset--) {
    target[offset] = 0x30 + (rest % 10);
    rest = Math.floor(rest / 10);
  }
  return end;
}

function numberOctets(flags: number, mask: number, number: number): number[] {
  if (number < mask) return [flags | number];
  const octets = [flags | mask];
  let rest = number - mask;
  for (; rest >= 0x80; rest >>= 7) octets.push((rest & 0x7f) | 0x80);
  return [...octets, rest];
}
