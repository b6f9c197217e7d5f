import { randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { KubernetesApi, KubernetesObject } from '../../cluster/api.ts';
import { Child, type Exit, run } from '../../servers/child.ts';
import { program } from '../../servers/programs.ts';
import { DNS_PODS } from './addresses.ts';
import type { World } from './world.ts';

// What an API server gives is loosely typed.
// biome-ignore lint/suspicious/noExplicitAny: what is not there shows as a failed test
type Loose = any;

export interface KubeletOptions {
  readonly world: World;
  readonly api: KubernetesApi;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  /** What the image's entry point runs here. */
  readonly entry: readonly string[];
}

/** A pod's container that runs, with what its probes and `kubectl exec` see. */
export interface RunningPod {
  readonly uid: string;
  readonly child: Child;
  readonly env: NodeJS.ProcessEnv;
  readonly container: Loose;
}

/**
 * As much of kubelet, and of the controller of DaemonSets, as one node of the world needs: pods of DaemonSets whose node it is run in its namespace, with the variables, files,
 * capabilities and probes that their templates say. Folders of the host lie below the world's own.
 */
export class Kubelet {
  readonly labels: Record<string, string>;
  readonly #options: KubeletOptions;
  readonly #pods = new Map<string, RunningPod>();

  constructor(options: KubeletOptions) {
    this.#options = options;
    this.labels = { 'kubernetes.io/os': 'linux', ...options.labels };
  }

  /** Starts the pods that are wanted here, and stops the others as they are stopped before they are deleted. */
  async sync(): Promise<void> {
    const { api, namespace } = this.#options;
    const list = (await api.get(`/apis/apps/v1/namespaces/${namespace}/daemonsets`)) as Loose;
    const wanted = new Map<string, Loose>(
      list.items.filter((each: Loose) => this.#isWanted(each)).map((each: Loose) => [each.metadata.name, each]),
    );
    for (const name of this.#pods.keys()) if (!wanted.has(name)) await this.#stop(name);
    for (const [name, daemonSet] of wanted) {
      if (!this.#pods.has(name)) this.#pods.set(name, await this.#start(daemonSet.spec.template));
    }
  }

  pod(daemonSet: string): RunningPod {
    const pod = this.#pods.get(daemonSet);
    if (pod === undefined) throw new Error(`no pod of ${daemonSet} is wanted on this node`);
    return pod;
  }

  /** Starts the container of a pod again that has ended. */
  async restart(daemonSet: string): Promise<void> {
    const pod = this.pod(daemonSet);
    await pod.child.exit;
    this.#pods.set(daemonSet, { ...pod, child: this.#spawn(pod.container, pod.env) });
  }

  /** Resolves when the pod's probes say so; one without probes is ready. */
  async untilReady(daemonSet: string): Promise<void> {
    const pod = this.pod(daemonSet);
    const { startupProbe, readinessProbe } = pod.container;
    if (startupProbe) {
      await pod.child.waitUntil('started', async () => (await this.exec(pod, startupProbe.exec.command)).code === 0);
    }
    if (readinessProbe) {
      const { host, port, path } = readinessProbe.httpGet;
      const url = `http://${host}:${port}${path}`;
      await pod.child.waitUntil('ready', async () => (await this.#options.world.http(url)).startsWith('200'));
    }
  }

  /** What `kubectl exec` does. */
  exec(pod: RunningPod, command: readonly string[]) {
    const [first, ...rest] = this.#options.world.node.prefix;
    return run(first!, [...rest, ...command], { env: { ...process.env, ...pod.env } });
  }

  #isWanted({ spec }: Loose): boolean {
    const { nodeSelector = {}, affinity } = spec.template.spec;
    const [terms] = affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms;
    const has = (key: string, values: readonly string[]): boolean => values.includes(this.labels[key] ?? '');
    return (
      Object.entries(nodeSelector).every(([key, value]) => has(key, [value as string])) &&
      terms.matchExpressions.every(({ key, operator, values }: Loose) => has(key, values) === (operator === 'In'))
    );
  }

  async #start({ spec }: Loose): Promise<RunningPod> {
    const uid = randomUUID();
    const folders = await this.#volumes(spec, uid);
    const services = await this.#serviceVariables();
    const prepare = (container: Loose) => {
      const env = { ...services, ...variables(container, { 'metadata.uid': uid, 'spec.nodeName': 'worker-1' }) };
      const mounts = (container.volumeMounts ?? []).map(({ name, mountPath }: Loose) => [mountPath, folders.get(name)]);
      // In place of mounts, for the machine has none of these folders: paths that mean them.
      const inside = (text: string): string =>
        mounts.reduce((path: string, [from, to]: [string, string]) => path.replace(from, to), expand(text, env));
      const lock = mounts.find(([from]: [string]) => from === '/run/xtables.lock')?.[1];
      const args = (container.args ?? []).map(inside);
      return { env: { ...env, ...(lock && { XTABLES_LOCKFILE: lock }) }, container: { ...container, args } };
    };
    for (const init of spec.initContainers ?? []) {
      const { container, env } = prepare(init);
      const child = this.#spawn(container, env);
      const { code }: Exit = await child.exit;
      if (code !== 0) throw new Error(`${container.name} ended with ${code}:\n${child.output}`);
    }
    const { container, env } = prepare(spec.containers[0]);
    return { uid, env, container, child: this.#spawn(container, env) };
  }

  #spawn({ command, args = [], securityContext }: Loose, env: NodeJS.ProcessEnv): Child {
    const { world, entry } = this.#options;
    const { add = [] } = securityContext.capabilities;
    const capabilities = ['-all', ...add.map((name: string) => `+${name.toLowerCase()}`)].join(',');
    const script = 'mount --bind "$1" /etc/resolv.conf && shift && exec "$@"';
    const [first, ...rest] = [
      ...world.node.prefix,
      ...[program('unshare'), '--mount', 'sh', '-c', script, 'sh', join(world.folder, 'resolv.conf')],
      ...[program('setpriv'), '--no-new-privs', '--bounding-set', capabilities, '--inh-caps', capabilities],
      ...(command ?? entry),
      ...args,
    ];
    return world.own(new Child(first!, rest, { env: { PATH: process.env['PATH'], ...env } }));
  }

  async #stop(name: string): Promise<void> {
    const pod = this.#pods.get(name)!;
    this.#pods.delete(name);
    pod.child.kill('SIGTERM');
    await pod.child.exit;
  }

  /** The folder or file here for each volume. */
  async #volumes({ volumes = [] }: Loose, uid: string): Promise<Map<string, string>> {
    const { world, api, namespace } = this.#options;
    await writeFile(join(world.folder, 'resolv.conf'), `nameserver ${DNS_PODS[4][0]}\n`);
    const folders = new Map<string, string>();
    for (const { name, hostPath, configMap } of volumes) {
      const path = hostPath ? join(world.folder, 'host', hostPath.path) : join(world.folder, uid, name);
      folders.set(name, path);
      await mkdir(hostPath?.type === 'FileOrCreate' ? dirname(path) : path, { recursive: true });
      if (hostPath?.type === 'FileOrCreate') await writeFile(path, '', { flag: 'a' });
      if (!configMap) continue;
      const { data } = (await api.get(`/api/v1/namespaces/${namespace}/configmaps/${configMap.name}`)) as Loose;
      for (const [file, text] of Object.entries(data)) await writeFile(join(path, file), text as string);
    }
    return folders;
  }

  /** What a container is told of the Services of its namespace. */
  async #serviceVariables(): Promise<Record<string, string>> {
    const { api, namespace } = this.#options;
    const { items } = (await api.get(`/api/v1/namespaces/${namespace}/services`)) as Loose;
    return Object.fromEntries(
      (items as (KubernetesObject & Loose)[]).flatMap(({ metadata, spec }) => {
        const name = metadata.name.toUpperCase().replaceAll('-', '_');
        if (spec.clusterIP === 'None') return [];
        return [
          [`${name}_SERVICE_HOST`, spec.clusterIP],
          [`${name}_SERVICE_PORT`, String(spec.ports[0].port)],
        ];
      }),
    );
  }
}

function variables({ env = [] }: Loose, fields: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    env.map(({ name, value, valueFrom }: Loose) => [name, value ?? fields[valueFrom.fieldRef.fieldPath]]),
  );
}

/** `$(NAME)` as kubelet replaces it. */
function expand(text: string, env: Readonly<Record<string, string>>): string {
  return text.replace(/\$\((\w+)\)/g, (whole, name: string) => env[name] ?? whole);
}
