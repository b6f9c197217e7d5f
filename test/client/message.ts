/**
 * Messages as the tests read and write them: code of the tests' own, so that a mistake of the product cannot hide in both.
 */

export const TYPES: Readonly<Record<string, number>> = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  HINFO: 13,
  MX: 15,
  TXT: 16,
  RP: 17,
  AAAA: 28,
  LOC: 29,
  SRV: 33,
  NAPTR: 35,
  DNAME: 39,
  OPT: 41,
  DS: 43,
  SSHFP: 44,
  RRSIG: 46,
  NSEC: 47,
  DNSKEY: 48,
  TLSA: 52,
  SVCB: 64,
  HTTPS: 65,
  ANY: 255,
  URI: 256,
  CAA: 257,
  TYPE65280: 65_280,
};

export const FLAGS = { QR: 0x8000, AA: 0x0400, TC: 0x0200, RD: 0x0100, RA: 0x0080, AD: 0x0020, CD: 0x0010 } as const;

export interface QuestionOptions {
  readonly name: string;
  /** A name of `TYPES`. */
  readonly type: string;
  readonly id?: number;
  /** Header bytes 2-3; RD alone where not given. */
  readonly flags?: number;
  readonly class?: number;
  /** An OPT record is sent where this or `dnssecOk` is given. */
  readonly udpSize?: number;
  readonly dnssecOk?: boolean;
  /** Whole EDNS options, heads included. */
  readonly options?: Uint8Array;
}

export interface Section {
  /** Lower case, in presentation form. */
  readonly owner: string;
  readonly type: number;
  readonly class: number;
  readonly ttl: number;
  /** Hexadecimal; names inside are expanded and in lower case. */
  readonly data: string;
}

export interface Message {
  readonly id: number;
  readonly flags: number;
  readonly rcode: number;
  readonly isTruncated: boolean;
  /** The bytes of the question, as they came. */
  readonly question: string;
  readonly answers: readonly Section[];
  readonly authorities: readonly Section[];
  /** Without OPT. */
  readonly additionals: readonly Section[];
  readonly opt: { readonly udpSize: number; readonly dnssecOk: boolean; readonly options: string } | undefined;
  readonly length: number;
}

