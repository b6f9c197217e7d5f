import { canonicalHost } from '../config/socket-address.ts';
import { NODES } from '../core/limits.ts';
import type { NodeObject } from './api-objects.ts';
import type { Follower, FollowerParts, FollowerState } from './follower.ts';
import { ZONE_LABEL } from './topology.ts';
import { Watch, type WatchSink } from './watch.ts';

/** Gets the nodes that are new or others, each with its addresses; undefined: it is gone. Must not throw. */
export interface NodeNews {
  change(nodes: ReadonlyMap<string, readonly string[] | undefined>): void;
}

interface KnownNode {
  readonly addresses: readonly string[];
  readonly zone: string | undefined;
  /** The list that it was in, or that was the latest when it came. */
  list: number;
}

/**
 * Follows the nodes of the cluster. Of each object name, addresses and zone are kept; most events are a kubelet's report that it lives, and change none of them. Addresses are nowhere but
 * in the whole object.
 */
export class Nodes implements Follower, WatchSink<NodeObject> {
  readonly feature = 'nodes';
  readonly watches: readonly Watch<NodeObject>[];
  readonly #watch: Watch<NodeObject>;
  readonly #news: NodeNews;
  readonly #known = new Map<string, KnownNode>();
  /** What a list that is coming in has changed: told when it is whole. */
  #changes = new Map<string, readonly string[] | undefined>();
  #list = 0;
  #isListing = false;

  constructor({ client, clock, log, backoff }: FollowerParts, news: NodeNews) {
    this.#news = news;
    const kind = { resource: 'nodes', path: '/api/v1/nodes' };
    const purpose = 'names and addresses of the nodes';
    this.#watch = new Watch<NodeObject>(kind, this, {
      client,
      clock,
      log,
      purpose,
      ...(backoff && { backoff: backoff() }),
    });
    this.watches = [this.#watch];
  }

  get size(): number {
    return this.#known.size;
  }

  /** The zone that a node is in; undefined where it is not known. */
  zoneOf(name: string): string | undefined {
    return this.#known.get(name)?.zone;
  }

  start(): void {
    this.#watch.start();
  }

  close(): void {
    this.#watch.close();
  }

  get state(): FollowerState {
    const { trouble, isListed } = this.#watch;
    const known = isListed ? `${this.size} nodes known` : 'no node is known';
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
    this.#tell();
  }

  onObject(node: NodeObject): void {
    const { name, labels } = node.metadata;
    const addresses = addressesOf(node);
    const known = this.#known.get(name);
    if (known === undefined && this.#known.size >= NODES.value) {
      NODES.hits++;
      return;
    }
    this.#known.set(name, { addresses, zone: labels?.[ZONE_LABEL] || undefined, list: this.#list });
    if (known === undefined || known.addresses.join() !== addresses.join()) this.#changes.set(name, addresses);
    if (!this.#isListing) this.#tell();
  }

  onDeleted({ metadata: { name } }: NodeObject): void {
    this.#forget(name);
    if (!this.#isListing) this.#tell();
  }

  #forget(name: string): void {
    if (this.#known.delete(name)) this.#changes.set(name, undefined);
  }

  #tell(): void {
    if (this.#changes.size === 0) return;
    const changes = this.#changes;
    this.#changes = new Map();
    this.#news.change(changes);
  }
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
