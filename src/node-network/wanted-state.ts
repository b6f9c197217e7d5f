import type { SocketAddress } from '../config/config.ts';

export type Family = 4 | 6;

/** What the node's network is to have while the agent lives on it: data, made once of the configuration and compared with what is there. */
export interface WantedState {
  /** The link for the addresses; where the kernel has no dummy links, `lo` takes its place. */
  readonly link: string;
  /** IPv4 and IPv6 literals, each once, as /32 and /128. */
  readonly addresses: readonly string[];
  readonly rules: WantedRules;
}

/** The same for every kind of rules. No rule matches more than these addresses and ports. */
export interface WantedRules {
  /** What the agent listens on, UDP and TCP: the switch has an element for each. */
  readonly listen: readonly SocketAddress[];
  /** False: queries are tracked, and are kept from being translated all the same. */
  readonly hasNoTrack: boolean;
  /** Where queries go while the agent does not live, by listen address. One that is not here falls through to whoever else knows it: kube-proxy. */
  readonly failovers: readonly Failover[];
}

export interface Failover {
  readonly family: Family;
  /** An address that leads nowhere without the agent: a link-local one. */
  readonly listen: SocketAddress;
  /** The cluster DNS's address of that family: a Service's, or any other. Rules without state lead there (nftables). */
  readonly service: SocketAddress | undefined;
  /** The DNS pods' own addresses of that family: the connection table can lead only there (iptables). Empty: not known. */
  readonly targets: readonly SocketAddress[];
}
