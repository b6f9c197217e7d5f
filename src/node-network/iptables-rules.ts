import { isIPv6 } from 'node:net';
import type { SocketAddress } from '../config/config.ts';
import { formatSocketAddress } from '../config/socket-address.ts';
import type { Failover, Family, WantedRules } from './wanted-state.ts';

/** All chains of ours begin so, in every table. */
export const PREFIX = 'SIGNPOST-';

/** Beside the jumps into them, for those who read `iptables -L`. */
export const COMMENT = 'signpost: DNS of this node';

/** A chain of ours, and the built-in chain whose first rule leads into it. */
export interface WantedChain {
  readonly table: 'raw' | 'nat' | 'filter';
  readonly hook: string;
  readonly name: string;
  /** As they stand behind `-A CHAIN `. */
  readonly rules: readonly string[];
}

/** What the host's kernel and tools can do. */
export interface RuleFeatures {
  /** The switch as a match: true while the packet's destination has an element. */
  readonly isArmed: (family: Family) => string;
  readonly isDisarmed: (family: Family) => string;
  /** xt_u32, which can tell a SYN's refusal from other resets, and an ICMP error's port. */
  readonly hasU32: boolean;
  /** Zones of the connection table, one for each direction (Linux 4.3, where it is built so). */
  readonly hasZones: boolean;
}

/** Of the connection table, for queries that are not the agent's. A number that nobody else is known to use. */
const ZONE = 53;

type Protocol = 'udp' | 'tcp';

const PROTOCOLS: readonly Protocol[] = ['udp', 'tcp'];

/**
 * The chains of one family, as data; none where the agent listens on no address of it.
 *
 *     raw     PREROUTING  query, switch on ─────────▶ not tracked, so no translation reaches it, and the socket gets it
 *             OUTPUT      the same of the host's own queries; replies are never tracked
 *             NOTRACK off: while the switch is off, queries are looked up in a zone of their own, where none is known to go to the agent; answers come in the usual one.
 *             So a client's long-lived socket is led elsewhere, and back, as a new one is
 *     nat     PREROUTING  query that is tracked, so the switch is off (or NOTRACK is) ─▶ DNAT to a DNS pod; Services are kube-proxy's
 *             OUTPUT      the same, except what 127.0.0.1 and ::1 ask: the agent's own question must not be answered by others
 *             POSTROUTING the host's own queries have a listen address as source: masqueraded when they leave
 *     filter  INPUT       accepted, whatever the host's firewall has behind it
 *             OUTPUT      the same; no port-unreachable and no refused SYN from a listen address: a delay is better than a failure
 */
export function wantedChains(wanted: WantedRules, family: Family, features: RuleFeatures): WantedChain[] {
  const listen = wanted.listen.filter(({ host }) => isIPv6(host) === (family === 6));
  if (listen.length === 0) return [];
  const failovers = wanted.failovers.filter((failover) => failover.family === family && failover.targets.length > 0);
  const chain = (table: WantedChain['table'], hook: string, rules: readonly string[]): WantedChain => {
    return { table, hook, name: `${PREFIX}${hook}`, rules };
  };
  const arrived = perProtocol(listen, (address, protocol) => [
    `${queryTo(address, protocol)} ${features.isArmed(family)}`,
  ]);
  const kept = perProtocol(listen, (address, protocol) => [
    `${queryTo(address, protocol)} ${features.isArmed(family)} -j DNAT --to-destination ${formatSocketAddress(address)}`,
  ]);
  const untracked = arrived.map((match) => `${match} -j CT --notrack`);
  const replies = perProtocol(listen, (address, protocol) => [`${replyFrom(address, protocol)} -j CT --notrack`]);
  const elsewhere = perProtocol(listen, (address, protocol) => [
    `${queryTo(address, protocol)} ${features.isDisarmed(family)} -j CT --zone-orig ${ZONE}`,
  ]);
  const bypass = wanted.hasNoTrack ? [] : kept;
  const raw = wanted.hasNoTrack
    ? [chain('raw', 'PREROUTING', untracked), chain('raw', 'OUTPUT', [...untracked, ...replies])]
    : [chain('raw', 'PREROUTING', elsewhere), chain('raw', 'OUTPUT', elsewhere)];
  return [
    ...(wanted.hasNoTrack || features.hasZones ? raw : []),
    chain('nat', 'PREROUTING', [...bypass, ...failovers.flatMap((failover) => failoverRules(failover, ''))]),
    chain('nat', 'OUTPUT', [
      ...bypass,
      ...failovers.flatMap((failover) => failoverRules(failover, `! -s ${family === 6 ? '::1/128' : '127.0.0.0/8'} `)),
    ]),
    chain('nat', 'POSTROUTING', [...perProtocol(listen, masquerade), ...failovers.flatMap(hairpin)]),
    chain(
      'filter',
      'INPUT',
      perProtocol(listen, (address, protocol) => [`${queryTo(address, protocol)} -j ACCEPT`]),
    ),
    chain('filter', 'OUTPUT', [
      ...perProtocol(listen, (address, protocol) => outputRules(address, protocol, features.hasU32)),
    ]),
  ];
}

