import { hostname } from 'node:os';
import type { Reason } from '../admin/ready-page.ts';
import type { Config } from '../config/config.ts';
import { serviceNamesText } from '../config/service-names.ts';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import type { ClusterDns } from '../kubernetes/cluster-dns.ts';
import type { ClusterDnsService } from '../kubernetes/cluster-dns-service.ts';
import { Kubernetes, podAddresses } from '../kubernetes/kubernetes.ts';
import { registerKubernetesMetrics } from '../kubernetes/metrics.ts';
import type { PodNews } from '../kubernetes/node-pods.ts';
import type { NodeNews } from '../kubernetes/nodes.ts';
import type { OwnNode } from '../kubernetes/own-node.ts';
import type { ServiceNews } from '../kubernetes/service-watches.ts';
import type { NodePlace } from '../kubernetes/topology.ts';
import type { Register } from '../metrics/register.ts';
import { clusterDnsOf, type WantedFromConfigParts } from '../node-network/wanted-from-config.ts';
import type { Freshness } from '../resolve/freshness/freshness.ts';
import type { KnownServices } from '../search/known-services.ts';
import type { DnsPods } from './cluster-dns-direct.ts';

export interface ClusterKnowledgeParts {
  readonly clock: Clock;
  readonly log: Logger;
}

/** Where the cluster DNS is, as the API says: its Services, the pods behind them, and the addresses that the configuration's own has in other families. */
export type ClusterDnsPlaces = Required<WantedFromConfigParts>;

/** The rooms that use what becomes known of Services and pods. */
export interface KnowledgeUsers {
  readonly services: KnownServices;
  readonly freshness: Pick<Freshness, 'serviceChanged' | 'setFollowed'>;
  /** Undefined: pods are not asked for. */
  readonly pods: PodNews | undefined;
  /** Undefined: names of nodes are not asked for. */
  readonly nodeNames?: NodeNews | undefined;
}

/** What the agent knows from the Kubernetes API, brought to the rooms that use it. Where nothing has a use for it, nothing is asked. */
export class ClusterKnowledge {
  readonly #kubernetes: Kubernetes;
  readonly #log: Logger;
  #config: Config;
  #isFollowing = false;
  #hasUsers = false;
  #ownNode: OwnNode | undefined;

  /** Throws `ConfigError` for a kubeconfig that cannot be used. */
  static async open(config: Config, parts: ClusterKnowledgeParts): Promise<ClusterKnowledge> {
    const kubernetes = await Kubernetes.open(config.kubernetes, { ...parts, env: process.env });
    return new ClusterKnowledge(kubernetes, config, parts.log);
  }

  private constructor(kubernetes: Kubernetes, config: Config, log: Logger) {
    this.#log = log;
    this.#kubernetes = kubernetes;
    this.#config = config;
  }

