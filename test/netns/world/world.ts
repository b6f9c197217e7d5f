import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AgentOptions, spawnAgent } from '../../servers/agent.ts';
import { type Child, run } from '../../servers/child.ts';
import { Metrics } from '../../servers/metrics.ts';
import { program } from '../../servers/programs.ts';
import { Namespace } from '../namespace.ts';
import { BRIDGE, DNS_PODS, KUBE_DNS_UPSTREAM, LINK_LOCAL, NODE, PODS } from './addresses.ts';
import { type ClusterDns, startClusterDns } from './cluster-dns.ts';
import { dnsServices, type ProxyKind, syncProxyRules } from './kube-proxy.ts';

/** What `skipWithoutNamespaces` is asked for before a world is made. */
export const WORLD_PROGRAMS = ['nft', 'iptables-nft', 'iptables-legacy', 'coredns', 'dig', 'curl', 'mount', 'unshare'];

const ADMIN = '127.0.0.1:9254';

/**
 * A node with two pods, and another node with the cluster DNS:
 *
 *     pods[0] ──veth──┐                                ┌── 10.244.1.53  CoreDNS, behind the Services
 *                     ├─ cni0 ─ NODE ─ eth0 ── eth0 ─ dns
 *     pods[1] ──veth──┘   (kube-proxy's rules)         └── 10.244.1.54  10.96.0.10 and 10.96.0.11
 *
 * with IPv6 likewise. The agent runs in the node's namespace. Nothing of it is seen by the machine.
 */
export class World {
  readonly node: Namespace;
  readonly pods: readonly [Namespace, Namespace];
  readonly dns: Namespace;
  readonly proxy: ProxyKind;
  /** For files of this world; deleted with it. */
  readonly folder: string;
  #clusterDns: ClusterDns | undefined;
  readonly #children = new Set<Child>();

  static async create(proxy: ProxyKind): Promise<World> {
    const [node, first, second, dns] = await Promise.all([1, 2, 3, 4].map(() => Namespace.create()));
    const folder = await mkdtemp(join(tmpdir(), 'signpost-world-'));
    const world = new World(node!, [first!, second!], dns!, proxy, folder);
    await world.#wire();
    await world.syncProxy();
    world.#clusterDns = await startClusterDns(dns!);
    return world;
  }

  private constructor(
    node: Namespace,
    pods: readonly [Namespace, Namespace],
    dns: Namespace,
    proxy: ProxyKind,
    folder: string,
  ) {
    this.node = node;
    this.pods = pods;
    this.dns = dns;
    this.proxy = proxy;
    this.folder = folder;
  }

  get clusterDns(): Child {
    return this.#clusterDns!.child;
  }

  /** kube-proxy writes its rules again, for other endpoints where they are given: none, and the Services reject. */
  async syncProxy(endpoints: Readonly<Record<4 | 6, readonly string[]>> = DNS_PODS): Promise<void> {
    await syncProxyRules(this.node, this.proxy, dnsServices(4, endpoints[4]));
    await syncProxyRules(this.node, this.proxy, dnsServices(6, endpoints[6]));
  }

  /**
   * `signpost serve` in the node's namespace, with the cluster DNS of both families behind `kube-dns-upstream` and admin on 127.0.0.1:9254. `flags` come last; those that may
   * be given once replace. Wait with `untilReady`.
   */
  startAgent(flags: readonly string[], { prefix = [], ...options }: WorldAgentOptions = {}): Child {
    const listen = flags.includes('--listen') ? [] : ['--listen', LINK_LOCAL[4], '--listen', LINK_LOCAL[6]];
    const dns = flags.includes('--cluster-dns')
      ? []
      : ['--cluster-dns', KUBE_DNS_UPSTREAM[4], '--cluster-dns', KUBE_DNS_UPSTREAM[6]];
    const upstream = flags.includes('--upstream') ? [] : ['--upstream', `tcp://${DNS_PODS[4][0]}`];
    const own = [...upstream, '--metrics', 'off', '--lameduck', '0s', '--log-format', 'json'];
    const admin = flags.includes('--admin') ? [] : ['--admin', ADMIN];
    const child = spawnAgent([...listen, ...dns, ...own, ...admin, ...flags], {
      ...options,
      prefix: [...this.node.prefix, ...prefix],
    });
    this.#children.add(child);
    return child;
  }

  /** Resolves when `/ready` says so, inside the node. */
  async untilReady(agent: Child, admin = ADMIN): Promise<void> {
    await agent.waitUntil('ready', async () => (await this.http(`http://${admin}/ready`)).startsWith('200'));
  }

  /** Status and body of an HTTP resource on the node; status 000 where nobody answers. */
  async http(url: string, from: Namespace = this.node): Promise<string> {
    const { stdout } = await from.run(program('curl'), '-gs', '-m', '5', '-w', '\n%{http_code}', url);
    const end = stdout.lastIndexOf('\n');
    return `${stdout.slice(end + 1)} ${stdout.slice(0, end)}`;
  }

