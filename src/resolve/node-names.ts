import { isIP } from 'node:net';
import type { AnswerCache } from '../cache/answer-cache.ts';
import type { AnswerDraft } from '../cache/answer-draft.ts';
import type { NameTest } from '../cache/drops.ts';
import { NODE_ADDRESSES } from '../core/limits.ts';
import { inSlices, type Steps } from '../core/slices.ts';
import { addressBytes } from '../native/sockaddr.ts';
import { RouteTable } from '../route/route-table.ts';
import { CLASS_IN, FLAG_CD, HEADER_LENGTH, RCODE_NOERROR, TYPE_A, TYPE_AAAA, TYPE_PTR } from '../wire/constants.ts';
import { nameFromText } from '../wire/name.ts';
import type { QueryView } from '../wire/query.ts';
import { rotateGroup } from '../wire/rotate.ts';
import type { Flights } from './flights.ts';
import { reverseName } from './host-table.ts';
import { localRecord, localSoa, OWNER_OF_QUESTION, takeAnswer, takeDenial } from './local-record.ts';
import type { Zone } from './zone.ts';

/** A node that gets another address is asked for there soon. */
const TTL_SECONDS = 10;
/** Where they are answered. Names of a zone that the configuration has are that zone's; the reverse zones are there for the cluster's addresses. */
const ZONES: ReadonlySet<string> = new Set(['.', 'in-addr.arpa.', 'ip6.arpa.']);
/** The mailbox of zones that nobody runs (RFC 6303, section 3). */
const NOBODY = nameFromText('nobody.invalid.')!;
/** In small letters. */
const HOST_NAME = /^[a-z0-9-]+(\.[a-z0-9-]+)*$/;
/** What a name that exists says to other types. */
const DENIAL = localSoa(OWNER_OF_QUESTION, NOBODY, NOBODY, TTL_SECONDS);

/** Records of one type, equally long. */
interface RecordSet {
  readonly type: number;
  readonly records: Uint8Array;
  readonly count: number;
}

export interface NodeNamesParts {
  readonly cache: Pick<AnswerCache, 'dropQuietly'>;
  readonly flights: Pick<Flights, 'spoilWhere'>;
}

/**
 * The names of the cluster's nodes: each leads to the node's addresses, as does its first label where no other node has the same; and the addresses lead back to the name. Answered anew each time and never
 * kept, so that a change is seen by the next question; what was kept before of names that are a node's from now on is dropped.
 */
export class NodeNames {
  readonly #parts: NodeNamesParts;
  readonly #nodes = new Map<string, readonly string[]>();
  /** Nodes by their first label; those that have none to look up share the empty one. */
  readonly #byLabel = new Map<string, Set<string>>();
  readonly #byReverse = new Map<string, Set<string>>();
  /** By the octets of the name, in small letters, as Latin-1 text. */
  readonly #records = new Map<string, readonly RecordSet[]>();
  #waiting = new Map<string, readonly string[] | undefined>();
  #isBusy = false;
  #longest = 0;
  #drops = 0;
  /** Read by the metrics. */
  answers = 0;

  constructor(parts: NodeNamesParts) {
    this.#parts = parts;
  }

  /** Nodes known. */
  get size(): number {
    return this.#nodes.size;
  }