  registerMetrics(register: Register): void {
    registerKubernetesMetrics(register, this.#kubernetes);
  }

  /** Hands over where the cluster DNS is, now and whenever it is another place. Once; goes on by itself. */
  followClusterDns(use: (places: ClusterDnsPlaces) => void): void {
    if (this.#isFollowing || !this.#kubernetes.isOn) return;
    this.#isFollowing = true;
    const { clusterDnsService } = this.#config;
    this.#kubernetes
      .followClusterDns(clusterDnsService, (clusterDns) => use(this.#places(clusterDns)))
      .catch((error: Error) => this.#sayNotFollowed(error));
  }

  /** Brings what happens to Services, and to this node's pods and to nodes where there is a use for them, to `users`. Once; goes on by itself. */
  followCluster(users: KnowledgeUsers): void {
    if (this.#hasUsers || !this.#kubernetes.isOn) return;
    this.#hasUsers = true;
    const failed = (error: Error): void => this.#sayNotFollowed(error);
    this.#kubernetes.followServices(newsFor(users)).catch(failed);
    if (users.pods !== undefined) this.#kubernetes.followPods(this.#nodeName, users.pods).catch(failed);
    if (users.nodeNames !== undefined) this.#kubernetes.followNodes(this.#nodeName, users.nodeNames).catch(failed);
  }

  /** The pods of the cluster DNS that is asked; undefined while nothing follows them, or where another Service is asked. */
  get dnsPods(): DnsPods | undefined {
    const { clusterDns } = this.#kubernetes;
    // Whose pods they are is known with the Service's address.
    if (clusterDns === undefined || clusterDns.services.length === 0 || this.#isForeign(clusterDns)) return undefined;
    const { endpoints, isEmpty, watch } = clusterDns;
    return { endpoints, isEmpty, staleMs: watch.staleMs };
  }

  /** Where this node is, as far as it is known. */
  get place(): NodePlace {
    return { nodeName: this.#nodeName, zone: this.#ownNode?.zone };
  }

  /** The zone in `place` is of use from now on. Once. */
  followOwnZone(onChange: () => void): void {
    this.#kubernetes.followOwnNode(this.#nodeName, onChange).then(
      (ownNode) => {
        this.#ownNode = ownNode;
      },
      (error: Error) => this.#sayNotFollowed(error),
    );
  }

  /** Another configuration is in force: where it has the cluster DNS elsewhere, other places count. */
  follow(config: Config, use: (places: ClusterDnsPlaces) => void): void {
    this.#config = config;
    const { clusterDns } = this.#kubernetes;
    if (clusterDns !== undefined) use(this.#places(clusterDns));
  }

  /** For `/ready`; none where nothing is asked. */
  get reasons(): readonly Reason[] {
    if (!this.#kubernetes.isOn) return reasonsWithoutApi(this.#config);
    const reasons: readonly Reason[] = this.#kubernetes.reasons();
    const { clusterDns } = this.#kubernetes;
    if (clusterDns === undefined || !this.#isForeign(clusterDns)) return reasons;
    const services = serviceNamesText(this.#config.clusterDnsService);
    const message = `the cluster DNS that is asked is no address of ${services}, so its pods are not known: give --cluster-dns-service`;
    return [...reasons, { name: 'cluster-dns-service', ok: true, warning: true, message }];
  }

  close(): Promise<void> {
    return this.#kubernetes.close();
  }

  get #nodeName(): string {
    return this.#config.nodeName ?? hostname();
  }

  #sayNotFollowed(error: Error): void {
    this.#log.error({ error: error.message }, 'the Kubernetes API is not followed');
  }

  #places(clusterDns: ClusterDns): ClusterDnsPlaces {
    return {
      services: clusterDns.services.flatMap(({ addresses }) => addresses.map(({ host }) => host)),
      clusterDns: this.#askedService(clusterDns)?.addresses ?? [],
      targets: this.#isForeign(clusterDns) ? [] : podAddresses(clusterDns),
    };
  }

  /** Neither one of these Services is asked nor one of these pods: those of another Service would be asked for names that they may not know. */
  #isForeign(clusterDns: ClusterDns): boolean {
    const { services, endpoints } = clusterDns;
    if (services.length === 0 || this.#askedService(clusterDns) !== undefined) return false;
    return !endpoints.some(({ host }) => this.#isAsked(host));
  }

  #askedService({ services }: ClusterDns): ClusterDnsService | undefined {
    return services.find(({ addresses }) => addresses.some(({ host }) => this.#isAsked(host)));
  }

  /** Whether the configuration has it as its cluster DNS. */
  #isAsked(address: string): boolean {
    return clusterDnsOf(this.#config).some(({ host }) => host === address);
  }
}

/** `--kubernetes auto` where there are no credentials: what was asked for and needs them. */
function reasonsWithoutApi({ search, hasLease, hasNodeNames, isClusterDnsDirect }: Config): readonly Reason[] {
  const asleep = [
    ...(search === 'complete' ? ['--search complete'] : []),
    ...(hasLease ? ['--lease'] : []),
    ...(hasNodeNames ? ['--node-names'] : []),
    ...(isClusterDnsDirect ? ['--cluster-dns endpoints'] : []),
  ];
  if (asleep.length === 0) return [];
  const message = `no service account gives access to the Kubernetes API, so nothing comes of ${asleep.join(', ')}`;
  return [{ name: 'kubernetes', ok: true, warning: true, message }];
}

function newsFor({ services, freshness }: KnowledgeUsers): ServiceNews {
  let wasFollowed = false;
  return {
    added(namespace, service, isNew) {
      services.put(namespace, service);
      if (isNew) freshness.serviceChanged(namespace, service, 'service');
    },
    changed: (namespace, service) => freshness.serviceChanged(namespace, service, 'service'),
    deleted(namespace, service) {
      services.delete(namespace, service);
      freshness.serviceChanged(namespace, service, 'service');
    },
    endpointsChanged: (namespace, service) => freshness.serviceChanged(namespace, service, 'endpoints'),
    following(hasServices, hasBoth) {
      services.setFollowed(hasServices);
      if (hasBoth === wasFollowed) return;
      wasFollowed = hasBoth;
      freshness.setFollowed(hasBoth);
    },
  };
}
