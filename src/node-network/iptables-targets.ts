import { readFile } from 'node:fs/promises';
import type { SocketAddress } from '../config/config.ts';
import type { IptablesCommand } from './iptables-command.ts';
import { type Dump, isWhole, SERVICES, serviceRules } from './iptables-dump.ts';
import {
  type ChainReader,
  ipvsTargets,
  type KubeProxyTargets,
  kubeProxyTargets,
  nftablesProxyTargets,
  rulesText,
} from './kube-proxy-targets.ts';
import { findTool, runTool } from './tool.ts';
import type { Failover, Family, WantedRules } from './wanted-state.ts';

/** Where the chains are not in the dump, they are followed anew so often; before that the Service's own are enough. */
const FOLLOW_MS = 300_000;

/** Where the fail-over leads to while nobody has said which pods the cluster DNS has: what kube-proxy's rules say, in any of its modes. */
export class TargetSource {
  /** By Service: what was found last stands while kube-proxy writes anew. */
  readonly #known = new Map<string, readonly SocketAddress[]>();
  readonly #followed = new Map<string, KubeProxyTargets & { readonly tool: string; readonly atMs: number }>();

  /** Of kube-proxy's chains, those that a dump is to have for `fill`. */
  chains({ name }: IptablesCommand): ReadonlySet<string> {
    return new Set(
      [...this.#followed.values()].filter(({ tool }) => tool === name).flatMap(({ chains }) => [...chains]),
    );
  }

  /**
   * `wanted` with targets for each fail-over of the family that can have some. A Service that kube-proxy does not know leads to its own address: then it is none, or not there yet.
   * `dump` is what `command` has saved, with `chains`.
   */
  async fill(wanted: WantedRules, command: IptablesCommand, dump: Dump): Promise<WantedRules> {
    const failovers: Failover[] = [];
    for (const failover of wanted.failovers) {
      const { family, service, targets } = failover;
      if (family !== command.family || service === undefined || targets.length > 0) failovers.push(failover);
      else failovers.push({ ...failover, targets: await this.#find(service, command, dump) });
    }
    return { ...wanted, failovers };
  }

  async #find(service: SocketAddress, command: IptablesCommand, dump: Dump): Promise<readonly SocketAddress[]> {
    const key = `${service.host} ${service.port}`;
    let found = isWhole(dump)
      ? (await kubeProxyTargets(async (chains) => serviceRules(dump, chains), service)).targets
      : await this.#follow(key, service, command, dump);
    if (found.length === 0) found = nftablesProxyTargets(await kubeProxyTable(command.family), service);
    if (found.length === 0) found = ipvsTargets(await readFile('/proc/net/ip_vs', 'utf8').catch(() => ''), service);
    // One order, whatever kube-proxy's: the same pods are the same rules.
    found.sort((a, b) => (a.host < b.host ? -1 : a.host > b.host ? 1 : a.port - b.port));
    if (found.length > 0) this.#known.set(key, found);
    return this.#known.get(key) ?? [service];
  }

  /** By single chains: KUBE-SERVICES is in the dump. */
  async #follow(key: string, service: SocketAddress, command: IptablesCommand, dump: Dump): Promise<SocketAddress[]> {
    const before = this.#followed.get(key);
    if (before !== undefined && before.targets.length > 0 && performance.now() - before.atMs < FOLLOW_MS) {
      if (rulesText(serviceRules(dump, before.chains)) === before.rules) return [...before.targets];
    }
    const read: ChainReader = (chains) =>
      chains.has(SERVICES) ? Promise.resolve(serviceRules(dump, chains)) : command.readChains(chains);
    const found = await kubeProxyTargets(read, service);
    this.#followed.set(key, { ...found, tool: command.name, atMs: performance.now() });
    return found.targets;
  }
}

async function kubeProxyTable(family: Family): Promise<string> {
  if (findTool('nft') === undefined) return '';
  const table = ['list', 'table', family === 6 ? 'ip6' : 'ip', 'kube-proxy'];
  const outcome = await runTool('nft', table).catch(() => undefined);
  return outcome?.code === 0 ? outcome.stdout : '';
}