/** A query in wire form. */
export function encodeQuestion({
  name,
  type,
  id = 0,
  flags = FLAGS.RD,
  class: qclass = 1,
  ...edns
}: QuestionOptions): Buffer {
  const typeNumber = TYPES[type];
  if (typeNumber === undefined) throw new Error(`Cannot ask for type ${type}: not in the table`);
  const hasOpt = edns.udpSize !== undefined || edns.dnssecOk !== undefined || edns.options !== undefined;
  const header = Buffer.alloc(12);
  header.writeUInt16BE(id, 0);
  header.writeUInt16BE(flags, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(hasOpt ? 1 : 0, 10);
  const tail = Buffer.alloc(4);
  tail.writeUInt16BE(typeNumber, 0);
  tail.writeUInt16BE(qclass, 2);
  return Buffer.concat([header, encodeName(name), tail, ...(hasOpt ? [encodeOpt(edns)] : [])]);
}

function encodeOpt({
  udpSize = 1232,
  dnssecOk = false,
  options = new Uint8Array(0),
}: Partial<QuestionOptions>): Buffer {
  const opt = Buffer.alloc(11);
  opt.writeUInt16BE(TYPES['OPT']!, 1);
  opt.writeUInt16BE(udpSize, 3);
  opt.writeUInt16BE(dnssecOk ? 0x8000 : 0, 7);
  opt.writeUInt16BE(options.length, 9);
  return Buffer.concat([opt, options]);
}

/** Presentation form (RFC 1035, section 5.1: `\.` and `\ddd`) to wire form. */
export function encodeName(text: string): Buffer {
  const bytes: number[] = [];
  let label: number[] = [];
  for (let at = 0; at < text.length; at++) {
    const escaped = /^\\(\d{3}|.)/.exec(text.slice(at));
    if (escaped) {
      label.push(escaped[1]!.length === 3 ? Number(escaped[1]) : escaped[1]!.charCodeAt(0));
      at += escaped[0].length - 1;
    } else if (text[at] === '.') {
      if (label.length > 0) bytes.push(label.length, ...label);
      label = [];
    } else {
      label.push(text.charCodeAt(at));
    }
  }
  if (label.length > 0) bytes.push(label.length, ...label);
  return Buffer.from([...bytes, 0]);
}

/** Reads a reply whole; throws where it is malformed or has bytes left over. */
export function decodeMessage(bytes: Buffer): Message {
  const reader = new Reader(bytes);
  const flags = bytes.readUInt16BE(2);
  reader.at = 12;
  for (let left = bytes.readUInt16BE(4); left > 0; left--) {
    reader.name();
    reader.at += 4;
  }
  const question = bytes.toString('hex', 12, reader.at);
  const answers = reader.section(bytes.readUInt16BE(6));
  const authorities = reader.section(bytes.readUInt16BE(8));
  const additionals = reader.section(bytes.readUInt16BE(10));
  if (reader.at !== bytes.length) throw new Error(`${bytes.length - reader.at} bytes after the last record`);
  const opt = additionals.find((record) => record.type === TYPES['OPT']);
  return {
    id: bytes.readUInt16BE(0),
    flags,
    rcode: (flags & 0xf) | (opt ? (opt.ttl >>> 24) << 4 : 0),
    isTruncated: (flags & FLAGS.TC) !== 0,
    question,
    answers,
    authorities,
    additionals: additionals.filter((record) => record !== opt),
    opt: opt && { udpSize: opt.class, dnssecOk: (opt.ttl & 0x8000) !== 0, options: opt.data },
    length: bytes.length,
  };
}

/** Where names stand in the RDATA of the types that may compress them: `n` a name, a number so many bytes (RFC 3597, section 4). */
const LAYOUTS: Readonly<Record<number, readonly (number | 'n')[]>> = {
  2: ['n'],
  5: ['n'],
  6: ['n', 'n', 20],
  12: ['n'],
  15: [2, 'n'],
  17: ['n', 'n'],
  33: [6, 'n'],
  39: ['n'],
};

class Reader {
  at = 0;
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  section(count: number): Section[] {
    return Array.from({ length: count }, () => this.#record());
  }

  /** The name at `at` in presentation form and lower case. */
  name(): string {
    const labels: string[] = [];
    let at = this.at;
    let jumps = 0;
    for (;;) {
      const length = this.#bytes.readUInt8(at);
      if (length >= 0xc0) {
        if (jumps++ === 0) this.at = at + 2;
        if (jumps > 128) throw new Error('a name that never ends');
        at = this.#bytes.readUInt16BE(at) & 0x3fff;
      } else {
        if (length > 63) throw new Error(`a label of type ${length >> 6}`);
        if (length > 0) labels.push(labelToText(this.#bytes.subarray(at + 1, at + 1 + length)));
        at += 1 + length;
        if (length === 0) break;
      }
    }
    if (jumps === 0) this.at = at;
    return `${labels.join('.')}.`;
  }

  #record(): Section {
    const owner = this.name();
    const head = this.at;
    const type = this.#bytes.readUInt16BE(head);
    const dataEnd = head + 10 + this.#bytes.readUInt16BE(head + 8);
    this.at = head + 10;
    const data = this.#data(LAYOUTS[type] ?? [], dataEnd);
    return { owner, type, class: this.#bytes.readUInt16BE(head + 2), ttl: this.#bytes.readUInt32BE(head + 4), data };
  }

  #data(layout: readonly (number | 'n')[], end: number): string {
    const pieces = layout.map((part) =>
      part === 'n' ? encodeName(this.name()).toString('hex') : this.#hex(this.at + part),
    );
    pieces.push(this.#hex(end));
    return pieces.join('');
  }

  #hex(end: number): string {
    if (end > this.#bytes.length || end < this.at) throw new Error('RDATA that reaches past its end');
    const text = this.#bytes.toString('hex', this.at, end);
    this.at = end;
    return text;
  }
}

function labelToText(label: Buffer): string {
  return [...label]
    .map((byte) => {
      const character = String.fromCharCode(byte).toLowerCase();
      if (/[.\\]/.test(character)) return `\\${character}`;
      return byte > 32 && byte < 127 ? character : `\\${String(byte).padStart(3, '0')}`;
    })
    .join('');
}

/** The codes of the extended errors (RFC 8914) that a reply carries. */
export function extendedErrors({ opt }: Message): number[] {
  const options = Buffer.from(opt?.options ?? '', 'hex');
  const codes: number[] = [];
  for (let at = 0; at < options.length; at += 4 + options.readUInt16BE(at + 2)) {
    if (options.readUInt16BE(at) === 15) codes.push(options.readUInt16BE(at + 4));
  }
  return codes;
}
