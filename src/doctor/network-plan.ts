import type { Config, SocketAddress } from '../config/config.ts';
import { chooseMode } from '../node-network/choose-mode.ts';
import { readHostFacts } from '../node-network/host-facts.ts';
import { readLinks } from '../node-network/link.ts';
import type { NetworkMode } from '../node-network/network-report.ts';
import { servicesOf, wantedFromConfig } from '../node-network/wanted-from-config.ts';
import type { Failover } from '../node-network/wanted-state.ts';

/** What `serve` would do with the node's network, had it the same flags and rights. */
export interface NetworkPlan {
  readonly mode: NetworkMode;
  readonly reason: string;
  readonly link: string;
  readonly isTracked: boolean;
  readonly addresses: readonly PlannedAddress[];
  /** What could not be looked at, and why. */
  readonly unseen: readonly string[];
}

export interface PlannedAddress {
  readonly listen: SocketAddress;
  /** The link that has it already; undefined: it would be added. */
  readonly heldBy: string | undefined;
  /** Who answers there while the agent is gone: an address, a Service's own rules, or nobody. Undefined in a mode without rules. */
  readonly failover: SocketAddress | 'service' | 'none' | undefined;
}

/** Looks at the host and changes nothing; undefined where the node's network is to be left alone. */
export async function planNetwork(
  config: Config,
  env: Readonly<Record<string, string | undefined>>,
): Promise<NetworkPlan | undefined> {
  const { nodeNetwork } = config;
  if (nodeNetwork.mode === 'off') return undefined;
  const unseen: string[] = [];
  const { rules } = wantedFromConfig(config, { services: servicesOf(env) });
  const [choice, links] = await Promise.all([
    chooseMode(nodeNetwork.mode, () => readHostFacts(rules)),
    readLinks().catch((cause: Error) => {
      unseen.push(cause.message);
      return [];
    }),
  ]);
  const hasRules = choice.mode === 'nftables' || choice.mode === 'iptables';
  return {
    ...choice,
    link: nodeNetwork.interface,
    isTracked: !nodeNetwork.hasNoTrack,
    addresses: rules.listen.map((listen) => ({
      listen,
      heldBy: links.find(({ addresses }) => addresses.includes(listen.host))?.name,
      failover: hasRules ? failoverOf(listen, rules.failovers) : undefined,
    })),
    unseen,
  };
}

function failoverOf(listen: SocketAddress, failovers: readonly Failover[]): PlannedAddress['failover'] {
  const own = failovers.find(({ listen: { host, port } }) => host === listen.host && port === listen.port);
  return own === undefined ? 'service' : (own.service ?? own.targets[0] ?? 'none');
}