  /** Nodes that are new or others, with their addresses; undefined: one is gone. A few are in force with the next question; thousands take a millisecond of some hundred turns. */
  change(nodes: ReadonlyMap<string, readonly string[] | undefined>): void {
    for (const [name, addresses] of nodes) this.#waiting.set(name.toLowerCase(), addresses && bounded(addresses));
    if (!this.#isBusy) void this.#work();
  }

  /** Drops once more what is kept of all their names: answers of another time were put into the cache. */
  dropAll(): void {
    this.change(this.#nodes);
  }

  /** Whether any name of this zone may be a node's. */
  mayAnswer(zone: Zone): boolean {
    return this.#records.size > 0 && zone.target === undefined && ZONES.has(zone.name);
  }

  /** Fills `draft` where the question's name is a node's, or the reverse of one of its addresses. False: it is to be asked elsewhere. */
  answer(query: QueryView, zone: Zone, draft: AnswerDraft): boolean {
    if (query.class !== CLASS_IN || !this.mayAnswer(zone) || validates(query)) return false;
    const start = query.start + HEADER_LENGTH;
    const length = query.nameEnd - start;
    if (length > this.#longest) return false;
    const sets = this.#records.get(keyOf(query.bytes, start, length));
    if (sets === undefined) return false;
    this.answers++;
    for (const { type, records, count } of sets) {
      if (type !== query.type || count === 0) continue;
      takeAnswer(draft, records, count);
      if (count > 1 && type !== TYPE_PTR) rotateGroup(records, 0, records.length / count, count);
      return true;
    }
    takeDenial(draft, RCODE_NOERROR, DENIAL);
    return true;
  }

  async #work(): Promise<void> {
    this.#isBusy = true;
    while (this.#waiting.size > 0) {
      const nodes = this.#waiting;
      this.#waiting = new Map();
      await inSlices(this.#apply(nodes));
    }
    this.#isBusy = false;
  }

  *#apply(nodes: ReadonlyMap<string, readonly string[] | undefined>): Steps<void> {
    const touched = new Set<string>();
    for (const [name, addresses] of nodes) {
      this.#take(name, addresses, touched);
      yield;
    }
    for (const name of touched) {
      this.#make(name);
      yield;
    }
    if (touched.size > 0) yield* this.#drop(touched);
  }

  /** Notes the node's addresses, and in `touched` each name whose answer may be another. */
  #take(name: string, addresses: readonly string[] | undefined, touched: Set<string>): void {
    if (!isAnswerable(name)) return;
    const before = this.#nodes.get(name);
    for (const each of namesOf(name, [...(before ?? []), ...(addresses ?? [])])) touched.add(each);
    for (const address of before ?? []) remove(this.#byReverse, reverseName(address), name);
    for (const address of addresses ?? []) add(this.#byReverse, reverseName(address), name);
    if (addresses === undefined) {
      this.#nodes.delete(name);
      remove(this.#byLabel, firstLabel(name), name);
    } else {
      this.#nodes.set(name, addresses);
      add(this.#byLabel, firstLabel(name), name);
    }
  }

  #make(name: string): void {
    const wire = nameFromText(name)!;
    const key = keyOf(wire, 0, wire.length);
    const sets = this.#setsOf(name);
    if (sets === undefined) {
      this.#records.delete(key);
      return;
    }
    this.#records.set(key, sets);
    this.#longest = Math.max(this.#longest, wire.length);
  }

  /** Undefined where the name is nobody's. */
  #setsOf(name: string): RecordSet[] | undefined {
    const addresses = this.#addressesOf(name);
    if (addresses !== undefined) {
      const data = addresses.map((address) => Uint8Array.from(addressBytes(address)));
      const ofLength = (wanted: number) => data.filter(({ length }) => length === wanted);
      return [setOf(TYPE_A, ofLength(4)), setOf(TYPE_AAAA, ofLength(16))];
    }
    const owners = this.#byReverse.get(name);
    return (
      owners && [
        setOf(
          TYPE_PTR,
          bounded([...owners].sort()).map((owner) => nameFromText(owner)!),
        ),
      ]
    );
  }

  /** The node of that very name, else the only one whose first label it is. */
  #addressesOf(name: string): readonly string[] | undefined {
    const own = this.#nodes.get(name);
    if (own !== undefined) return own;
    const [only, other] = this.#byLabel.get(name) ?? [];
    return only === undefined || other !== undefined ? undefined : this.#nodes.get(only);
  }

  *#drop(names: ReadonlySet<string>): Steps<void> {
    const table = yield* RouteTable.inSteps([...names].map((name): [string, true] => [name, true]));
    const isMeant: NameTest = (bytes, start, nameEnd) => table.find(bytes, start, nameEnd) === true;
    // A snapshot or a successor may have them: both are cleaned when the nodes are known there.
    this.#parts.cache.dropQuietly(nameFromText(`${this.#drops++}.signpost-nodes.invalid.`)!, isMeant);
    this.#parts.flights.spoilWhere(isMeant);
  }
}

/** A kubelet says itself which addresses its node has, and nobody counts them: a reply has room for so many. */
function bounded(texts: readonly string[]): readonly string[] {
  if (texts.length <= NODE_ADDRESSES.value) return texts;
  NODE_ADDRESSES.hits++;
  return texts.slice(0, NODE_ADDRESSES.value);
}

/**
 * Some clouds call nodes by their address: that is no name to look up, and its first label is a number. A node that is called like the reverse of an address would hide whose that is,
 * and `web.shop.svc` a Service from pods that ask for a name as it is first (ndots:1). What no host can be called (RFC 1123, section 2.1) the API does not let through.
 */
function isAnswerable(name: string): boolean {
  if (isIP(name) !== 0 || !HOST_NAME.test(name) || nameFromText(name) === undefined) return false;
  const top = name.slice(name.lastIndexOf('.') + 1);
  return top !== 'arpa' && top !== 'svc';
}

/** All that may be answered for a node with these addresses. */
function namesOf(name: string, addresses: readonly string[]): string[] {
  const label = firstLabel(name);
  return [name, ...(label === '' ? [] : [label]), ...addresses.map(reverseName)];
}

/** Empty where it is no name to look up: a number would be taken for an address. */
function firstLabel(name: string): string {
  const [label = ''] = name.split('.');
  return /^\d+$/.test(label) ? '' : label;
}

function setOf(type: number, data: readonly Uint8Array[]): RecordSet {
  const records = data.map((each) => localRecord(OWNER_OF_QUESTION, type, CLASS_IN, TTL_SECONDS, each));
  return { type, records: Uint8Array.from(records.flatMap((record) => [...record])), count: data.length };
}

function add(index: Map<string, Set<string>>, key: string, value: string): void {
  const known = index.get(key);
  if (known === undefined) index.set(key, new Set([value]));
  else known.add(value);
}

function remove(index: Map<string, Set<string>>, key: string, value: string): void {
  const known = index.get(key);
  if (known?.delete(value) && known.size === 0) index.delete(key);
}

function keyOf(bytes: Uint8Array, start: number, length: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, length)
    .toString('latin1')
    .toLowerCase();
}

/** With DO and CD the client checks signatures itself, and would take us for a forger; see `ZoneRules`. */
function validates(query: QueryView): boolean {
  return query.dnssecOk && (query.flags & FLAG_CD) !== 0;
}
