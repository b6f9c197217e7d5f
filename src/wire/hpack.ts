import * as table from './header-table.ts';
import { decodeHuffman } from './huffman.ts';

const STATUSES = [200, 204, 206, 304, 400, 404, 500];

const INDEXED = 0x80;
const KEPT = 0x40;
const TABLE_SIZE = 0x20;
const HUFFMAN = 0x80;

/** Longer than any text that is read here. Of a longer one that the table keeps, the length alone is made out. */
const LONGEST_TEXT = 256;

/** Where coded texts are written to: a whole head of them, each octet at least 5 bits. */
const ROOM = new Uint8Array(32_768);

/**
 * The heads of the HTTP/2 responses of one connection (RFC 7541), one after the other: of each the fields that a DNS reply depends on. Every head must be read, for each may
 * refer to what was in those before it.
 */
export class ResponseHead {
  /** 0: none came. */
  status = 0;
  contentType = '';
  retryAfter = '';
  /** Seconds that the answer lay in caches on its way. */
  age = 0;
  /** -1: not told. */
  contentLength = -1;
  readonly #table = new table.HeaderTable();
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;
  #end = 0;
  /** Of the text that was read last, in octets without Huffman's code. */
  #textLength = 0;

  /** Reads a whole header block in [start, end); false where it is malformed, and then no other one can be read. */
  read(bytes: Uint8Array, start: number, end: number): boolean {
    this.status = 0;
    this.contentType = '';
    this.retryAfter = '';
    this.age = 0;
    this.contentLength = -1;
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
    return this.#readSizes() && this.#readFields();
  }

  /** How large the table may be is told before all fields or not at all (RFC 7541, section 4.2). */
  #readSizes(): boolean {
    while (this.#at < this.#end) {
      const first = this.#bytes[this.#at]!;
      if (first < TABLE_SIZE || first >= KEPT) return true;
      if (!this.#table.resize(this.#readNumber(0x1f))) return false;
    }
    return true;
  }

  #readFields(): boolean {
    while (this.#at < this.#end) if (!this.#readField(this.#bytes[this.#at]!)) return false;
    return true;
  }

  #readField(first: number): boolean {
    if (first >= INDEXED) return this.#takeIndexed(this.#readNumber(0x7f));
    if (first >= KEPT) return this.#takeLiteral(this.#readNumber(0x3f), true);
    if (first >= TABLE_SIZE) return false;
    return this.#takeLiteral(this.#readNumber(0x0f), false);
  }

  #takeIndexed(index: number): boolean {
    if (!this.#table.has(index)) return false;
    const status = STATUSES[index - table.FIELD_STATUS];
    if (status === undefined) {
      this.#take(this.#table.fieldAt(index), index > table.LAST_STATIC ? this.#table.valueAt(index) : '');
    } else this.status = status;
    return true;
  }

  #takeLiteral(index: number, isKept: boolean): boolean {
    let field = table.FIELD_OTHER;
    let nameLength = 0;
    if (index === 0) {
      const name = this.#readText();
      if (name === undefined) return false;
      field = table.fieldNamed(name);
      nameLength = this.#textLength;
    } else {
      if (!this.#table.has(index)) return false;
      field = this.#table.fieldAt(index);
      nameLength = this.#table.nameLengthAt(index);
    }
    if (field === table.FIELD_OTHER && !isKept) return this.#skipText();
    const value = this.#readText();
    if (value === undefined) return false;
    if (isKept) this.#table.add(field, field === table.FIELD_OTHER ? '' : value, nameLength, this.#textLength);
    this.#take(field, value);
    return true;
  }

  #take(field: number, value: string): void {
    switch (field) {
      case table.FIELD_STATUS:
        this.status = /^\d{3}$/.test(value) ? Number(value) : 0;
        break;
      case table.FIELD_CONTENT_TYPE:
        this.contentType = value;
        break;
      case table.FIELD_CONTENT_LENGTH:
        this.contentLength = /^\d{1,9}$/.test(value) ? Number(value) : Number.POSITIVE_INFINITY;
        break;
      case table.FIELD_RETRY_AFTER:
        this.retryAfter = value;
        break;
      case table.FIELD_AGE:
        this.age = /^\d+$/.test(value) ? Number(value) : 0;
        break;
    }
  }

  #skipText(): boolean {
    if (this.#at >= this.#end) return false;
    const length = this.#readNumber(0x7f);
    if (length < 0 || length > this.#end - this.#at) return false;
    this.#at += length;
    return true;
  }

  /** The text, '' where it is longer than any that matters; undefined where it is malformed. */
  #readText(): string | undefined {
    const isCoded = this.#at < this.#end && this.#bytes[this.#at]! >= HUFFMAN;
    const start = this.#at;
    if (!this.#skipText()) return undefined;
    const end = this.#at;
    // Where the text begins: behind its length.
    this.#at = start;
    this.#readNumber(0x7f);
    const textStart = this.#at;
    this.#at = end;
    this.#textLength = isCoded ? decodeHuffman(this.#bytes, textStart, end, ROOM) : end - textStart;
    if (this.#textLength < 0) return undefined;
    if (this.#textLength > LONGEST_TEXT) return '';
    const text = isCoded ? ROOM.subarray(0, this.#textLength) : this.#bytes.subarray(textStart, end);
    return String.fromCharCode(...text);
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
