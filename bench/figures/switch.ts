import { KUBE_DNS, LINK_LOCAL, NAMES } from '../../test/netns/world/addresses.ts';
import { blockLoop, INSPECTED } from '../../test/netns/world/agent-faults.ts';
import { ControlGroup } from '../../test/netns/world/control-group.ts';
import type { ProxyKind } from '../../test/netns/world/kube-proxy.ts';
import { type LaneReport, lanesTo, QueryClient } from '../../test/netns/world/query-client.ts';
import { World } from '../../test/netns/world/world.ts';
import { Child } from '../../test/servers/child.ts';
import type { Bench } from '../bench.ts';
import { BenchError } from '../bench-error.ts';
import { type Measure, OURS } from '../measure.ts';

/** Each kind of rules beside the kube-proxy that it meets. */
const MODES: readonly { readonly mode: string; readonly proxy: ProxyKind }[] = [
  { mode: 'nftables', proxy: 'nftables' },
  { mode: 'nftables', proxy: 'iptables-nft' },
  { mode: 'iptables', proxy: 'iptables-nft' },
  { mode: 'iptables', proxy: 'iptables-legacy' },
];
const HOSTS = [LINK_LOCAL[4], LINK_LOCAL[6], KUBE_DNS[4], KUBE_DNS[6]];
const PER_SECOND = 5000;
const LANE_MS = 20;
const HANG_MS = 8000;
const FLOOD_SECONDS = 30;
const UNLIMITED = 0;

/** How long a node is without answers when the agent dies or hangs, and whether load alone can make it seem so. In network namespaces; as root. */
export async function deadMansSwitch(bench: Bench): Promise<Measure[]> {
  if (process.getuid?.() !== 0) throw new BenchError('Cannot measure the switch: network namespaces need root');
  const measures: Measure[] = [];
  for (const { mode, proxy } of MODES) {
    const world = await World.create(proxy);
    try {
      measures.push(...(await new Rounds(bench, world, mode).measure()));
    } finally {
      await world.delete();
    }
  }
  return measures;
}

class Rounds {
  readonly #bench: Bench;
  readonly #world: World;
  readonly #mode: string;

  constructor(bench: Bench, world: World, mode: string) {
    this.#bench = bench;
    this.#world = world;
    this.#mode = mode;
  }

  async measure(): Promise<Measure[]> {
    const killed: Gap[] = [];
    const hung: Gap[] = [];
    const backMs: number[] = [];
    const failed: number[] = [];
    const unarmed: number[] = [];
    let agent = await this.#begin();
    for (let round = 0; round < this.#bench.options.rounds; round++) {
      killed.push(await this.#gap(async () => agent.kill('SIGKILL')));
      agent = await this.#begin();
      // Without the load, for that may be more than the cluster DNS of this machine takes.
      agent.kill('SIGKILL');
      failed.push(await this.#failedLookUps());
      const clients = this.#clients();
      const startMs = performance.now();
      agent = await this.#begin(async () => {
        for (const client of clients) await client.untilAnsweredBy('signpost');
        backMs.push(performance.now() - startMs);
      });
      for (const client of clients) await client.stop();
      hung.push(await this.#gap(() => blockLoop(this.#world, agent, HANG_MS)));
      await this.#settle();
      unarmed.push(await this.#unarmedUnderLoad(agent));
      await agent.stop();
      agent = await this.#begin();
    }
    await agent.stop();
    const title = `${this.#mode} (kube-proxy: ${this.#world.proxy})`;
    const row = (name: string, unit: string, samples: number[], value: number): Measure => ({
      name: `${title}: ${name}`,
      unit,
      samples: { [OURS]: samples },
      goals: [{ against: undefined, bound: 'at most', value }],
    });
    return [
      row(
        'longest time without an answer after kill -9',
        's',
        killed.map(({ seconds }) => seconds),
        3.5,
      ),
      row(
        '... with a hung event loop',
        's',
        hung.map(({ seconds }) => seconds),
        3.5,
      ),
      row(
        'queries refused meanwhile',
        'queries',
        [...killed, ...hung].map(({ refused }) => refused),
        0,
      ),
      row('look-ups by getent that fail', 'look-ups', failed, 0),
      row('start of a process until all traffic is back', 'ms', backMs, 2000),
      row('renewals left out under a flood, and with a tenth of a core', 'renewals', unarmed, 0),
    ];
  }

  /** The worst of all addresses and transports, from a pod and from the node, while a pod asks 5,000 a second. */
  async #gap(fault: () => Promise<void>): Promise<Gap> {
    const clients = this.#clients();
    for (const client of clients) await client.untilAnsweredBy('signpost');
    const load = this.#blast(60, PER_SECOND);
    await fault();
    for (const client of clients) await client.untilAnsweredBy('cluster-dns');
    const reports: LaneReport[] = [];
    for (const client of clients) reports.push(...(await client.stop()));
    load.kill('SIGTERM');
    await load.exit;
    return {
      seconds: Math.max(...reports.map(({ gapMs }) => gapMs)) / 1000,
      refused: reports.reduce((sum, { refused }) => sum + refused, 0),
    };
  }

  async #unarmedUnderLoad(agent: Child): Promise<number> {
    await this.#blast(FLOOD_SECONDS, UNLIMITED).exit;
    const group = ControlGroup.create(`bench-${this.#mode}`, { cpus: 0.1 });
    group.add(agent.pid);
    await this.#blast(FLOOD_SECONDS, UNLIMITED).exit;
    const metrics = await this.#world.scrape();
    const count = metrics.sum('signpost_switch_not_serving_total');
    await agent.stop();
    group.delete();
    return count;
  }

  async #failedLookUps(): Promise<number> {
    const { node, pods } = this.#world;
    const places = [pods[1], node].flatMap((from) => HOSTS.map((host) => ({ from, host })));
    const codes = await Promise.all(
      places.map(async ({ from, host }) => (await this.#world.getent(from, NAMES.service, [host])).code),
    );
    return codes.filter((code) => code !== 0).length;
  }

  async #settle(): Promise<void> {
    const clients = this.#clients();
    for (const client of clients) await client.untilAnsweredBy('signpost');
    for (const client of clients) await client.stop();
  }

  #clients(): QueryClient[] {
    return [this.#world.pods[1], this.#world.node].map((from) => QueryClient.start(from, lanesTo(HOSTS, LANE_MS)));
  }

  #blast(seconds: number, perSecond: number): Child {
    const file = this.#bench.queryFile('switch', () => [NAMES.service]);
    const [first, ...rest] = this.#world.pods[0].prefix;
    const pace = [seconds, 8, 24, 0, perSecond].map(String);
    return new Child(first!, [...rest, this.#bench.programs.dnsblast, LINK_LOCAL[4], '53', file, ...pace]);
  }

  async #begin(meanwhile: () => Promise<void> = async () => {}): Promise<Child> {
    const listen = HOSTS.flatMap((host) => ['--listen', host]);
    const agent = this.#world.startAgent(['--node-network', this.#mode, ...listen], {
      env: { KUBE_DNS_SERVICE_HOST: KUBE_DNS[4] },
      nodeFlags: INSPECTED,
      entry: this.#bench.programs.agent,
    });
    await meanwhile();
    await this.#world.untilReady(agent);
    return agent;
  }
}

interface Gap {
  readonly seconds: number;
  readonly refused: number;
}
