import type { ApiObject, ObjectMeta } from './api-objects.ts';
import { SERVICE_NAME } from './cluster-dns-endpoints.ts';
import type { Follower, FollowerParts, FollowerState } from './follower.ts';
import { ObjectLedger } from './object-ledger.ts';
import { Watch } from './watch.ts';
import type { WatchedKind } from './watched-kind.ts';

/** What becomes known of the cluster's Services. Nothing of it may throw. */
export interface ServiceNews {
  /** A Service that was not known. `isNew`: it came later than what there was when following began. */
  added(namespace: string, service: string, isNew: boolean): void;
  changed(namespace: string, service: string): void;
  deleted(namespace: string, service: string): void;
  /** One of the Service's EndpointSlices is new, another, or gone. */
  endpointsChanged(namespace: string, service: string): void;
  /** Whether changes arrive: of Services, and of both Services and EndpointSlices. */
  following(services: boolean, both: boolean): void;
}

const SERVICES: WatchedKind = { resource: 'services', path: '/api/v1/services', isMetadataOnly: true };
const SLICES: WatchedKind = {
  resource: 'endpointslices',
  path: '/apis/discovery.k8s.io/v1/endpointslices',
  // Slices that are nobody's have no names in DNS.
  labelSelector: SERVICE_NAME,
  isMetadataOnly: true,
};

/** Follows the Services and EndpointSlices of all namespaces by their metadata, and keeps the versions alone. */
export class ServiceWatches implements Follower {
  readonly feature = 'services';
  readonly watches: readonly Watch[];
  readonly #news: ServiceNews;
  readonly #services: ObjectLedger;
  readonly #slices: ObjectLedger;

  constructor({ client, clock, log, backoff }: FollowerParts, news: ServiceNews) {
    this.#news = news;
    this.#services = new ObjectLedger({
      ownerOf: ({ name }) => name,
      onChange: (namespace, service, change) => {
        if (change === 'gone') news.deleted(namespace, service);
        else if (change === 'changed') news.changed(namespace, service);
        else news.added(namespace, service, change === 'new');
      },
    });
    this.#slices = new ObjectLedger({
      ownerOf: ({ labels }: ObjectMeta) => labels?.[SERVICE_NAME] || undefined,
      onChange: (namespace, service, change) => {
        if (change !== 'listed') news.endpointsChanged(namespace, service);
      },
    });
    const parts = { client, clock, log, onFollowing: () => this.#tell() };
    const watch = (kind: WatchedKind, ledger: ObjectLedger): Watch =>
      new Watch<ApiObject>(kind, ledger, {
        ...parts,
        ...(backoff && { backoff: backoff() }),
        purpose: `dropping answers when ${kind.resource} change`,
      });
    this.watches = [watch(SERVICES, this.#services), watch(SLICES, this.#slices)];
  }

  start(): void {
    for (const watch of this.watches) watch.start();
  }

  close(): void {
    for (const watch of this.watches) watch.close();
  }

  get state(): FollowerState {
    const trouble = this.watches.find((watch) => watch.trouble !== undefined)?.trouble;
    const known = `${this.#services.size} Services, ${this.#slices.size} EndpointSlices`;
    if (trouble !== undefined) {
      const message = `changes of Services are not seen, so answers live as long as their TTL says; ${trouble.message}`;
      return { warning: true, message };
    }
    if (!this.watches.every(({ isListed }) => isListed)) return { warning: false, message: 'Services: asking' };
    return { warning: false, message: `followed: ${known}` };
  }

  #tell(): void {
    const [services, slices] = this.watches.map(({ isFollowing }) => isFollowing);
    this.#news.following(services === true, services === true && slices === true);
  }
}