  async scrape(admin = ADMIN): Promise<Metrics> {
    return new Metrics((await this.http(`http://${admin}/metrics`)).slice(4));
  }

  /** Who answers a query at this address: `cluster-dns`, or the agent's version by the CHAOS name `version.bind`; '' for nobody in 2 s. */
  async answerer(from: Namespace, host: string, ...flags: string[]): Promise<string> {
    const { stdout } = await from.run(
      program('dig'),
      ...['+tries=1', '+time=2', '+short', ...flags],
      ...[`@${host}`, 'version.bind', 'CH', 'TXT'],
    );
    return /^"(.*)"$/m.exec(stdout)?.[1] ?? '';
  }

  /** A look-up by libc, as programs do it, with these name servers; `options` as in resolv.conf. */
  async getent(
    from: Namespace,
    name: string,
    servers: readonly string[],
    options = '',
  ): Promise<Awaited<ReturnType<typeof run>>> {
    const lines = servers.map((server) => `nameserver ${server}\n`).join('');
    const resolv = join(this.folder, `resolv-${servers.join('-').replaceAll(':', '_')}.conf`);
    const nsswitch = join(this.folder, 'nsswitch.conf');
    await writeFile(resolv, lines + (options === '' ? '' : `options ${options}\n`));
    await writeFile(nsswitch, 'hosts: dns\n');
    const script = `mount --bind ${resolv} /etc/resolv.conf && mount --bind ${nsswitch} /etc/nsswitch.conf && exec getent ahosts ${name}`;
    return from.run(program('unshare'), '--mount', 'sh', '-c', script);
  }

  /** A child that is to end with the world. */
  own(child: Child): Child {
    this.#children.add(child);
    return child;
  }

  async delete(): Promise<void> {
    for (const child of this.#children) await child.stop();
    await this.#clusterDns?.stop();
    await Promise.all([this.node, ...this.pods, this.dns].map((namespace) => namespace.delete()));
    await rm(this.folder, { recursive: true, force: true });
  }

  async #wire(): Promise<void> {
    const all = [this.node, ...this.pods, this.dns];
    // Addresses are good at once: nobody else can have them.
    const settings = ['net/ipv6/conf/all/accept_dad=0', 'net/ipv6/conf/default/accept_dad=0'];
    const forwarding = [
      'net/ipv4/ip_forward=1',
      'net/ipv6/conf/all/forwarding=1',
      'net/ipv6/conf/default/forwarding=1',
    ];
    await Promise.all(
      all.map((namespace) => sysctl(namespace, namespace === this.node ? [...settings, ...forwarding] : settings)),
    );
    await ip(this.node, [
      'link add cni0 type bridge forward_delay 0',
      'link set cni0 up',
      `address add ${BRIDGE[4]}/24 dev cni0`,
      `address add ${BRIDGE[6]}/64 dev cni0`,
      ...this.pods.flatMap((pod, at) => [
        `link add veth${at} type veth peer name eth0 netns ${pod.name}`,
        `link set veth${at} master cni0 up`,
      ]),
      `link add eth0 type veth peer name eth0 netns ${this.dns.name}`,
      `address add ${NODE[4]}/24 dev eth0`,
      `address add ${NODE[6]}/64 dev eth0`,
      'link set eth0 up',
    ]);
    await Promise.all([
      ...this.pods.map((pod, at) => ip(pod, end([`${PODS[4][at]}/24`, `${PODS[6][at]}/64`], BRIDGE))),
      ip(this.dns, end([...DNS_PODS[4].map((host) => `${host}/24`), ...DNS_PODS[6].map((host) => `${host}/64`)], NODE)),
    ]);
    // Everything else leaves by the other node, as by a router.
    await ip(this.node, [`route add default via ${DNS_PODS[4][0]}`, `route add ::/0 via ${DNS_PODS[6][0]}`]);
  }
}

/** `prefix`: in front of the program, inside the namespace. */
export type WorldAgentOptions = Pick<AgentOptions, 'prefix' | 'env' | 'nodeFlags' | 'entry'>;

function end(addresses: readonly string[], gateway: Readonly<Record<4 | 6, string>>): string[] {
  return [
    ...addresses.map((address) => `address add ${address} dev eth0`),
    'link set eth0 up',
    `route add default via ${gateway[4]}`,
    `route add ::/0 via ${gateway[6]}`,
  ];
}

async function ip(namespace: Namespace, lines: readonly string[]): Promise<void> {
  const input = `${lines.join('\n')}\n`;
  const { code, stderr } = await run(program('ip'), ['-n', namespace.name, '-batch', '-'], { input });
  if (code !== 0) throw new Error(`ip -batch: ${stderr}\n${input}`);
}

/** `settings` as paths below /proc/sys. */
async function sysctl(namespace: Namespace, settings: readonly string[]): Promise<void> {
  const script = settings
    .map((setting) => setting.split('='))
    .map(([path, value]) => `echo ${value} > /proc/sys/${path}`)
    .join('\n');
  const { code, stderr } = await namespace.run('sh', '-ec', script);
  if (code !== 0) throw new Error(`${script}: ${stderr}`);
}
