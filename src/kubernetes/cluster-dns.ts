import { isDeepStrictEqual } from 'node:util';
import type { ServiceNames } from '../config/config.ts';
import { ApiError } from './api-error.ts';
import type { EndpointSlice } from './api-objects.ts';
import { Backoff, MOST_REFUSED_MS } from './backoff.ts';
import { type ClusterDnsEndpoint, ClusterDnsEndpoints, SERVICE_NAME } from './cluster-dns-endpoints.ts';
import { type ClusterDnsService, readClusterDnsServices } from './cluster-dns-service.ts';
import type { Follower, FollowerParts, FollowerState } from './follower.ts';
import { Watch } from './watch.ts';

export interface ClusterDnsParts extends FollowerParts {
  readonly services: ServiceNames;
  /** Services or endpoints are others. Must not throw. */
  readonly onChange: () => void;
}

/** A Service's address never changes; one that is made anew is noticed by its endpoints, too. */
const SERVICES_AGAIN_MS = 600_000;

/** Where the cluster DNS is: its Services with their addresses, and the pods behind them, followed for as long as the process lives. */
export class ClusterDns implements Follower {
  readonly feature = 'cluster-dns';
  readonly watch: Watch<EndpointSlice>;
  readonly watches: readonly Watch[];
  readonly #parts: ClusterDnsParts;
  readonly #endpoints: ClusterDnsEndpoints;
  readonly #backoff = new Backoff();
  /** After 403, and while there is no address for the Service that the endpoints are of. */
  readonly #refusals = new Backoff({ mostMs: MOST_REFUSED_MS });
  #services: readonly ClusterDnsService[] = [];
  #trouble: ApiError | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isReading = false;
  #isClosed = false;

  constructor(parts: ClusterDnsParts) {
    const { client, clock, log, services, backoff } = parts;
    this.#parts = parts;
    this.#endpoints = new ClusterDnsEndpoints(services, () => this.#onEndpoints());
    const kind = {
      resource: 'endpointslices',
      path: `/apis/discovery.k8s.io/v1/namespaces/${services.namespace}/endpointslices`,
      labelSelector: `${SERVICE_NAME} in (${services.names.join(',')})`,
    };
    this.watch = new Watch(kind, this.#endpoints.sink, {
      client,
      clock,
      log,
      purpose: 'knowing where the DNS pods are',
      ...(backoff && { backoff: backoff() }),
    });
    this.watches = [this.watch];
  }

  start(): void {
    this.watch.start();
    void this.#readServices();
  }

  /** Those that there are, the preferred one first; empty while it is not known. */
  get services(): readonly ClusterDnsService[] {
    return this.#services;
  }

  get endpoints(): readonly ClusterDnsEndpoint[] {
    return this.#endpoints.endpoints;
  }

  /** The Service that `endpoints` belong to. */
  get service(): string | undefined {
    return this.#endpoints.service;
  }

  /** True while the API says that there is no endpoint, and `endpoints` are older. */
  get isEmpty(): boolean {
    return this.#endpoints.isEmpty;
  }

  /** Why it is not followed now. */
  get trouble(): ApiError | undefined {
    return this.watch.trouble ?? this.#trouble;
  }

  get state(): FollowerState {
    const { endpoints, service, isEmpty, trouble } = this;
    const { staleMs, isListed } = this.watch;
    const known = endpoints.length === 0 ? 'none is known' : `${endpoints.length} known of ${service}`;
    if (trouble !== undefined) {
      const age = staleMs === undefined || staleMs === 0 ? '' : `, ${Math.round(staleMs / 1000)} s old`;
      return { warning: true, message: `addresses of the DNS pods: ${known}${age}; ${trouble.message}` };
    }
    if (isEmpty)
      return { warning: true, message: `addresses of the DNS pods: ${known}; the cluster DNS has no endpoint` };
    if (!isListed) return { warning: false, message: 'addresses of the DNS pods: asking' };
    return { warning: false, message: `addresses of the DNS pods: ${known}` };
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.watch.close();
    this.#endpoints.close();
  }

  #onEndpoints(): void {
    this.#parts.onChange();
    if (!this.#isServiceKnown) void this.#readServices();
  }

  /** That of the endpoints, where there are any. */
  get #isServiceKnown(): boolean {
    const { service } = this.#endpoints;
    return service === undefined || this.#services.some(({ name }) => name === service);
  }

  async #readServices(): Promise<void> {
    if (this.#isReading) return;
    this.#isReading = true;
    clearTimeout(this.#timer);
    const { client, services, onChange } = this.#parts;
    let againMs: number;
    try {
      const found = await readClusterDnsServices(client, services);
      this.#trouble = undefined;
      this.#backoff.reset();
      if (!this.#isClosed && found.length > 0 && !isDeepStrictEqual(found, this.#services)) {
        this.#services = found;
        onChange();
      }
      if (this.#isServiceKnown) this.#refusals.reset();
      againMs = this.#isServiceKnown ? SERVICES_AGAIN_MS * (1 + Math.random()) : this.#refusals.next();
    } catch (error) {
      this.#trouble = error instanceof ApiError ? error : undefined;
      const backoff = this.#trouble?.trouble === 'forbidden' ? this.#refusals : this.#backoff;
      againMs = backoff.next(this.#trouble?.retryAfterMs);
    }
    this.#isReading = false;
    if (!this.#isClosed) this.#timer = setTimeout(() => void this.#readServices(), againMs).unref();
  }
}
