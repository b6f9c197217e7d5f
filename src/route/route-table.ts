import { ConfigError } from '../core/errors.ts';
import { atOnce, type Steps } from '../core/slices.ts';
import { copyBytes } from '../wire/copy.ts';
import { equalFolded, nameFromText } from '../wire/name.ts';

const MAX_LABELS = 128;
const ROOT = 0;
const NONE = -1;

/**
 * Targets by zone; the longest suffix of a name wins. A tree of labels from the root down, kept as one open-addressed hash table over
 * (node, label): a look-up costs a step for each label that some zone has, however many zones there are, and allocates nothing.
 * Immutable: a new configuration makes a new table.
 */
export class RouteTable<T> {
  readonly #targets: (T | undefined)[] = [undefined];
  readonly #parents: number[] = [NONE];
  /** Where each node's label lies in `#octets`, with its length octet, in lower case as the zones came: an array of its own for each would take ten times the room. */
  readonly #labels: number[] = [0];
  #octets = new Uint8Array(256);
  #octetsEnd = 1;
  /** Nodes, or -1; at least half are empty. */
  #slots = new Int32Array(16).fill(NONE);
  readonly #offsets = new Uint8Array(MAX_LABELS);

  private constructor() {}

  /** Zones in presentation form, with or without trailing dot. The last of two equal ones wins; what is no name is a ConfigError. */
  static of<T>(entries: Iterable<[zone: string, target: T]>): RouteTable<T> {
    return atOnce(RouteTable.inSteps(entries));
  }

  /** The same, a step for each zone. */
  static *inSteps<T>(entries: Iterable<[zone: string, target: T]>): Steps<RouteTable<T>> {
    const table = new RouteTable<T>();
    for (const [zone, target] of entries) {
      const wire = nameFromText(zone);
      if (wire === undefined)
        throw new ConfigError('ERR_ZONE', `Cannot route ${zone}: expected a domain name, such as corp.example`);
      table.#targets[table.#grow(wire)] = target;
      yield;
    }
    return table;
  }

  /** The target of the longest zone that the uncompressed name in [start, nameEnd) lies in, or undefined. */
  lookup(bytes: Uint8Array, start: number, nameEnd: number): T | undefined {
    let target = this.#targets[ROOT];
    let node = ROOT;
    for (let depth = this.#split(bytes, start, nameEnd); depth > 0; ) {
      node = this.#child(node, bytes, start + this.#offsets[--depth]!);
      if (node === NONE) break;
      target = this.#targets[node] ?? target;
    }
    return target;
  }

  /** The target of that very name, or undefined. */
  find(bytes: Uint8Array, start: number, nameEnd: number): T | undefined {
    let node = ROOT;
    for (let depth = this.#split(bytes, start, nameEnd); depth > 0 && node !== NONE; ) {
      node = this.#child(node, bytes, start + this.#offsets[--depth]!);
    }
    return node === NONE ? undefined : this.#targets[node];
  }

  /** Notes where each label begins; returns their number, the root not counted. */
  #split(bytes: Uint8Array, start: number, nameEnd: number): number {
    let count = 0;
    for (let at = start; at < nameEnd && bytes[at] !== 0 && count < MAX_LABELS; at += 1 + bytes[at]!) {
      this.#offsets[count++] = at - start;
    }
    return count;
  }

  #child(parent: number, bytes: Uint8Array, at: number): number {
    const mask = this.#slots.length - 1;
    for (let slot = hashLabel(parent, bytes, at) & mask; ; slot = (slot + 1) & mask) {
      const node = this.#slots[slot]!;
      if (node === NONE) return NONE;
      if (this.#parents[node] !== parent) continue;
      const label = this.#labels[node]!;
      const length = this.#octets[label]!;
      if (length === bytes[at] && equalFolded(this.#octets, label + 1, bytes, at + 1, length)) return node;
    }
  }

  /** The node of a zone, made with those on the way to it. */
  #grow(wire: Uint8Array): number {
    let node = ROOT;
    for (let depth = this.#split(wire, 0, wire.length); depth > 0; ) {
      const at = this.#offsets[--depth]!;
      const child = this.#child(node, wire, at);
      node = child === NONE ? this.#add(node, wire, at) : child;
    }
    return node;
  }

  #add(parent: number, wire: Uint8Array, at: number): number {
    const node = this.#labels.length;
    this.#labels.push(this.#store(wire, at, at + 1 + wire[at]!));
    this.#parents.push(parent);
    this.#targets.push(undefined);
    if (2 * this.#labels.length > this.#slots.length) {
      this.#slots = new Int32Array(2 * this.#slots.length).fill(NONE);
      for (let other = 1; other <= node; other++) this.#insert(other);
    } else {
      this.#insert(node);
    }
    return node;
  }

  #store(wire: Uint8Array, start: number, end: number): number {
    const at = this.#octetsEnd;
    this.#octetsEnd += end - start;
    if (this.#octetsEnd > this.#octets.length) {
      const before = this.#octets;
      this.#octets = new Uint8Array(2 * before.length);
      this.#octets.set(before);
    }
    return copyBytes(wire, start, end, this.#octets, at) - (end - start);
  }

  #insert(node: number): void {
    const mask = this.#slots.length - 1;
    let slot = hashLabel(this.#parents[node]!, this.#octets, this.#labels[node]!) & mask;
    while (this.#slots[slot] !== NONE) slot = (slot + 1) & mask;
    this.#slots[slot] = node;
  }
}

/** FNV-1a over the label, its letters folded, begun with the parent. Zones come from the configuration: nobody can choose them to collide. */
function hashLabel(parent: number, bytes: Uint8Array, at: number): number {
  let hash = Math.imul(parent + 1, 0x9e3779b1) ^ 0x811c9dc5;
  const end = at + 1 + bytes[at]!;
  for (let i = at; i < end; i++) {
    const octet = bytes[i]!;
    hash = Math.imul(hash ^ (octet >= 0x41 && octet <= 0x5a ? octet | 0x20 : octet), 0x01000193);
  }
  return hash ^ (hash >>> 15);
}
