import { decodeHuffman } from '../../src/wire/huffman.ts';

/** A field, by the rules of RFC 7541 and in no hurry. */
type Field = readonly [name: string, value: string];

const STATUSES = [200, 204, 206, 304, 400, 404, 500];
/** Those static fields that matter; the length of each of the others is what counts, so they have names of that length. */
const NAMES: Readonly<Record<number, string>> = {
  21: 'age',
  28: 'content-length',
  31: 'content-type',
  53: 'retry-after',
};
const LENGTHS = [
  10, 7, 7, 5, 5, 7, 7, 7, 7, 7, 7, 7, 7, 7, 14, 15, 15, 13, 6, 27, 3, 5, 13, 13, 19, 16, 16, 14, 16, 13, 12, 6, 4, 4,
  6, 7, 4, 4, 8, 17, 13, 8, 19, 13, 4, 8, 12, 18, 19, 5, 7, 7, 11, 6, 10, 25, 17, 10, 4, 3, 16,
];
const STATIC: readonly Field[] = LENGTHS.map((length, at) => {
  const status = STATUSES[at - 7];
  return status === undefined ? [NAMES[at + 1] ?? '?'.repeat(length), ''] : [':status', `${status}`];
});

const MATTERING = new Set([':status', ...Object.values(NAMES)]);

class Malformed extends Error {}

/** All fields of the blocks of one connection, one block after the other. */
export class HpackOracle {
  #table: Field[] = [];
  #most = 4096;
  #octets: number[] = [];

  /** The first index that means nothing. */
  get end(): number {
    return STATIC.length + this.#table.length + 1;
  }

  /** The fields of a block, or undefined: it is malformed. */
  read(block: Uint8Array): Field[] | undefined {
    this.#octets = [...block];
    const fields: Field[] = [];
    try {
      while (this.#octets.length > 0) {
        const first = this.#octets[0]!;
        if (first >= 128) fields.push(this.#entry(this.#number(7)));
        else if (first >= 64) fields.push(this.#keep(this.#literal(6, true)));
        else if (first < 32) fields.push(this.#literal(4, false));
        else if (fields.length > 0) return undefined;
        else this.#resize(this.#number(5));
      }
      return fields;
    } catch (error) {
      if (error instanceof Malformed) return undefined;
      throw error;
    }
  }

  /** The value of a field that does not matter and is not kept need not be coded right. */
  #literal(bits: number, isKept: boolean): Field {
    const index = this.#number(bits);
    const name = index === 0 ? this.#text() : this.#entry(index)[0];
    return [name, isKept || MATTERING.has(name) ? this.#text() : this.#skip()];
  }

  #entry(index: number): Field {
    const field = [...STATIC, ...this.#table][index - 1];
    if (field === undefined) throw new Malformed();
    return field;
  }

  #keep(field: Field): Field {
    this.#table.unshift(field);
    this.#resize(this.#most);
    return field;
  }

  #resize(most: number): void {
    if (most > 4096) throw new Malformed();
    this.#most = most;
    const size = (): number => this.#table.reduce((sum, [name, value]) => sum + name.length + value.length + 32, 0);
    while (size() > most) this.#table.pop();
  }

  #next(): number {
    const octet = this.#octets.shift();
    if (octet === undefined) throw new Malformed();
    return octet;
  }

  /** Three octets behind the first are enough for anything here. */
  #number(bits: number): number {
    const most = 2 ** bits - 1;
    let number = this.#next() & most;
    if (number < most) return number;
    for (let factor = 1; factor <= 128 ** 2; factor *= 128) {
      const octet = this.#next();
      number += (octet & 127) * factor;
      if (octet < 128) return number;
    }
    throw new Malformed();
  }

  #skip(): string {
    const length = this.#number(7);
    if (length > this.#octets.length) throw new Malformed();
    return String.fromCharCode(...this.#octets.splice(0, length));
  }

  #text(): string {
    const isCoded = this.#octets.length > 0 && this.#octets[0]! >= 128;
    const text = this.#skip();
    if (!isCoded) return text;
    const target = new Uint8Array(4 * text.length);
    const decoded = decodeHuffman(Buffer.from(text, 'latin1'), 0, text.length, target);
    if (decoded < 0) throw new Malformed();
    return String.fromCharCode(...target.subarray(0, decoded));
  }
}
