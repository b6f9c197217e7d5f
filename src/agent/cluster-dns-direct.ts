import { isDeepStrictEqual } from 'node:util';
import type { Reason } from '../admin/ready-page.ts';
import type { Config, UpstreamAddress } from '../config/config.ts';
import { upstreamKey } from '../config/upstream-address.ts';
import { CLUSTER_DNS_DIRECT } from '../core/limits.ts';
import type { Logger } from '../core/logger.ts';
import type { ClusterDnsEndpoint } from '../kubernetes/cluster-dns-endpoints.ts';
import { hasZoneHints, type NodePlace } from '../kubernetes/topology.ts';
import type { Register } from '../metrics/register.ts';
import type { RankedAddresses, Upstreams } from '../upstream/upstreams.ts';
import { type DirectRanks, directRanks } from './direct-ranks.ts';

/** The pods of the Service that the configuration asks. */
export interface DnsPods {
  readonly endpoints: readonly ClusterDnsEndpoint[];
  /** The API says that there is none, and `endpoints` are older. */
  readonly isEmpty: boolean;
  /** For how long they may have been out of date; 0: they are followed; undefined: they were never known. */
  readonly staleMs: number | undefined;
}

export interface ClusterDnsDirectParts {
  readonly config: Config;
  readonly upstreams: Pick<Upstreams, 'redirect'>;
  readonly pods: () => DnsPods | undefined;
  readonly place: () => NodePlace;
  /** The cluster gives hints for zones, so this node's own is worth knowing. Called once. */
  readonly onZoneNeeded: () => void;
  readonly log: Logger;
}

/**
 * For so long pods are asked that may be others by now. An API server that restarts is back sooner, and a pod that has gone is passed over by its silence; but after some
 * minutes its address may be another pod's, and kube-proxy, which has a watch of its own, may know better.
 */
const STALE_MS = 60_000;
/** How often it is looked whether they are stale. */
const LOOK_MS = 5000;

type State =
  | ({ readonly isDirect: true } & Omit<DirectRanks, 'ranks'>)
  | { readonly isDirect: false; readonly why: string };

/**
 * `--cluster-dns endpoints`: the cluster's zones are asked of the DNS pods themselves, whose addresses stand in front of the Service's. Where the pods are not known, or not for certain, the
 * Service's address alone is asked. What is cached stays: the same servers answer.
 */
export class ClusterDnsDirect {
  readonly #parts: ClusterDnsDirectParts;
  #config: Config;
  #zones: ReadonlyMap<string, RankedAddresses> = new Map();
  #state: State = { isDirect: false, why: 'its pods are being asked for' };
  #hasAskedForZone = false;
  #isHeld = false;
  readonly #timer: NodeJS.Timeout;

  constructor(parts: ClusterDnsDirectParts) {
    this.#parts = parts;
    this.#config = parts.config;
    this.#timer = setInterval(() => this.update(), LOOK_MS).unref();
  }

  /** Pods, or where this node is, may be others. */
  update(): void {
    if (this.#isHeld) return;
    const { zones, state } = this.#wanted();
    this.#say(state);
    if (isDeepStrictEqual(zones, this.#zones)) return;
    // Not with each look: that more pods are there than one node asks is no trouble that goes on.
    if (state.isDirect && state.left > 0) CLUSTER_DNS_DIRECT.hits++;
    this.#zones = zones;
    this.#parts.upstreams.redirect(zones);
  }

  /** Nothing is redirected while `swap` brings another configuration; then it is as that one asks. */
  async during(config: Config, swap: () => Promise<void>): Promise<void> {
    this.#isHeld = true;
    try {
      await swap();
      this.#config = config;
    } finally {
      this.#isHeld = false;
      this.#redirectAnew();
    }
  }

  /** For `/ready`. */
  get reason(): Reason {
    const state = this.#state;
    const message = state.isDirect ? textOf(state) : `the Service's address is asked: ${state.why}`;
    return { name: 'cluster-dns-endpoints', ok: true, warning: !state.isDirect, message };
  }

  registerMetrics(register: Register): void {
    const help = 'DNS pods that are asked directly (--cluster-dns endpoints): those meant for this node, and others.';
    register.gauge('signpost_cluster_dns_direct', help, ['place'], (emit) => {
      const state = this.#state;
      emit({ place: 'near' }, state.isDirect ? state.near : 0);
      emit({ place: 'far' }, state.isDirect ? state.far : 0);
    });
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #redirectAnew(): void {
    const wasRedirected = this.#zones.size > 0;
    this.#zones = new Map();
    this.update();
    if (wasRedirected && this.#zones.size === 0) this.#parts.upstreams.redirect(this.#zones);
  }

  #wanted(): { zones: ReadonlyMap<string, RankedAddresses>; state: State } {
    const { pods: read, place, onZoneNeeded } = this.#parts;
    const pods = read();
    const why = whyNot(pods);
    if (why !== undefined) return { zones: new Map(), state: { isDirect: false, why } };
    if (!this.#hasAskedForZone && hasZoneHints(pods!.endpoints)) {
      this.#hasAskedForZone = true;
      onZoneNeeded();
    }
    const names = clusterDnsZones(this.#config);
    const direct = directRanks(names.service, pods!.endpoints, place());
    if (direct === undefined) {
      const state = { isDirect: false, why: 'its transport is not that of its pods (tls, https)' } as const;
      return { zones: new Map(), state };
    }
    const { ranks, ...counts } = direct;
    return { zones: new Map(names.zones.map((zone) => [zone, ranks])), state: { isDirect: true, ...counts } };
  }

  #say(state: State): void {
    const before = this.#state;
    this.#state = state;
    if (before.isDirect === state.isDirect) return;
    const { log } = this.#parts;
    if (state.isDirect) log.info({ near: state.near, far: state.far }, 'the DNS pods are asked directly');
    else log.warn({ why: state.why }, "the cluster DNS is asked by its Service's address");
  }
}

function textOf({ near, far }: Pick<DirectRanks, 'near' | 'far'>): string {
  return far === 0
    ? `${near} DNS pods are asked directly`
    : `${near} DNS pods meant for this node are asked directly, ${far} others after them`;
}

/** Why the pods are not to be asked; undefined where they are. */
function whyNot(pods: DnsPods | undefined): string | undefined {
  if (pods === undefined || pods.staleMs === undefined) return 'its pods are not known yet';
  if (pods.staleMs > STALE_MS)
    return `the Kubernetes API has not been followed for ${Math.round(pods.staleMs / 1000)} s`;
  if (pods.isEmpty || pods.endpoints.length === 0) return 'it has no pods';
  return undefined;
}

/** The zones that the cluster DNS answers, and how the configuration asks it: all that go where the cluster's own does. */
function clusterDnsZones({ zones, clusterDomain }: Config): { zones: string[]; service: readonly UpstreamAddress[] } {
  const service = zones.find(({ zone }) => zone === `${clusterDomain}.`)?.upstreams ?? [];
  const key = keyOf(service);
  return { service, zones: zones.filter(({ upstreams }) => keyOf(upstreams) === key).map(({ zone }) => zone) };
}

function keyOf(upstreams: readonly UpstreamAddress[]): string {
  return upstreams.map(upstreamKey).join('\n');
}
