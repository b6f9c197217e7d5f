import type { ServiceNames, SocketAddress } from '../config/config.ts';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import type { ApiAccess } from './api-access.ts';
import type { ApiClient } from './api-client.ts';
import type { ClusterDns } from './cluster-dns.ts';
import { type ClusterDnsService, readClusterDnsServices } from './cluster-dns-service.ts';
import type { Follower, FollowerParts } from './follower.ts';
import { inClusterAccess } from './in-cluster.ts';
import type { PodNews } from './node-pods.ts';
import type { NodeNews } from './nodes.ts';
import type { OwnNode } from './own-node.ts';
import type { ServiceNews } from './service-watches.ts';

export interface KubernetesParts {
  clock: Clock;
  log: Logger;
  env: Readonly<Record<string, string | undefined>>;
}

/** One line of `/ready` (the shape that admin/ready-page has): never one that keeps queries away. */
export interface KubernetesReason {
  /** `kubernetes` of what concerns the cluster DNS; others with their feature: `kubernetes-services`. */
  readonly name: string;
  readonly ok: true;
  readonly warning: boolean;
  readonly message: string;
}

/**
 * What the agent knows from the Kubernetes API. Nothing of it is needed to answer queries: where the API is down or forbids, what was known stays, one reason says
 * so, and it is tried again. Without credentials, or with `off`, it does nothing and loads nothing.
 */
export class Kubernetes {
  readonly #access: ApiAccess | undefined;
  readonly #parts: KubernetesParts;
  #client: ApiClient | undefined;
  #clusterDns: ClusterDns | undefined;
  readonly #followers: Follower[] = [];
  #isClosed = false;

  /** `setting`: `off`, `auto` or the path of a kubeconfig. Throws `ConfigError` for a kubeconfig that cannot be used. */
  static async open(setting: string, parts: KubernetesParts): Promise<Kubernetes> {
    return new Kubernetes(await accessFor(setting, parts.env), parts);
  }

  private constructor(access: ApiAccess | undefined, parts: KubernetesParts) {
    this.#access = access;
    this.#parts = parts;
  }

  /** Whether there is an API to ask. */
  get isOn(): boolean {
    return this.#access !== undefined;
  }

  /** Where the cluster DNS is, as far as it is followed and known. */
  get clusterDns(): ClusterDns | undefined {
    return this.#clusterDns;
  }

  /** The Services of the cluster DNS, read once. Empty where there is no API to ask; rejects with `ApiError`. */
  async readClusterDnsServices(services: ServiceNames): Promise<readonly ClusterDnsService[]> {
    const client = await this.#ask();
    return client === undefined ? [] : readClusterDnsServices(client, services);
  }

  /** From now on follows where the cluster DNS is, and calls back when that is another place. Once. */
  async followClusterDns(services: ServiceNames, onChange: (clusterDns: ClusterDns) => void): Promise<void> {
    if (!this.isOn) return;
    const { ClusterDns } = await import('./cluster-dns.ts');
    await this.#follow((parts) => {
      const clusterDns = new ClusterDns({ ...parts, services, onChange: () => onChange(clusterDns) });
      this.#clusterDns = clusterDns;
      return clusterDns;
    });
  }

  /** From now on follows the Services of the whole cluster. Once. */
  async followServices(news: ServiceNews): Promise<void> {
    if (!this.isOn) return;
    const { ServiceWatches } = await import('./service-watches.ts');
    await this.#follow((parts) => new ServiceWatches(parts, news));
  }

  /** From now on follows the pods of one node. Once. */
  async followPods(nodeName: string, news: PodNews): Promise<void> {
    if (!this.isOn) return;
    const { NodePods } = await import('./node-pods.ts');
    await this.#follow((parts) => new NodePods(parts, nodeName, news));
  }

  /** From now on follows the nodes of the cluster. `ownName`: the one that this is. Once. */
  async followNodes(ownName: string, news: NodeNews): Promise<void> {
    if (!this.isOn) return;
    const { Nodes } = await import('./nodes.ts');
    await this.#follow((parts) => new Nodes(parts, ownName, news));
  }

  /** From now on follows one node by its metadata. Once; undefined where there is no API to ask. */
  async followOwnNode(nodeName: string, onChange: () => void): Promise<OwnNode | undefined> {
    if (!this.isOn) return undefined;
    const { OwnNode } = await import('./own-node.ts');
    return this.#follow((parts) => new OwnNode(parts, nodeName, onChange));
  }

  /** What follows, in the order in which it began. */
  get followers(): readonly Follower[] {
    return this.#followers;
  }

  /** Empty where nothing is followed. */
  reasons(): readonly KubernetesReason[] {
    return this.#followers.map(({ feature, state }) => {
      const name = feature === 'cluster-dns' ? 'kubernetes' : `kubernetes-${feature}`;
      return { name, ok: true, warning: state.warning, message: state.message };
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const follower of this.#followers) follower.close();
    await this.#client?.close();
  }

  /** Starts what follows objects for a feature; undefined where there is no API to ask. */
  async #follow<F extends Follower>(make: (parts: FollowerParts) => F): Promise<F | undefined> {
    const client = await this.#ask();
    if (client === undefined) return undefined;
    const follower = make({ client, clock: this.#parts.clock, log: this.#parts.log });
    if (this.#isClosed) return follower;
    this.#followers.push(follower);
    follower.start();
    return follower;
  }

  /** The client is loaded where it is used first: it brings undici. */
  async #ask(): Promise<ApiClient | undefined> {
    if (this.#access === undefined) return undefined;
    const { ApiClient } = await import('./api-client.ts');
    this.#client ??= new ApiClient(this.#access);
    return this.#client;
  }
}

async function accessFor(setting: string, env: KubernetesParts['env']): Promise<ApiAccess | undefined> {
  if (setting === 'off') return undefined;
  if (setting === 'auto') return inClusterAccess(env);
  const { kubeconfigAccess } = await import('./kubeconfig.ts');
  return kubeconfigAccess(setting);
}

/** The DNS pods' addresses, as the node's network takes them. */
export function podAddresses({ endpoints }: Pick<ClusterDns, 'endpoints'>): readonly SocketAddress[] {
  return endpoints.map(({ host, udpPort }) => ({ host, port: udpPort }));
}
