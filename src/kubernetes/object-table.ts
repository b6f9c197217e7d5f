const EMPTY = 0;
/** Something stood here: what was put behind it is still to be found. */
const GONE = -1;
const FIRST_SLOTS = 256;
const FIRST_BYTES = 4096;
/** Of a record: how long its texts are, and whether the owner's is the beginning of the name's. */
const HEAD = 4;
const GROWTH = 1.5;
const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/**
 * Objects by namespace and name (ASCII, 255 at the most), each with its owner, its version and the list that it was in last. Off the heap, where objects would have to be walked by each collection, and in less than half of
 * their room: 20,000 objects are 2 MB.
 *
 *     bytes   │ 4 15 11 1 │ s h o p │ w e b … - x 7 k 2 p │      the owner is the beginning of the name, or stands behind it
 *     slots   │ place+1 │ hash │ version │ list │
 */
export class ObjectTable {
  size = 0;
  #places = new Int32Array(FIRST_SLOTS);
  #hashes = new Int32Array(FIRST_SLOTS);
  #versions = new Float64Array(FIRST_SLOTS);
  #lists = new Int32Array(FIRST_SLOTS);
  /** Slots that are not empty. */
  #used = 0;
  #bytes = Buffer.alloc(FIRST_BYTES);
  #end = 0;
  #deadBytes = 0;
  readonly #key = Buffer.alloc(512);

  /** The object's slot, or -1. Slots hold until something is added. */
  find(namespace: string, name: string): number {
    const length = this.#writeKey(namespace, name);
    const hash = hashOf(this.#key, length);
    const mask = this.#places.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const place = this.#places[slot]!;
      if (place === EMPTY) return -1;
      if (place > 0 && this.#hashes[slot] === hash && this.#isKey(place - 1, namespace.length, length)) return slot;
    }
  }

  /** Adds an object that is not there; gives its slot. */
  add(namespace: string, name: string, owner: string): number {
    const length = this.#writeKey(namespace, name);
    const isPrefix = name.startsWith(owner);
    const bytes = HEAD + length + (isPrefix ? 0 : owner.length);
    this.#makeRoom(bytes);
    const at = this.#end;
    this.#bytes[at] = namespace.length;
    this.#bytes[at + 1] = name.length;
    this.#bytes[at + 2] = owner.length;
    this.#bytes[at + 3] = isPrefix ? 1 : 0;
    this.#key.copy(this.#bytes, at + HEAD, 0, length);
    if (!isPrefix) this.#bytes.write(owner, at + HEAD + length, 'latin1');
    this.#end += bytes;
    this.size++;
    return this.#place(at, hashOf(this.#key, length));
  }

  remove(slot: number): void {
    this.#deadBytes += lengthAt(this.#bytes, this.#places[slot]! - 1);
    this.#places[slot] = GONE;
    this.size--;
  }

  namespace(slot: number): string {
    const at = this.#places[slot]! - 1;
    return this.#bytes.toString('latin1', at + HEAD, at + HEAD + this.#bytes[at]!);
  }

  owner(slot: number): string {
    const bytes = this.#bytes;
    const at = this.#places[slot]! - 1;
    const name = at + HEAD + bytes[at]!;
    const from = bytes[at + 3] === 1 ? name : name + bytes[at + 1]!;
    return bytes.toString('latin1', from, from + bytes[at + 2]!);
  }

  /** 0 for a new object. */
  version(slot: number): number {
    return this.#versions[slot]!;
  }

  see(slot: number, version: number, list: number): void {
    this.#versions[slot] = version;
    this.#lists[slot] = list;
  }

  /** Slots of the objects that were not in this list. They may be removed meanwhile. */
  *notIn(list: number): IterableIterator<number> {
    for (let slot = 0; slot < this.#places.length; slot++) {
      if (this.#places[slot]! > 0 && this.#lists[slot] !== list) yield slot;
    }
  }

  #writeKey(namespace: string, name: string): number {
    this.#key.write(namespace, 0, 'latin1');
    this.#key.write(name, namespace.length, 'latin1');
    return namespace.length + name.length;
  }

  #isKey(at: number, namespaceLength: number, length: number): boolean {
    const bytes = this.#bytes;
    if (bytes[at] !== namespaceLength || bytes[at + 1] !== length - namespaceLength) return false;
    return this.#key.compare(bytes, at + HEAD, at + HEAD + length, 0, length) === 0;
  }

  #place(at: number, hash: number): number {
    const mask = this.#places.length - 1;
    let slot = hash & mask;
    while (this.#places[slot] !== EMPTY) slot = (slot + 1) & mask;
    this.#places[slot] = at + 1;
    this.#hashes[slot] = hash;
    this.#used++;
    return slot;
  }

  #makeRoom(bytes: number): void {
    if ((this.#used + 1) * 3 > this.#places.length * 2) this.#rehash();
    if (this.#end + bytes <= this.#bytes.length) return;
    const live = this.#end - this.#deadBytes;
    const old = this.#bytes;
    this.#bytes = Buffer.alloc(Math.max(FIRST_BYTES, Math.ceil((live + bytes) * GROWTH)));
    if (this.#deadBytes === 0) old.copy(this.#bytes, 0, 0, this.#end);
    else this.#compact(old);
  }

  /** Into a table with room for half as many again; the hashes are kept, so this is quick. */
  #rehash(): void {
    const [places, hashes, versions, lists] = [this.#places, this.#hashes, this.#versions, this.#lists];
    let slots = FIRST_SLOTS;
    while (slots < (this.size + 1) * 2) slots *= 2;
    this.#places = new Int32Array(slots);
    this.#hashes = new Int32Array(slots);
    this.#versions = new Float64Array(slots);
    this.#lists = new Int32Array(slots);
    this.#used = 0;
    for (let old = 0; old < places.length; old++) {
      if (places[old]! > 0) this.see(this.#place(places[old]! - 1, hashes[old]!), versions[old]!, lists[old]!);
    }
  }

  #compact(old: Buffer): void {
    let end = 0;
    for (let slot = 0; slot < this.#places.length; slot++) {
      const at = this.#places[slot]! - 1;
      if (at < 0) continue;
      const length = lengthAt(old, at);
      old.copy(this.#bytes, end, at, at + length);
      this.#places[slot] = end + 1;
      end += length;
    }
    this.#end = end;
    this.#deadBytes = 0;
  }
}

/** Of the record at a place. */
function lengthAt(bytes: Uint8Array, at: number): number {
  return HEAD + bytes[at]! + bytes[at + 1]! + (bytes[at + 3] === 1 ? 0 : bytes[at + 2]!);
}

function hashOf(bytes: Uint8Array, length: number): number {
  let hash = FNV_OFFSET;
  for (let i = 0; i < length; i++) hash = Math.imul(hash ^ bytes[i]!, FNV_PRIME);
  return hash ^ (hash >>> 15);
}
