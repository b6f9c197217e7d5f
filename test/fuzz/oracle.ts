/**
 * What wire/ should find in a message, read the plain way: a cursor that throws at the end of the octets. Slow, short, and written from the
 * RFCs, not from the code that it is held against.
 */

/** One for all: a stack for each would take most of the time. */
const MALFORMED = new Error('malformed');

class Cursor {
  at = 0;
  readonly octets: Uint8Array;

  constructor(octets: Uint8Array, at = 0) {
    this.octets = octets;
    this.at = at;
  }

  octet(): number {
    const octet = this.octets[this.at++];
    if (octet === undefined) throw MALFORMED;
    return octet;
  }

  number(octets: number): number {
    let value = 0;
    for (let i = 0; i < octets; i++) value = value * 256 + this.octet();
    return value;
  }

  skip(octets: number): void {
    for (let i = 0; i < octets; i++) this.octet();
  }
}

/** The expanded name at the cursor, which moves behind it. Throws where it is malformed, or has a pointer where there may be none. */
function readName(cursor: Cursor, mayPoint: boolean): number[] {
  const name: number[] = [];
  const labels = new Cursor(cursor.octets, cursor.at);
  let isOnWire = true;
  let runStart = cursor.at;
  for (let jumps = 0; ; ) {
    const length = labels.octet();
    if (length >= 0xc0 && mayPoint) {
      const pointed = (length - 0xc0) * 256 + labels.octet();
      if (isOnWire) cursor.at = labels.at;
      isOnWire = false;
      if (pointed < 12 || pointed >= runStart || ++jumps > 128) throw MALFORMED;
      labels.at = pointed;
      runStart = pointed;
      continue;
    }
    if (length > 63) throw MALFORMED;
    name.push(length);
    for (let i = 0; i < length; i++) name.push(labels.octet());
    if (name.length > 255) throw MALFORMED;
    if (isOnWire) cursor.at = labels.at;
    if (length === 0) return name;
  }
}

/** Moves behind the name without looking where a pointer leads. */
function skipName(cursor: Cursor): void {
  const start = cursor.at;
  for (;;) {
    if (cursor.at - start >= 255) throw MALFORMED;
    const length = cursor.octet();
    if (length >= 0xc0) cursor.skip(1);
    if (length > 63 && length < 0xc0) throw MALFORMED;
    if (length === 0 || length >= 0xc0) return;
    cursor.skip(length);
  }
}

export interface RecordRead {
  readonly ownerAt: number;
  /** Expanded. */
  readonly owner: readonly number[];
  readonly isRoot: boolean;
  readonly type: number;
  readonly class: number;
  readonly ttl: number;
  readonly ttlAt: number;
  readonly dataAt: number;
  readonly data: Uint8Array;
  readonly end: number;
}

function readRecord(cursor: Cursor, mustExpand: boolean): RecordRead {
  const ownerAt = cursor.at;
  const isRoot = cursor.octets[ownerAt] === 0;
  let owner: number[] = [];
  if (mustExpand) owner = readName(cursor, true);
  else skipName(cursor);
  const type = cursor.number(2);
  const classNumber = cursor.number(2);
  const ttlAt = cursor.at;
  const ttl = cursor.number(4);
  const length = cursor.number(2);
  const dataAt = cursor.at;
  cursor.skip(length);
  const { octets, at: end } = cursor;
  return {
    ownerAt,
    owner,
    isRoot,
    type,
    class: classNumber,
    ttl,
    ttlAt,
    dataAt,
    data: octets.subarray(dataAt, end),
    end,
  };
}

const signs = ({ type, data }: RecordRead): boolean =>
  type === 250 || (type === 24 && data.length >= 2 && data[0] === 0 && data[1] === 0);

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error !== MALFORMED) throw error;
    return undefined;
  }
}

const hasWholeOptions = (data: Uint8Array): boolean =>
  attempt(() => {
    for (const cursor = new Cursor(data); cursor.at < data.length; ) {
      cursor.skip(2);
      cursor.skip(cursor.number(2));
    }
    return true;
  }) ?? false;

