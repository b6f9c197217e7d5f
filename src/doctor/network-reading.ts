import type { NetworkStatus } from '../admin/status.ts';
import type { Config, NodeNetworkConfig } from '../config/config.ts';
import { chooseMode } from '../node-network/choose-mode.ts';
import { readHostFacts } from '../node-network/host-facts.ts';
import type { NetworkMode } from '../node-network/network-report.ts';
import { servicesOf, wantedFromConfig } from '../node-network/wanted-from-config.ts';
import type { WantedState } from '../node-network/wanted-state.ts';
import type { AgentProcess } from './agent-processes.ts';
import { readTraces, type Traces } from './traces.ts';

/** The node's network: what it should have, and what of ours it has. */
export interface NetworkReading {
  readonly mode: NetworkMode;
  /** How the mode is known. */
  readonly reason: string;
  /** Undefined where nobody can tell what the agent is to do. */
  readonly wanted: WantedState | undefined;
  readonly traces: Traces;
  /** The agent's own word. */
  readonly report: NetworkStatus | undefined;
}

export interface ReadingParts {
  readonly config: Config | undefined;
  readonly nodeNetwork: NodeNetworkConfig;
  readonly agents: readonly AgentProcess[];
  readonly report: NetworkStatus | undefined;
}

/** Reads only. */
export async function readNetwork({ config, nodeNetwork, agents, report }: ReadingParts): Promise<NetworkReading> {
  const traces = await readTraces();
  const env = agents[0]?.env ?? process.env;
  const planned = config && wantedFromConfig(config, { services: servicesOf(env) });
  // The agent knows more of the cluster than its flags say.
  const wanted =
    report === undefined ? planned : { link: report.link, addresses: report.addresses, rules: report.rules };
  return { ...(await modeOf(nodeNetwork, traces, report)), wanted, traces, report };
}

async function modeOf(
  { mode }: NodeNetworkConfig,
  { table, chains }: Traces,
  report: NetworkStatus | undefined,
): Promise<Pick<NetworkReading, 'mode' | 'reason'>> {
  if (report !== undefined) return { mode: report.mode as NetworkMode, reason: report.modeReason };
  if (mode === 'auto') {
    if (table !== undefined) return { mode: 'nftables', reason: 'its table is there' };
    if (chains.length > 0) return { mode: 'iptables', reason: `its chains are in ${chains.join(', ')}` };
  }
  return chooseMode(mode, () => readHostFacts());
}
