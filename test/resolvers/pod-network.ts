import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Namespace } from '../netns/namespace.ts';
import { run } from '../servers/child.ts';
import { program } from '../servers/programs.ts';
import { type LookUp, linesOf, type Outcome, outcomesFrom } from './lookup.ts';
import type { Resolver } from './resolvers.ts';

/** What `skipWithoutNamespaces` is asked for. */
export const POD_NETWORK_PROGRAMS = ['unshare', 'mount'];

export interface PodSettings {
  /** In 10.244.9.0/24. */
  readonly address: string;
  readonly searches: readonly string[];
  readonly ndots: number;
}

/** Pods, each with a network of its own, on a bridge of the network that the test is in (`enterOwnNetwork`). Servers listen at the bridge's addresses. */
export class PodNetwork {
  readonly #folder = mkdtempSync(join(tmpdir(), 'signpost-pods-'));
  readonly #namespaces: Namespace[] = [];

  /** `servers`: addresses of the bridge, in 10.244.9.0/24. */
  static async create(servers: readonly string[]): Promise<PodNetwork> {
    await ip([
      'link add cni0 type bridge forward_delay 0',
      'link set cni0 up',
      ...servers.map((address) => `address add ${address}/24 dev cni0`),
    ]);
    return new PodNetwork();
  }

  private constructor() {
    writeFileSync(join(this.#folder, 'nsswitch.conf'), 'hosts: files dns\n');
    writeFileSync(join(this.#folder, 'hosts'), '127.0.0.1 localhost\n');
  }

  async addPod(settings: PodSettings): Promise<Pod> {
    const namespace = await Namespace.create();
    const at = this.#namespaces.push(namespace);
    await ip([
      `link add veth${at} type veth peer name eth0 netns ${namespace.name}`,
      `link set veth${at} master cni0 up`,
    ]);
    await ip([`address add ${settings.address}/24 dev eth0`, 'link set eth0 up'], namespace);
    return new Pod(settings, namespace, this.#folder);
  }

  async delete(): Promise<void> {
    await Promise.all(this.#namespaces.map((namespace) => namespace.delete()));
    await ip(['link delete cni0']);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Where programs run as in a pod: with its address, and with the files in /etc that kubelet writes. */
export class Pod {
  readonly settings: PodSettings;
  readonly #namespace: Namespace;
  readonly #folder: string;

  constructor(settings: PodSettings, namespace: Namespace, folder: string) {
    this.settings = settings;
    this.#namespace = namespace;
    this.#folder = folder;
  }

  /** What `resolver` makes of the look-ups, in turn, with this name server, for whose answers it waits so many seconds. */
  async lookUp(
    resolver: Resolver,
    server: string,
    lookUps: readonly LookUp[],
    timeout: number,
  ): Promise<readonly Outcome[]> {
    const file = this.#resolvConf(server, timeout);
    const mounts = [
      `mount --bind ${file} /etc/resolv.conf`,
      ...['nsswitch.conf', 'hosts'].map((name) => `mount --bind ${join(this.#folder, name)} /etc/${name}`),
    ];
    const script = `${mounts.join(' && ')} && exec "$@"`;
    const [first, ...rest] = [...this.#namespace.prefix, program('unshare'), '--mount', 'sh', '-c', script, 'sh'];
    const ended = await run(first!, [...rest, ...resolver.command], { input: linesOf(lookUps) });
    const outcomes = outcomesFrom(ended.stdout);
    if (ended.code === 0 && outcomes.length === lookUps.length) return outcomes;
    throw new Error(`${resolver.name} ended with ${ended.code} after ${outcomes.length} look-ups: ${ended.stderr}`);
  }

  /** Written once: another program may be reading it. */
  #resolvConf(server: string, timeout: number): string {
    const { address, searches, ndots } = this.settings;
    const file = join(this.#folder, `resolv-${address}-${server}-${timeout}.conf`);
    const options = `options ndots:${ndots} timeout:${timeout}`;
    const lines = [`search ${searches.join(' ')}`, `nameserver ${server}`, options];
    if (!existsSync(file)) writeFileSync(file, `${lines.join('\n')}\n`);
    return file;
  }
}

async function ip(lines: readonly string[], { name }: { name?: string } = {}): Promise<void> {
  const args = [...(name === undefined ? [] : ['-n', name]), '-batch', '-'];
  const { code, stderr } = await run(program('ip'), args, { input: `${lines.join('\n')}\n` });
  if (code !== 0) throw new Error(`ip -batch: ${stderr}`);
}