/** What a client is to be told: the names of the QUERY_ numbers of wire/query.ts. */
export function expectedOutcome(octets: Uint8Array): 'DROP' | 'FORMERR' | 'RELAY' | 'BADVERS' | 'OK' {
  if (octets.length < 12 || octets[2]! >= 0x80) return 'DROP';
  if ((octets[2]! & 0x78) !== 0) return 'RELAY';
  return attempt(() => readQuery(octets)) ?? 'FORMERR';
}

function readQuery(octets: Uint8Array): 'FORMERR' | 'RELAY' | 'BADVERS' | 'OK' {
  const header = new Cursor(octets, 4);
  const [questions, answers, authorities, additionals] = [
    header.number(2),
    header.number(2),
    header.number(2),
    header.number(2),
  ];
  if (questions !== 1) return 'FORMERR';
  readName(header, false);
  const type = header.number(2);
  header.skip(2);
  for (let i = 0; i < answers + authorities; i++) readRecord(header, false);
  const records = Array.from({ length: additionals }, () => readRecord(header, false));
  const opts = records.filter((record) => record.type === 41);
  if (opts.length > 1 || opts.some((opt) => !opt.isRoot || !hasWholeOptions(opt.data))) return 'FORMERR';
  if (records.slice(0, -1).some(signs)) return 'FORMERR';
  if (records.some(signs) || [249, 250, 251, 252, 253, 254].includes(type)) return 'RELAY';
  return opts.length === 1 && ((opts[0]!.ttl >>> 16) & 0xff) > 0 ? 'BADVERS' : 'OK';
}

export interface ReplyRead {
  readonly questionEnd: number;
  readonly recordsEnd: number;
  readonly ttlOffsets: readonly number[];
  readonly soaMinimum: number | undefined;
  readonly optAt: number;
  readonly isSigned: boolean;
  /** Without OPT and signature, section by section. */
  readonly sections: readonly (readonly RecordRead[])[];
}

/** What a scan should find in an upstream's reply, or undefined where it is malformed. */
export function expectedReply(octets: Uint8Array): ReplyRead | undefined {
  return attempt(() => readReply(octets));
}

function readReply(octets: Uint8Array): ReplyRead | undefined {
  const cursor = new Cursor(octets, 4);
  const [questions, answers, authorities, additionals] = [
    cursor.number(2),
    cursor.number(2),
    cursor.number(2),
    cursor.number(2),
  ];
  if (questions > 1) return undefined;
  if (questions === 1) {
    readName(cursor, false);
    cursor.skip(4);
  }
  const questionEnd = cursor.at;
  const first = Array.from({ length: answers + authorities }, () => readRecord(cursor, true));
  if (first.some(({ type }) => type === 41 || type === 250)) return undefined;
  const soa = first.slice(answers).find(({ type }) => type === 6);
  const soaMinimum = soa === undefined ? undefined : readMinimum(soa);
  const rest = Array.from({ length: additionals }, () => readRecord(cursor, true));
  const opts = rest.filter(({ type }) => type === 41);
  if (opts.length > 1 || opts.some((opt) => !opt.isRoot) || rest.slice(0, -1).some(signs)) return undefined;
  const kept = [...first, ...rest.filter((record) => record.type !== 41 && !signs(record))];
  return {
    questionEnd,
    recordsEnd: kept.at(-1)?.end ?? questionEnd,
    ttlOffsets: kept.map(({ ttlAt }) => ttlAt - questionEnd),
    soaMinimum,
    optAt: opts[0]?.ownerAt ?? -1,
    isSigned: rest.some(signs),
    sections: [first.slice(0, answers), first.slice(answers), kept.slice(first.length)],
  };
}

function readMinimum({ data }: RecordRead): number {
  const cursor = new Cursor(data);
  skipName(cursor);
  skipName(cursor);
  cursor.skip(16);
  const minimum = cursor.number(4);
  return minimum > 0x7fffffff ? 0 : minimum;
}

/** The uncompressed name at `offset`, or undefined where it is malformed. */
export function expectedName(octets: Uint8Array, offset: number): readonly number[] | undefined {
  return attempt(() => readName(new Cursor(octets, offset), true));
}

/** The offset after the name at `offset`, pointers not followed; -1 where there is none. */
export function expectedNameEnd(octets: Uint8Array, offset: number): number {
  const cursor = new Cursor(octets, offset);
  const end = attempt(() => {
    skipName(cursor);
    return cursor.at;
  });
  return end ?? -1;
}
