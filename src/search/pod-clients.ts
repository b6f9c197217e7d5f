import type { Clock } from '../core/clock.ts';
import { MAPPED_BYTES, mapAddress } from '../native/sockaddr.ts';
import { type NodeDns, type PodDns, PodSearch, searchPathOf, wireSuffixes } from './pod-search.ts';

/**
 * So long after the watch was lost, pods that are known still are who they were: kubelet learns of new pods from the same API server, and has to end the one and set up
 * the other before an address means somebody else. A watch that begins anew takes some milliseconds.
 */
export const GAP_MS = 5000;

/** A pod of this node, as far as its DNS goes. */
export interface PodClient extends PodDns {
  /** All of them; none until it has some. */
  readonly addresses: readonly string[];
  /** It shares its addresses with the node and everything else on it. */
  readonly isHostNetwork: boolean;
  /** Its phase is Succeeded or Failed, or it is being deleted: its addresses may be another's any moment. */
  readonly isEnded: boolean;
}

interface Pod {
  readonly pod: PodClient;
  readonly addresses: readonly string[];
  readonly pathKey: string | undefined;
}

interface Place {
  readonly address: Uint8Array;
  search: PodSearch;
}

/**
 * The pods of this node by their addresses. An address that two live pods have, or that belongs to the node, means nobody: its queries are answered as those of
 * unknown clients are.
 */
export class PodClients {
  readonly #clock: Clock;
  #node: NodeDns;
  readonly #pods = new Map<string, Pod>();
  /** By address, in hexadecimal digits: the uids of those that have it. */
  readonly #holders = new Map<string, Set<string>>();
  readonly #places = new Map<number, Place[]>();
  readonly #searches = new Map<string, { search: PodSearch; pods: number }>();
  #lastId = 0;
  #known = 0;
  #isCurrent = false;
  #lostMs = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock, node: NodeDns) {
    this.#clock = clock;
    this.#node = node;
  }

  /** Pods that are told of. */
  get size(): number {
    return this.#pods.size;
  }

  /** Addresses whose queries may be completed. */
  get known(): number {
    return this.#known;
  }

  /** A pod is new, or is otherwise than it was. */
  set(uid: string, pod: PodClient): void {
    const before = this.#pods.get(uid);
    const addresses = pod.isEnded ? [] : pod.addresses.map(keyOf);
    const pathKey = pod.isHostNetwork || pod.isEnded ? undefined : this.#take(pod);
    this.#pods.set(uid, { pod, addresses, pathKey });
    for (const address of addresses) {
      const holders = this.#holders.get(address);
      if (holders === undefined) this.#holders.set(address, new Set([uid]));
      else holders.add(uid);
    }
    if (before !== undefined) this.#leave(uid, before, addresses);
    for (const address of addresses) this.#judge(address);
  }

  /** A pod is gone. */
  delete(uid: string): void {
    const before = this.#pods.get(uid);
    if (before === undefined) return;
    this.#pods.delete(uid);
    this.#leave(uid, before, []);
  }

  /** Whether all pods of the node are told of, and changes arrive. */
  setCurrent(isCurrent: boolean): void {
    if (this.#isCurrent === isCurrent) return;
    this.#isCurrent = isCurrent;
    if (!isCurrent) this.#lostMs = this.#clock.nowMs();
  }

  /** Other search suffixes of the node, or another cluster domain: for all pods. */
  setNode(node: NodeDns): void {
    if (node.clusterDomain === this.#node.clusterDomain && isSame(node.searches, this.#node.searches)) return;
    this.#node = node;
    for (const [uid, { pod }] of [...this.#pods]) this.set(uid, pod);
  }

  /** Who asks from `address`, as `mapAddress` has it. Undefined: unknown, or more than one may be meant. */
  find(address: Uint8Array, nowMs: number): PodSearch | undefined {
    const places = this.#places.get(hashOf(address));
    if (places === undefined || (!this.#isCurrent && nowMs - this.#lostMs > GAP_MS)) return undefined;
    for (const place of places) if (isEqual(place.address, address)) return place.search;
    return undefined;
  }

  /** What only the pod as it was had. */
  #leave(uid: string, { addresses, pathKey }: Pod, kept: readonly string[]): void {
    if (pathKey !== undefined) this.#letGo(pathKey);
    for (const address of addresses) {
      if (kept.includes(address)) continue;
      const holders = this.#holders.get(address);
      holders?.delete(uid);
      if (holders?.size === 0) this.#holders.delete(address);
      this.#judge(address);
    }
  }

  /** Says anew whose address it is. */
  #judge(key: string): void {
    const address = Buffer.from(key, 'hex');
    const hash = hashOf(address);
    const places = this.#places.get(hash) ?? [];
    const at = places.findIndex((place) => isEqual(place.address, address));
    const search = this.#searchOf(this.#holders.get(key));
    if (search === places[at]?.search) return;
    if (at !== -1) places.splice(at, 1);
    if (search !== undefined) places.push({ address, search });
    this.#known += (search === undefined ? 0 : 1) - (at === -1 ? 0 : 1);
    if (places.length === 0) this.#places.delete(hash);
    else this.#places.set(hash, places);
  }

  #searchOf(holders: ReadonlySet<string> | undefined): PodSearch | undefined {
    if (holders?.size !== 1) return undefined;
    const [uid] = holders;
    const pathKey = this.#pods.get(uid!)?.pathKey;
    return pathKey === undefined ? undefined : this.#searches.get(pathKey)?.search;
  }

  /** The search path that the pod shares with its like; counts it as one of them. */
  #take(pod: PodClient): string | undefined {
    const path = searchPathOf(pod, this.#node);
    if (path === undefined) return undefined;
    const key = `${path.isOfServices} ${path.ndots} ${path.suffixes.join(' ')}`;
    const shared = this.#searches.get(key);
    if (shared !== undefined) {
      shared.pods++;
      return key;
    }
    const suffixes = wireSuffixes(path);
    if (suffixes === undefined) return undefined;
    const search = new PodSearch(suffixes, path.ndots, path.isOfServices, ++this.#lastId);
    this.#searches.set(key, { search, pods: 1 });
    return key;
  }

  #letGo(key: string): void {
    const shared = this.#searches.get(key);
    if (shared !== undefined && --shared.pods === 0) this.#searches.delete(key);
  }
}

function isSame(a: readonly string[] | undefined, b: readonly string[] | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && isEqual(a, b));
}

function keyOf(host: string): string {
  const address = Buffer.alloc(MAPPED_BYTES);
  mapAddress(host, address);
  return address.toString('hex');
}

function hashOf(address: Uint8Array): number {
  let hash = 0;
  for (let i = 0; i < MAPPED_BYTES; i++) hash = Math.imul(hash ^ address[i]!, 0x01000193);
  return hash;
}

function isEqual(a: ArrayLike<unknown>, b: ArrayLike<unknown>): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
