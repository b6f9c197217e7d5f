import { canonicalHost } from '../config/socket-address.ts';
import { NODES } from '../core/limits.ts';
import type { NodeObject } from './api-objects.ts';
import type { Follower, FollowerParts, FollowerState } from './follower.ts';
import { NodeTable } from './node-table.ts';
import { Watch, type WatchSink } from './watch.ts';
import type { WatchedKind } from './watched-kind.ts';

/** Gets the nodes that are new or others, each with its addresses; undefined: it is gone. Must not throw. */
export interface NodeNews {
  change(nodes: ReadonlyMap<string, readonly string[] | undefined>): void;
}

interface KnownNode {
  readonly addresses: readonly string[];
  /** The list that it was in, or that was the latest when it came. */
  list: number;
}

/** How often this node is looked at again: clusters come to have a second family. */
const LOOK_AGAIN_MS = 600_000;
const RESOURCE = { resource: 'nodes', path: '/api/v1/nodes' };

/**
 * Follows the nodes of the cluster: of each, its name and addresses. Most events are a kubelet's report that it lives, and change neither.
 *
 *     tables, as `kubectl get nodes -o wide` shows them ──(this node has more addresses than a table tells, or it has other columns)──▶ whole objects
 *
 * For these come to every node of the cluster: with 50 images a whole one is 13,800 B an event and 61 us of the API server's CPU, a table's row 345 B and 34 us. But a row has one address of each type,
 * so that nodes of two families must be asked for whole.
 */
export class Nodes implements Follower, WatchSink<NodeObject> {
  readonly feature = 'nodes';
  readonly #parts: FollowerParts;
  readonly #ownName: string;
  readonly #news: NodeNews;
  readonly #known = new Map<string, KnownNode>();
  /** What a list that is coming in has changed: told when it is whole. */
  #changes = new Map<string, readonly string[] | undefined>();
  #list = 0;
  #isListing = false;
  #watch: Watch<NodeObject>;
  #isWhole = false;
  #isLooking = false;
  /** What is being looked at may be no more what it is. */
  #mustLookAgain = false;
  #timer: NodeJS.Timeout | undefined;
  /** What is known are all addresses, as far as can be told. */
  #isCertain = false;
  #isClosed = false;

  /** `ownName`: the node that this is. */
  constructor(parts: FollowerParts, ownName: string, news: NodeNews) {
    this.#parts = parts;
    this.#ownName = ownName;
    this.#news = news;
    const table = new NodeTable();
    this.#watch = this.#make({ ...RESOURCE, readTable: (value) => table.read(value) });
  }

  get watches(): readonly Watch<NodeObject>[] {
    return [this.#watch];
  }

  get size(): number {
    return this.#known.size;
  }

  start(): void {
    this.#watch.start();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#watch.close();
  }

  get state(): FollowerState {
    const { trouble, isListed } = this.#watch;
    const known = this.size > 0 ? `${this.size} nodes known` : 'no node is known';
    if (trouble !== undefined) return { warning: true, message: `names of nodes: ${known}; ${trouble.message}` };
    return { warning: false, message: isListed ? `followed: ${this.size} nodes` : 'nodes: asking' };
  }

  onListing(): void {
    this.#list++;
    this.#isListing = true;
  }

  onListed(): void {
    for (const [name, { list }] of this.#known) if (list !== this.#list) this.#forget(name);
    this.#isListing = false;
    if (this.#isWhole) this.#isCertain = true;
    else void this.#lookAtOwn();
    this.#tell();
  }

  onObject(node: NodeObject): void {
    if (node.status === undefined) {
      this.#askForWhole();
      return;
    }
    const { name } = node.metadata;
    const addresses = addressesOf(node);
    const known = this.#known.get(name);
    if (known === undefined && this.#known.size >= NODES.value) {
      NODES.hits++;
      return;
    }
    this.#known.set(name, { addresses, list: this.#list });
    const isChanged = known === undefined || known.addresses.join() !== addresses.join();
    if (isChanged) this.#changes.set(name, addresses);
    if (this.#isListing) return;
    this.#tell();
    if (isChanged && name === this.#ownName) void this.#lookAtOwn();
  }

  onDeleted({ metadata: { name } }: NodeObject): void {
    this.#forget(name);
    if (!this.#isListing) this.#tell();
  }

  #make(kind: WatchedKind): Watch<NodeObject> {
    const { client, clock, log, backoff } = this.#parts;
    const purpose = 'answering names of nodes';
    return new Watch<NodeObject>(kind, this, { client, clock, log, purpose, ...(backoff && { backoff: backoff() }) });
  }

  /** All nodes of a cluster have as many addresses as this one. */
  async #lookAtOwn(): Promise<void> {
    if (this.#isWhole || this.#isClosed) return;
    if (this.#isLooking) {
      this.#mustLookAgain = true;
      return;
    }
    this.#isLooking = true;
    this.#mustLookAgain = false;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#lookAtOwn(), LOOK_AGAIN_MS * (1 + Math.random())).unref();
    const query = new URLSearchParams({ fieldSelector: `metadata.name=${this.#ownName}`, resourceVersion: '0' });
    try {
      const { items } = await this.#parts.client.get<NodeList>('get this node', `${RESOURCE.path}?${query}`);
      if (items.some((node) => addressesOf(node).length > 1)) this.#askForWhole();
    } catch {
      // What is wrong with the API the watch says. With the next list, or by then.
    }
    this.#isLooking = false;
    if (this.#isClosed) return;
    this.#isCertain ||= !this.#isWhole;
    this.#tell();
    if (this.#mustLookAgain) void this.#lookAtOwn();
  }

  #askForWhole(): void {
    if (this.#isWhole || this.#isClosed) return;
    this.#isWhole = true;
    clearTimeout(this.#timer);
    this.#watch.close();
    this.#watch = this.#make(RESOURCE);
    this.#watch.start();
  }

  #forget(name: string): void {
    if (this.#known.delete(name)) this.#changes.set(name, undefined);
  }

  #tell(): void {
    if (this.#changes.size === 0 || !this.#isCertain) return;
    const changes = this.#changes;
    this.#changes = new Map();
    this.#news.change(changes);
  }
}

interface NodeList {
  readonly items: readonly NodeObject[];
}

/**
 * Those inside the cluster, of both families; the outer ones of a node that has no others. Not both: who asks from within and is given the outer one as well goes out and in again for some of
 * its connections, if the firewall lets it. `Hostname`, `InternalDNS` and `ExternalDNS` are no addresses.
 */
export function addressesOf({ status }: NodeObject): readonly string[] {
  const all = status?.addresses ?? [];
  const ofType = (wanted: string) => {
    const hosts = all.filter(({ type }) => type === wanted).map(({ address }) => canonicalHost(address));
    return [...new Set(hosts.filter((host) => host !== undefined))];
  };
  const inner = ofType('InternalIP');
  return inner.length > 0 ? inner : ofType('ExternalIP');
}
