import { readFile } from 'node:fs/promises';
import type { SocketAddress } from '../config/config.ts';
import type { Dump } from './iptables-dump.ts';
import { ipvsTargets, kubeProxyTargets, nftablesProxyTargets } from './kube-proxy-targets.ts';
import { findTool, runTool } from './tool.ts';
import type { Failover, Family, WantedRules } from './wanted-state.ts';

/** Where the fail-over leads to while nobody has said which pods the cluster DNS has: what kube-proxy's rules say, in any of its modes. */
export class TargetSource {
  /** By Service: what was found last stands while kube-proxy writes anew. */
  readonly #known = new Map<string, readonly SocketAddress[]>();

  /** `wanted` with targets for each fail-over that can have some. A Service that kube-proxy does not know leads to its own address: then it is none, or not there yet. */
  async fill(wanted: WantedRules, family: Family, dump: Dump): Promise<WantedRules> {
    const failovers: Failover[] = [];
    for (const failover of wanted.failovers) {
      const { service, targets } = failover;
      if (failover.family !== family || service === undefined || targets.length > 0) failovers.push(failover);
      else failovers.push({ ...failover, targets: await this.#find(service, family, dump) });
    }
    return { ...wanted, failovers };
  }

  async #find(service: SocketAddress, family: Family, dump: Dump): Promise<readonly SocketAddress[]> {
    const key = `${service.host} ${service.port}`;
    let found = kubeProxyTargets(dump, service);
    if (found.length === 0) found = nftablesProxyTargets(await kubeProxyTable(family), service);
    if (found.length === 0) found = ipvsTargets(await readFile('/proc/net/ip_vs', 'utf8').catch(() => ''), service);
    // One order, whatever kube-proxy's: the same pods are the same rules.
    found.sort((a, b) => (a.host < b.host ? -1 : a.host > b.host ? 1 : a.port - b.port));
    if (found.length > 0) this.#known.set(key, found);
    return this.#known.get(key) ?? [service];
  }
}

async function kubeProxyTable(family: Family): Promise<string> {
  if (findTool('nft') === undefined) return '';
  const table = ['list', 'table', family === 6 ? 'ip6' : 'ip', 'kube-proxy'];
  const outcome = await runTool('nft', table).catch(() => undefined);
  return outcome?.code === 0 ? outcome.stdout : '';
}
