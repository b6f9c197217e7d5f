import { ENTRY_HEADER, type EntryMemory, KIND_FAILURE, KIND_NEGATIVE } from '../../cache/entry-memory.ts';
import { namespaceAt, serviceAt } from '../../search/cluster-names.ts';
import type { KnownServices } from '../../search/known-services.ts';
import {
  HEADER_LENGTH,
  MAX_NAME_LENGTH,
  RCODE_NXDOMAIN,
  TYPE_CNAME,
  TYPE_DNAME,
  TYPE_PTR,
} from '../../wire/constants.ts';
import { expandName, isWithin, nameFromText } from '../../wire/name.ts';
import { RecordWalk } from '../../wire/record-walk.ts';

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;
/** No Service's. */
export const NO_GROUP = 0;
/** Every "no" of the reverse zones: what is known of a change has no addresses, so that it may concern any of them. */
export const REVERSE_DENIALS = 1;
/** Every "no" of a Service that may be an alias to any other, of which nothing is known. */
export const ALIAS_DENIALS = 2;
const FIRST_HASH = 3;
/** Services that one answer may be about: CNAME records to them, or PTR records of an address that has so many. */
const MOST_GROUPS = 64;
const MOST_RECORDS = 128;
const REVERSE = [nameFromText('in-addr.arpa.')!, nameFromText('ip6.arpa.')!];

/** The group of a Service: a number that two of them may share, for what it costs is a question more. */
export function serviceGroup(namespace: string, service: string): number {
  return limited(addText(addText(FNV_OFFSET, service), namespace));
}

/** The group of what is said of a whole namespace: that there is none. */
export function namespaceGroup(namespace: string): number {
  return limited(addText(~FNV_OFFSET, namespace));
}

/** Tells which Services a cached answer depends on. One instance is used over and over. */
export class ServiceGroups {
  readonly groups = new Int32Array(MOST_GROUPS);
  count = 0;
  /** It is about more than were noted. */
  isCut = false;
  /** Its name is a Service's, or below one, and no CNAME leads away from it. */
  isOwn = false;
  /** One of its Services is none of those that `read` was given. */
  isOfGone = false;
  #services: Pick<KnownServices, 'has'> | undefined = undefined;
  readonly #zone: Uint8Array;
  readonly #zoneLabels: number;
  readonly #walk = new RecordWalk();
  readonly #name = new Uint8Array(MAX_NAME_LENGTH);

  /** `clusterDomain`: `cluster.local`. */
  constructor(clusterDomain: string) {
    this.#zone = nameFromText(clusterDomain)!;
    this.#zoneLabels = clusterDomain.split('.').length;
  }

  /** Offset of the Service's label in an uncompressed name in [start, nameEnd), which that of the namespace follows; -1: it is of none. */
  serviceAt(bytes: Uint8Array, start: number, nameEnd: number): number {
    return isWithin(bytes, start, nameEnd, this.#zone) ? serviceAt(bytes, start, nameEnd, this.#zoneLabels) : -1;
  }

  /** The group of the Service that such a name is of, or NO_GROUP. */
  ofName(bytes: Uint8Array, start: number, nameEnd: number): number {
    const at = this.serviceAt(bytes, start, nameEnd);
    return at === -1 ? NO_GROUP : groupAt(bytes, at);
  }

  /** Finds the groups of an entry: its own name's, and those that its CNAME and PTR records lead to. `services`: those that there are, where that is of interest. */
  read(memory: EntryMemory, at: number, services?: Pick<KnownServices, 'has'>): void {
    this.count = 0;
    this.isCut = false;
    this.isOwn = false;
    this.isOfGone = false;
    this.#services = services;
    const kind = memory.kind(at);
    if (kind === KIND_FAILURE) return;
    const { bytes } = memory;
    const start = at + ENTRY_HEADER;
    const nameEnd = start + memory.questionLength(at) - 4;
    if (isWithin(bytes, start, nameEnd, this.#zone)) this.#readClusterName(memory, at, start, nameEnd);
    else if (kind === KIND_NEGATIVE && isReverse(bytes, start, nameEnd)) this.add(REVERSE_DENIALS);
    if (memory.answers(at) > 0) this.#readTargets(memory, at);
  }

  #readClusterName(memory: EntryMemory, at: number, start: number, nameEnd: number): void {
    const { bytes } = memory;
    if (this.#addService(bytes, start, nameEnd)) {
      this.isOwn = true;
    } else if (memory.rcode(at) === RCODE_NXDOMAIN && namespaceAt(bytes, start, nameEnd, this.#zoneLabels) === start) {
      this.add(limited(addLabel(~FNV_OFFSET, bytes, start)));
    }
  }

  #readTargets(memory: EntryMemory, at: number): void {
    const { bytes } = memory;
    const end = memory.optionsStart(at);
    const walk = this.#walk;
    const count = memory.answers(at);
    walk.begin(memory.bodyStart(at));
    for (let i = 0; i < count; i++) {
      walk.read(bytes, end);
      const { type } = walk;
      if (type !== TYPE_CNAME && type !== TYPE_PTR && type !== TYPE_DNAME) {
        // Addresses and ports: a Service's own are all of its name, and the CNAME records stand before them.
        if (i >= MOST_RECORDS) return;
        continue;
      }
      if (type !== TYPE_PTR) this.isOwn = false;
      const length = expandName(bytes, at + ENTRY_HEADER - HEADER_LENGTH, walk.rdataAt, end, this.#name, 0);
      if (length !== -1) this.#addService(this.#name, 0, length);
    }
  }

  #addService(bytes: Uint8Array, start: number, nameEnd: number): boolean {
    const at = this.serviceAt(bytes, start, nameEnd);
    if (at === -1) return false;
    this.add(groupAt(bytes, at));
    if (this.#services?.has(bytes, at) === false) this.isOfGone = true;
    return true;
  }

  /** One more of the entry that was read. */
  add(group: number): void {
    for (let i = 0; i < this.count; i++) if (this.groups[i] === group) return;
    if (this.count === MOST_GROUPS) this.isCut = true;
    else this.groups[this.count++] = group;
  }
}

/** Whether the uncompressed name in [start, nameEnd) stands for an address. */
function isReverse(bytes: Uint8Array, start: number, nameEnd: number): boolean {
  return isWithin(bytes, start, nameEnd, REVERSE[0]!) || isWithin(bytes, start, nameEnd, REVERSE[1]!);
}

/** Of the labels of a Service and its namespace. */
function groupAt(bytes: Uint8Array, at: number): number {
  return limited(addLabel(addLabel(FNV_OFFSET, bytes, at), bytes, at + 1 + bytes[at]!));
}

function addLabel(hash: number, bytes: Uint8Array, at: number): number {
  const end = at + bytes[at]!;
  for (let i = at; i <= end; i++) hash = addOctet(hash, bytes[i]!);
  return hash;
}

function addText(hash: number, label: string): number {
  hash = addOctet(hash, label.length);
  for (let i = 0; i < label.length; i++) hash = addOctet(hash, label.charCodeAt(i));
  return hash;
}

function addOctet(hash: number, octet: number): number {
  return Math.imul(hash ^ (octet >= 0x41 && octet <= 0x5a ? octet | 0x20 : octet), FNV_PRIME);
}

function limited(hash: number): number {
  return hash >= NO_GROUP && hash < FIRST_HASH ? FIRST_HASH : hash;
}