function perProtocol(
  listen: readonly SocketAddress[],
  rules: (address: SocketAddress, protocol: Protocol) => readonly string[],
): string[] {
  return listen.flatMap((address) => PROTOCOLS.flatMap((protocol) => rules(address, protocol)));
}

function queryTo({ host, port }: SocketAddress, protocol: Protocol): string {
  return `-d ${single(host)} -p ${protocol} -m ${protocol} --dport ${port}`;
}

function replyFrom({ host, port }: SocketAddress, protocol: Protocol): string {
  return `-s ${single(host)} -p ${protocol} -m ${protocol} --sport ${port}`;
}

/** Each target with the same chance. Of TCP, a SYN only: a connection that lives with the agent is not torn from it while it drains. */
function failoverRules({ listen, targets }: Failover, source: string): string[] {
  return PROTOCOLS.flatMap((protocol) =>
    targets.map((target, at) => {
      const syn = protocol === 'tcp' ? ' --tcp-flags FIN,SYN,RST,ACK SYN' : '';
      const left = targets.length - at;
      const chance = left === 1 ? '' : ` -m statistic --mode random --probability ${(1 / left).toFixed(10)}`;
      return `${source}${queryTo(listen, protocol)}${syn}${chance} -j DNAT --to-destination ${formatSocketAddress(target)}`;
    }),
  );
}

/** Queries of the host itself have the listen address as source, where no answer from another node arrives. */
function masquerade({ host, port }: SocketAddress, protocol: Protocol): string[] {
  return [
    `-s ${single(host)} ! -o lo -p ${protocol} -m conntrack --ctorigdst ${host} --ctorigdstport ${port} -j MASQUERADE`,
  ];
}

/** A DNS pod that is led to itself would see its own address as the client's. */
function hairpin({ listen, targets }: Failover): string[] {
  return targets.flatMap(({ host }) =>
    PROTOCOLS.map(
      (protocol) =>
        `-s ${single(host)} -d ${single(host)} -p ${protocol} -m conntrack --ctorigdst ${listen.host} --ctorigdstport ${listen.port} -j MASQUERADE`,
    ),
  );
}

function outputRules(address: SocketAddress, protocol: Protocol, hasU32: boolean): string[] {
  const accept = [`${queryTo(address, protocol)} -j ACCEPT`, `${replyFrom(address, protocol)} -j ACCEPT`];
  return protocol === 'udp' ? [...accept, portUnreachable(address, hasU32)] : [refusedSyn(address, hasU32), ...accept];
}

/** What the kernel says of a datagram that found no socket: it makes resolvers give up at once, while silence makes them ask again. */
function portUnreachable({ host, port }: SocketAddress, hasU32: boolean): string {
  const isV6 = isIPv6(host);
  const type = isV6 ? '-p ipv6-icmp -m icmp6 --icmpv6-type 1/4' : '-p icmp -m icmp --icmp-type 3/3';
  // The datagram that it speaks of lies behind 8 bytes: its protocol (UDP) and its port.
  const quoted = isV6 ? `0x33&0xff=0x11&&0x58&0xffff=${hex(port)}` : quotedPort(port);
  return `-s ${single(host)} ${type}${hasU32 ? ` -m u32 --u32 "${quoted}"` : ''} -j DROP`;
}

function quotedPort(port: number): string {
  return `0x0>>0x16&0x3c@0xe&0xff=0x11&&0x0>>0x16&0x3c@0x8>>0x16&0x3c@0x8&0xffff=${hex(port)}`;
}

/**
 * The kernel's answer to a SYN that found no listener: RST and ACK with sequence number 0 (RFC 9293, section 3.10.7.1). Where that cannot be seen: one without
 * options, which a connection that had timestamps never sends.
 */
function refusedSyn(address: SocketAddress, hasU32: boolean): string {
  const isV6 = isIPv6(address.host);
  const sequence = isV6 ? '0x2c=0x0' : '0x0>>0x16&0x3c@0x4=0x0';
  const which = hasU32 ? `-m u32 --u32 "${sequence}"` : `-m length --length ${isV6 ? 60 : 40}`;
  return `${replyFrom(address, 'tcp')} --tcp-flags FIN,SYN,RST,PSH,ACK RST,ACK ${which} -j DROP`;
}

function single(host: string): string {
  return `${host}/${isIPv6(host) ? 128 : 32}`;
}

function hex(number: number): string {
  return `0x${number.toString(16)}`;
}
