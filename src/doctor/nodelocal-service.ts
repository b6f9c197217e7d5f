import { findPortHolder } from '../listen/port-holder.ts';
import { findNodeLocal, hasNodeLocal, type NodeLocalLeftovers } from '../node-network/nodelocal-leftovers.ts';
import type { AgentProcess } from './agent-processes.ts';

/** NodeLocal DNSCache on this node. */
export interface NodeLocalService {
  readonly leftovers: NodeLocalLeftovers;
  /** `the link nodelocaldns`, `4 rules in iptables-nft` */
  readonly things: readonly string[];
  /** Who has port 53 of its addresses open, where it is no agent: it runs, and would put all back. */
  readonly holder: string | undefined;
}

/** Undefined where there is nothing of it. Reads only. */
export async function findNodeLocalService(agents: readonly AgentProcess[]): Promise<NodeLocalService | undefined> {
  const leftovers = await findNodeLocal();
  if (!hasNodeLocal(leftovers)) return undefined;
  const { link, rules, addresses } = leftovers;
  const holders = await Promise.all(addresses.map((host) => findPortHolder({ host, port: 53 }, 'UDP')));
  const isAgents = (holder: string): boolean => agents.some(({ pid }) => holder.endsWith(`(process ${pid})`));
  return {
    leftovers,
    things: [
      ...(link === undefined ? [] : [`the link ${link}`]),
      ...rules.map((program) => `${program.rules.length} rules in ${program.command.name}`),
    ],
    holder: holders.find((one) => one !== undefined && !isAgents(one)),
  };
}
