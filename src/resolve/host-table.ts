import type { HostEntry } from '../config/config.ts';
import { HOST_ADDRESSES } from '../core/limits.ts';
import type { Steps } from '../core/slices.ts';
import { addressBytes } from '../native/sockaddr.ts';
import { RouteTable } from '../route/route-table.ts';
import { CLASS_IN, TYPE_A, TYPE_AAAA, TYPE_PTR } from '../wire/constants.ts';
import { nameFromText } from '../wire/name.ts';
import { localRecord, OWNER_OF_QUESTION } from './local-record.ts';

/** What is answered here is kept by clients so long: an edited entry is soon seen, and a busy name costs little. */
export const LOCAL_TTL_SECONDS = 30;
/** A record whose owner is a pointer, with an address as RDATA. */
export const A_BYTES = 16;
export const AAAA_BYTES = 28;

const NOTHING = new Uint8Array(0);

/** A name of hosts entries: its records in wire form, each of A_BYTES or AAAA_BYTES. Their order changes from reply to reply. */
export interface Host {
  readonly a: Uint8Array;
  readonly aaaa: Uint8Array;
}

/** The names of a zone's hosts entries. Made once for a configuration, a step for each name. */
export function* hostNames(entries: readonly HostEntry[]): Steps<RouteTable<Host>> {
  const addresses = new Map<string, Set<string>>();
  for (const { address, names } of entries) {
    for (const name of names) {
      const known = addresses.get(name);
      if (known === undefined) addresses.set(name, new Set([address]));
      else known.add(address);
    }
  }
  const hosts: [string, Host][] = [];
  for (const [name, list] of addresses) {
    hosts.push([name, hostOf(list)]);
    yield;
  }
  return yield* RouteTable.inSteps(hosts);
}

/** The PTR record of each address: of several lines with one address the first counts, and of its names the first (hosts(5)). */
export function* hostPointers(entries: Iterable<HostEntry>): Steps<RouteTable<Uint8Array>> {
  const names = new Map<string, string>();
  for (const {
    address,
    names: [first],
  } of entries) {
    yield;
    const reverse = reverseName(address);
    if (first !== undefined && !names.has(reverse)) names.set(reverse, first);
  }
  const pointers: [string, Uint8Array][] = [];
  for (const [reverse, name] of names) {
    pointers.push([reverse, pointerTo(name)]);
    yield;
  }
  return yield* RouteTable.inSteps(pointers);
}

function hostOf(addresses: ReadonlySet<string>): Host {
  const records = { a: [] as number[], aaaa: [] as number[] };
  if (addresses.size > HOST_ADDRESSES.value) HOST_ADDRESSES.hits++;
  for (const address of [...addresses].slice(0, HOST_ADDRESSES.value)) {
    const data = Uint8Array.from(addressBytes(address));
    const isV4 = data.length === 4;
    const record = localRecord(OWNER_OF_QUESTION, isV4 ? TYPE_A : TYPE_AAAA, CLASS_IN, LOCAL_TTL_SECONDS, data);
    records[isV4 ? 'a' : 'aaaa'].push(...record);
  }
  return { a: packed(records.a), aaaa: packed(records.aaaa) };
}

function packed(octets: readonly number[]): Uint8Array {
  return octets.length === 0 ? NOTHING : Uint8Array.from(octets);
}

/** The name is the configuration's, which was checked: RouteTable has read it, or will. */
function pointerTo(name: string): Uint8Array {
  return localRecord(OWNER_OF_QUESTION, TYPE_PTR, CLASS_IN, LOCAL_TTL_SECONDS, nameFromText(name)!);
}

/** RFC 1035, section 3.5; RFC 3596, section 2.5. */
export function reverseName(address: string): string {
  const bytes = addressBytes(address);
  if (bytes.length === 4) return `${bytes.reverse().join('.')}.in-addr.arpa.`;
  const digits = bytes.flatMap((octet) => [octet >> 4, octet & 15]).map((digit) => digit.toString(16));
  return `${digits.reverse().join('.')}.ip6.arpa.`;
}
