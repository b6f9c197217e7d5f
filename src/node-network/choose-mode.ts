import type { NodeNetworkMode } from '../config/config.ts';
import type { IptablesVariant } from './iptables-command.ts';
import type { NetworkMode } from './network-report.ts';

/** What this host has and uses, as far as it says how rules are best put. */
export interface HostFacts {
  /** Why nft cannot be used; undefined: it can. */
  readonly nftTrouble: string | undefined;
  /** Tables that somebody has made, without ours: `ip kube-proxy`, `ip nat`. */
  readonly nftTables: readonly string[];
  /** The iptables that the host uses; undefined: none can be used. */
  readonly iptables: IptablesVariant | undefined;
  /** How that is known. */
  readonly iptablesWhy: string;
  /** What an earlier process in another mode has left. */
  readonly leftovers: readonly ('nftables' | 'iptables')[];
  /** The host's firewall would drop queries, by rules that only others like them can come before; undefined: it does not. */
  readonly iptablesDrop: string | undefined;
}

export interface ModeChoice {
  readonly mode: NetworkMode;
  /** A sentence without its full stop. */
  readonly reason: string;
}

/** What is asked for, or, with `auto`, what fits the host: only then its facts are waited for. */
export async function chooseMode(asked: NodeNetworkMode, facts: () => Promise<HostFacts>): Promise<ModeChoice> {
  return asked === 'auto' ? fittingMode(await facts()) : { mode: asked, reason: 'asked for by --node-network' };
}

function fittingMode({ nftTrouble, nftTables, iptables, iptablesWhy, iptablesDrop }: HostFacts): ModeChoice {
  if (nftTrouble !== undefined && iptables === undefined) {
    return { mode: 'interface', reason: `no rules can be set: ${nftTrouble}, and ${iptablesWhy}` };
  }
  if (nftTrouble !== undefined) return { mode: 'iptables', reason: nftTrouble };
  if (iptables === undefined) return { mode: 'nftables', reason: iptablesWhy };
  if (iptables === 'legacy' && nftTables.length === 0) return { mode: 'iptables', reason: iptablesWhy };
  if (iptablesDrop !== undefined) {
    return { mode: 'iptables', reason: `only iptables can accept before what drops queries: ${iptablesDrop}` };
  }
  if (nftTables.includes('ip kube-proxy') || nftTables.includes('ip6 kube-proxy')) {
    return { mode: 'nftables', reason: 'kube-proxy uses nftables' };
  }
  return { mode: 'nftables', reason: 'the kernel has nf_tables, which needs the fewest parts' };
}
