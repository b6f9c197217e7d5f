/**
 * Writes messages with names compressed as a server does, which dns-packet does not do. Code of the tests' own.
 */

/** Labels from left to right; none is the root. Characters stand for octets. */
export type Labels = readonly string[];

export interface WrittenRecord {
  readonly owner: Labels;
  readonly type: number;
  readonly class: number;
  readonly ttl: number;
  /** RDATA, piece by piece: octets, or a name. */
  readonly data: readonly (Uint8Array | Labels)[];
}

export interface WrittenMessage {
  readonly id: number;
  /** Header octets 2 and 3. */
  readonly flags: number;
  readonly questions: readonly { readonly name: Labels; readonly type: number; readonly class: number }[];
  readonly answers: readonly WrittenRecord[];
  readonly authorities: readonly WrittenRecord[];
  readonly additionals: readonly WrittenRecord[];
}

export interface WriteOptions {
  /** Whether a name may end in a pointer to an earlier one; false writes all names out. */
  readonly compresses?: boolean;
}

export function writeMessage(message: WrittenMessage, { compresses = true }: WriteOptions = {}): Uint8Array {
  const octets: number[] = [];
  const known = new Map<string, number>();
  const write16 = (value: number): void => {
    octets.push((value >>> 8) & 0xff, value & 0xff);
  };
  const writeName = (labels: Labels): void => {
    for (let i = 0; i < labels.length; i++) {
      const rest = JSON.stringify(labels.slice(i));
      const at = known.get(rest);
      if (at !== undefined && compresses) {
        write16(0xc000 | at);
        return;
      }
      if (octets.length < 0x4000) known.set(rest, octets.length);
      octets.push(labels[i]!.length, ...Buffer.from(labels[i]!, 'latin1'));
    }
    octets.push(0);
  };
  const writeRecord = (record: WrittenRecord): void => {
    writeName(record.owner);
    write16(record.type);
    write16(record.class);
    write16(record.ttl >>> 16);
    write16(record.ttl & 0xffff);
    const lengthAt = octets.length;
    write16(0);
    for (const piece of record.data) {
      if (piece instanceof Uint8Array) octets.push(...piece);
      else writeName(piece);
    }
    const length = octets.length - lengthAt - 2;
    octets[lengthAt] = length >>> 8;
    octets[lengthAt + 1] = length & 0xff;
  };

  write16(message.id);
  write16(message.flags);
  const sections = [message.answers, message.authorities, message.additionals];
  write16(message.questions.length);
  for (const section of sections) write16(section.length);
  for (const question of message.questions) {
    writeName(question.name);
    write16(question.type);
    write16(question.class);
  }
  for (const section of sections) section.forEach(writeRecord);
  return Uint8Array.from(octets);
}

/** An OPT record of version 0 (RFC 6891). */
export function optRecord(udpSize: number, ttl = 0, options: Uint8Array = new Uint8Array(0)): WrittenRecord {
  return { owner: [], type: 41, class: udpSize, ttl, data: [options] };
}

/** The same octets in the middle of others, so that reading outside shows. */
export function embed(
  message: Uint8Array,
  before = 37,
  after = 53,
  poison = 0xc0,
): { bytes: Uint8Array; start: number; end: number } {
  const bytes = new Uint8Array(before + message.length + after).fill(poison);
  bytes.set(message, before);
  return { bytes, start: before, end: before + message.length };
}
