import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Child } from '../../servers/child.ts';
import type { World } from './world.ts';

/** What the API knows, by the Service's name in kube-system. */
export interface ApiState {
  /** Addresses of the Services, one of each family. */
  readonly services: Readonly<Record<string, readonly string[]>>;
  /** Addresses of the pods behind them. */
  readonly endpoints: Readonly<Record<string, readonly string[]>>;
}

const PROCESS = fileURLToPath(new URL('cluster-api-process.ts', import.meta.url));

/** An API server on the node's loopback, and a kubeconfig that leads there. */
export class ClusterApi {
  readonly kubeconfig: string;
  readonly #child: Child;

  static async start(world: World, state: ApiState): Promise<ClusterApi> {
    const [first, ...rest] = [...world.node.prefix, process.execPath, PROCESS];
    const child = world.own(new Child(first!, rest, { hasChannel: true }));
    const url = await child.request('where');
    const kubeconfig = join(world.folder, 'kubeconfig');
    const config = {
      clusters: [{ name: 'c', cluster: { server: url } }],
      contexts: [{ name: 'c', context: { cluster: 'c' } }],
      'current-context': 'c',
    };
    await writeFile(kubeconfig, JSON.stringify(config));
    const api = new ClusterApi(kubeconfig, child);
    await api.set(state);
    return api;
  }

  private constructor(kubeconfig: string, child: Child) {
    this.kubeconfig = kubeconfig;
    this.#child = child;
  }

  async set(state: ApiState): Promise<void> {
    await this.#child.request(state);
  }

  /** As a crash would end it. */
  async end(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#child.exit;
  }
}
