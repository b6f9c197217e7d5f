import type { Logger } from '../core/logger.ts';
import { IptablesRules } from './iptables.ts';
import type { IptablesVariant } from './iptables-command.ts';
import type { NetworkMode } from './network-report.ts';
import { NftablesRules } from './nftables.ts';
import { TABLE } from './nftables-table.ts';
import type { RuleKind } from './rule-kind.ts';

/** Where no rules are wanted: the same calls, without effect. */
export type NoRules = Omit<RuleKind, 'name'>;

const noRules: NoRules = {
  apply: async () => {},
  inspect: async () => [],
  renew: async () => {},
  withdraw: async () => {},
  remove: async () => {},
  close() {},
};

/** The rules of a mode, not in the kernel yet. What an earlier process has left by another mode stays: see `NodeNetwork.clean`. */
export async function openRules(
  mode: NetworkMode,
  log: Logger,
  variant: IptablesVariant | undefined = undefined,
): Promise<RuleKind | NoRules> {
  if (mode === 'nftables') return NftablesRules.open();
  if (mode === 'iptables') return new IptablesRules({ variant: variant ?? 'nft', log });
  return noRules;
}

/** Tables of nf_tables in which changes matter: iptables of the newer kind has its rules there as well. */
export function watchedTables(mode: NetworkMode): readonly string[] {
  if (mode === 'nftables') return [TABLE];
  return mode === 'iptables' ? ['raw', 'filter', 'nat'] : [];
}
