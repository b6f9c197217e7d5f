/** RFC 7541, appendix A: the names of the fields that both ends know, from index 1 on. */
const STATIC_NAMES = (
  ':authority :method :method :path :path :scheme :scheme :status :status :status :status :status :status :status accept-charset ' +
  'accept-encoding accept-language accept-ranges accept access-control-allow-origin age allow authorization cache-control ' +
  'content-disposition content-encoding content-language content-length content-location content-range content-type cookie date ' +
  'etag expect expires from host if-match if-modified-since if-none-match if-range if-unmodified-since last-modified link ' +
  'location max-forwards proxy-authenticate proxy-authorization range referer refresh retry-after server set-cookie ' +
  'strict-transport-security transfer-encoding user-agent vary via www-authenticate'
).split(' ');

export const LAST_STATIC = 61;

/** The fields on which a DNS reply depends, by their first index; all others are one. */
export const FIELD_OTHER = 0;
export const FIELD_STATUS = 8;
export const FIELD_AGE = 21;
export const FIELD_CONTENT_LENGTH = 28;
export const FIELD_CONTENT_TYPE = 31;
export const FIELD_RETRY_AFTER = 53;

const FIELDS = new Map(
  [FIELD_STATUS, FIELD_AGE, FIELD_CONTENT_LENGTH, FIELD_CONTENT_TYPE, FIELD_RETRY_AFTER].map((field) => [
    STATIC_NAMES[field - 1]!,
    field,
  ]),
);

/** The field of that name, in lower case. */
export function fieldNamed(name: string): number {
  return FIELDS.get(name) ?? FIELD_OTHER;
}

const STATIC_FIELDS = Uint8Array.of(0, ...STATIC_NAMES.map(fieldNamed));
const STATIC_LENGTHS = Uint8Array.of(0, ...STATIC_NAMES.map(({ length }) => length));

/** The size that both ends begin with (RFC 9113, section 6.5.2). It stays: h2o, and so dnsdist, does not hear that it should be another. */
export const TABLE_MOST = 4096;
/** What an entry takes beside its name and value (RFC 7541, section 4.1). */
const ENTRY_OVERHEAD = 32;
/** A power of two, so that a ring of it is cheap. */
const ENTRIES = TABLE_MOST / ENTRY_OVERHEAD;

/**
 * The fields that a connection's earlier heads have named (RFC 7541, section 2.3), behind those that both ends know from the start. Of most of them nothing is kept but
 * their size, for it tells when they are dropped.
 */
export class HeaderTable {
  readonly #fields = new Uint8Array(ENTRIES);
  readonly #nameLengths = new Uint16Array(ENTRIES);
  readonly #sizes = new Uint16Array(ENTRIES);
  readonly #values: string[] = Array.from({ length: ENTRIES }, () => '');
  #newest = 0;
  #count = 0;
  #size = 0;
  #most = TABLE_MOST;

  has(index: number): boolean {
    return index >= 1 && index <= LAST_STATIC + this.#count;
  }

  /** One of the FIELD_ numbers. */
  fieldAt(index: number): number {
    return index <= LAST_STATIC ? STATIC_FIELDS[index]! : this.#fields[this.#slot(index)]!;
  }

  nameLengthAt(index: number): number {
    return index <= LAST_STATIC ? STATIC_LENGTHS[index]! : this.#nameLengths[this.#slot(index)]!;
  }

  /** Of an entry behind the static ones; '' where the field is not one of ours. */
  valueAt(index: number): string {
    return this.#values[this.#slot(index)]!;
  }

  #slot(index: number): number {
    return (this.#newest - (index - LAST_STATIC - 1)) & (ENTRIES - 1);
  }

  /** Lengths in octets, as they are without Huffman's code. */
  add(field: number, value: string, nameLength: number, valueLength: number): void {
    const size = nameLength + valueLength + ENTRY_OVERHEAD;
    this.#shrink(this.#most - size);
    // Too large for the whole table: it is empty now, and that is all (RFC 7541, section 4.4).
    if (size > this.#most) return;
    this.#newest = (this.#newest + 1) & (ENTRIES - 1);
    this.#count++;
    this.#size += size;
    this.#fields[this.#newest] = field;
    this.#nameLengths[this.#newest] = nameLength;
    this.#sizes[this.#newest] = size;
    this.#values[this.#newest] = value;
  }

  /** False where that is more than what was agreed on. */
  resize(most: number): boolean {
    if (most < 0 || most > TABLE_MOST) return false;
    this.#most = most;
    this.#shrink(most);
    return true;
  }

  /** Drops the oldest. */
  #shrink(most: number): void {
    while (this.#count > 0 && this.#size > most) {
      const oldest = (this.#newest - --this.#count) & (ENTRIES - 1);
      this.#size -= this.#sizes[oldest]!;
      this.#values[oldest] = '';
    }
  }
}
