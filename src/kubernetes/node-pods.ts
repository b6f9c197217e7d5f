import { NODE_PODS } from '../core/limits.ts';
import type { PodClient } from '../search/pod-clients.ts';
import type { Pod } from './api-objects.ts';
import type { Follower, FollowerParts, FollowerState } from './follower.ts';
import { readPod } from './node-pod.ts';
import { ObjectLedger } from './object-ledger.ts';
import { Watch, type WatchSink } from './watch.ts';

/** Gets the pods as they come and go. Must not throw. */
export interface PodNews {
  set(uid: string, pod: PodClient): void;
  delete(uid: string): void;
  /** Whether all pods of the node are known, and changes arrive. */
  setCurrent(isCurrent: boolean): void;
}

/** Ended pods of jobs stay for long, thousands of them where nobody cleans up; the server says of one that ends that it is gone. */
const NOT_ENDED = 'status.phase!=Succeeded,status.phase!=Failed';

/** Follows the pods of one node that have not ended. Of each object a few fields are read as it comes; nothing else is kept. */
export class NodePods implements Follower, WatchSink<Pod> {
  readonly feature = 'pods';
  readonly watches: readonly Watch<Pod>[];
  readonly #watch: Watch<Pod>;
  readonly #nodeName: string;
  readonly #news: PodNews;
  readonly #ledger: ObjectLedger<Pod>;
  /** A pod was left out: whose its address is would not be known. */
  #isFull = false;

  constructor({ client, clock, log, backoff }: FollowerParts, nodeName: string, news: PodNews) {
    this.#nodeName = nodeName;
    this.#news = news;
    this.#ledger = new ObjectLedger({
      ownerOf: ({ uid }) => uid,
      onChange: (_namespace, uid, change, pod) => {
        if (change === 'gone') news.delete(uid);
        else if (this.#ledger.size > NODE_PODS.value) this.#refuse();
        else news.set(uid, readPod(pod!));
      },
    });
    const kind = { resource: 'pods', path: '/api/v1/pods', fieldSelector: `spec.nodeName=${nodeName},${NOT_ENDED}` };
    this.#watch = new Watch<Pod>(kind, this, {
      client,
      clock,
      log,
      purpose: "knowing this node's pods",
      onFollowing: () => this.#tell(),
      ...(backoff && { backoff: backoff() }),
    });
    this.watches = [this.#watch];
  }

  start(): void {
    this.#watch.start();
  }

  close(): void {
    this.#watch.close();
  }

  get state(): FollowerState {
    const { trouble, isListed } = this.#watch;
    const { size } = this.#ledger;
    if (trouble !== undefined) {
      const known = isListed ? `${size} pods known` : 'no pod is known';
      return { warning: true, message: `search paths are not completed for new pods: ${known}; ${trouble.message}` };
    }
    if (!isListed) return { warning: false, message: 'pods of this node: asking' };
    if (this.#isFull)
      return { warning: true, message: `search paths are not completed: more than ${NODE_PODS.value} pods` };
    if (size > 0) return { warning: false, message: `followed: ${size} pods of ${this.#nodeName}` };
    return { warning: true, message: `no pod is on a node ${this.#nodeName}: is that its name (--node-name)?` };
  }

  onListing(): void {
    this.#ledger.onListing();
    this.#isFull = false;
  }

  onListed(): void {
    this.#ledger.onListed();
  }

  onObject(pod: Pod): void {
    this.#ledger.onObject(pod);
  }

  onDeleted(pod: Pod): void {
    this.#ledger.onDeleted(pod);
  }

  #refuse(): void {
    NODE_PODS.hits++;
    this.#isFull = true;
    this.#tell();
  }

  #tell(): void {
    this.#news.setCurrent(this.#watch.isFollowing && !this.#isFull);
  }
}
