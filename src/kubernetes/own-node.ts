import type { ApiObject } from './api-objects.ts';
import type { Follower, FollowerParts, FollowerState } from './follower.ts';
import { ZONE_LABEL } from './topology.ts';
import { Watch, type WatchSink } from './watch.ts';

/** Follows the one node that the agent is on, by its metadata: which zone it is in. */
export class OwnNode implements Follower, WatchSink<ApiObject> {
  readonly feature = 'own-node';
  readonly watches: readonly Watch[];
  readonly #watch: Watch;
  readonly #nodeName: string;
  readonly #onChange: () => void;
  #zone: string | undefined;

  /** `onChange`: `zone` is another. Must not throw. */
  constructor({ client, clock, log, backoff }: FollowerParts, nodeName: string, onChange: () => void) {
    this.#nodeName = nodeName;
    this.#onChange = onChange;
    const kind = {
      resource: 'nodes',
      path: '/api/v1/nodes',
      fieldSelector: `metadata.name=${nodeName}`,
      isMetadataOnly: true,
    };
    const purpose = 'asking the DNS pods of this zone first';
    this.#watch = new Watch(kind, this, { client, clock, log, purpose, ...(backoff && { backoff: backoff() }) });
    this.watches = [this.#watch];
  }

  /** Undefined where it is not known, or the node has none. */
  get zone(): string | undefined {
    return this.#zone;
  }

  start(): void {
    this.#watch.start();
  }

  close(): void {
    this.#watch.close();
  }

  get state(): FollowerState {
    const { trouble, isListed } = this.#watch;
    if (trouble !== undefined && this.#zone === undefined)
      return {
        warning: true,
        message: `the zone of this node is not known, so all DNS pods are as near; ${trouble.message}`,
      };
    if (this.#zone !== undefined) return { warning: false, message: `this node is in zone ${this.#zone}` };
    if (!isListed) return { warning: false, message: 'the zone of this node: asking' };
    return {
      warning: true,
      message: `no node ${this.#nodeName} with a label ${ZONE_LABEL}: is that its name (--node-name)?`,
    };
  }

  onListing(): void {}

  onListed(): void {}

  onObject({ metadata: { name, labels } }: ApiObject): void {
    const zone = labels?.[ZONE_LABEL] || undefined;
    if (name !== this.#nodeName || zone === this.#zone) return;
    this.#zone = zone;
    this.#onChange();
  }

  onDeleted(): void {}
}
