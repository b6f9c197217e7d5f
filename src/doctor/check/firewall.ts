import { findDrops } from '../../node-network/foreign-rules.ts';
import { error, ok } from '../diagnosis.ts';
import type { Check } from './check.ts';

/** Rules of the host's firewall that drop queries to the agent, or its replies. */
export const firewallCheck: Check = {
  name: 'firewall',
  async look({ listen, nodeNetwork, ...patient }) {
    const { mode } = await patient.network();
    const isUntracked = nodeNetwork.hasNoTrack && (mode === 'nftables' || mode === 'iptables');
    const drops = await findDrops(listen, isUntracked);
    if (drops.length === 0)
      return [ok('host-accepts', 'no rule of this host was found that drops DNS to or from the agent')];
    return drops.map(({ code, message, remedy }) => error(code, message, remedy));
  },
};
