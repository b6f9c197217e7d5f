import { createHash } from 'node:crypto';
import { FAILOVERS } from '../core/limits.ts';
import { addressesOf, familyOf } from './wanted-from-config.ts';
import type { Failover, Family, WantedRules } from './wanted-state.ts';

export const TABLE = 'signpost';

/** How long the switch holds without a renewal, and how long TCP connections of before a withdrawal still lead to the agent. */
export const ARMED_MS = 3000;
export const LEAVING_MS = 15_000;

/**
 * TCP connections that lead elsewhere stay there, also when the agent comes (back) meanwhile: remembered for longer than CoreDNS keeps an idle one. 16,384 x about 150 B = 2.5 MB of
 * kernel memory a family. Full: those beyond break when the agent comes or goes, and their clients ask again.
 */
const MOVED_MS = 15_000;
const MOVED = 16_384;

/** Bits of a packet's mark that say which fail-over it took, cleared again before it is routed on. Others' well-known marks are above or are not of this form. */
const MARK_MASK = 0x7f;
const FIRST_MARK = 0x41;

export interface NftSet {
  readonly name: string;
  readonly type: string;
  /** Milliseconds after which an element ends; undefined: it stays. */
  readonly timeoutMs?: number;
  /** Packets put elements in, so many at most. */
  readonly size?: number;
  /** Undefined: somebody else puts elements in, and they are kept. */
  readonly elements?: readonly string[];
}

export interface NftChain {
  readonly name: string;
  /** Undefined: other chains lead to it. */
  readonly hook?: { readonly type: string; readonly name: string; readonly priority: number };
  readonly rules: readonly string[];
}

export interface NftTable {
  readonly sets: readonly NftSet[];
  readonly chains: readonly NftChain[];
}

/** Of one family: how nft writes it. */
interface Dialect {
  readonly family: Family;
  readonly ip: 'ip' | 'ip6';
  readonly type: string;
  readonly icmp: string;
  /** Where the port of the datagram lies that an ICMP error speaks of: its header, an IP header without options, the source port. In bits. */
  readonly quotedPort: number;
}

const DIALECTS: readonly Dialect[] = [
  { family: 4, ip: 'ip', type: 'ipv4_addr', icmp: 'icmp type destination-unreachable icmp code 3', quotedPort: 240 },
  {
    family: 6,
    ip: 'ip6',
    type: 'ipv6_addr',
    icmp: 'icmpv6 type destination-unreachable icmpv6 code 4',
    quotedPort: 400,
  },
];

const TCP_OR_UDP = 'meta l4proto { tcp, udp }';

/**
 * The table, of both families.
 *
 *                         ┌ armed ──────────────────▶ untracked ─▶ the agent
 *   query ─▶ (raw) query ─┤ TCP of before a withdrawal ▶ the same
 *                         ├ TCP of before the agent came: as below
 *                         ├ fail-over: destination rewritten, marked ─▶ connection table, kube-proxy ─▶ DNS pod
 *                         └ else ───────────────────▶ connection table, kube-proxy ─▶ DNS pod
 *   reply of a fail-over ─▶ connection table, kube-proxy undone ─▶ (after NAT) source rewritten by the connection's mark ─▶ client
 *
 * The rewriting is done before the connection table sees the packet, for that translates a connection once, and kube-proxy is who does it.
 */
export function nftTable(wanted: WantedRules): NftTable {
  return { sets: DIALECTS.flatMap((dialect) => setsOf(dialect, wanted)), chains: chainsOf(wanted) };
}

/** `add` commands for `nft -f`, without the table itself. A rule carries a digest of its text, so that it is known again as nft prints it. */
export function chainCommands({ chains }: NftTable): string[] {
  const declared = chains.map(({ name, hook }) => {
    const type =
      hook === undefined ? '' : ` { type ${hook.type} hook ${hook.name} priority ${hook.priority}; policy accept; }`;
    return `add chain inet ${TABLE} ${name}${type}`;
  });
  const rules = chains.flatMap(({ name, rules: texts }) =>
    texts.map((text) => `add rule inet ${TABLE} ${name} ${text} comment "${ruleDigest(text)}"`),
  );
  return [...declared, ...rules];
}

export function setCommand({ name, type, timeoutMs, size }: NftSet): string {
  const dynamic = size === undefined ? '' : ` flags dynamic, timeout; timeout ${timeoutMs}ms; size ${size};`;
  const flags = timeoutMs === undefined ? '' : dynamic || ' flags timeout;';
  return `add set inet ${TABLE} ${name} { type ${type};${flags} }`;
}

export function ruleDigest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}

/** An element of the sets of addresses and ports. */
export function element({ host, port }: { host: string; port: number }): string {
  return `${host} . ${port}`;
}

function setsOf({ family, type }: Dialect, { listen }: WantedRules): NftSet[] {
  const own = listen.filter(({ host }) => familyOf(host) === family);
  const key = `${type} . inet_service`;
  return [
    { name: `armed${family}`, type: key, timeoutMs: ARMED_MS },
    { name: `leaving${family}`, type: key, timeoutMs: LEAVING_MS },
    { name: `moved${family}`, type: `${key} . ${key}`, timeoutMs: MOVED_MS, size: MOVED },
    { name: `listen${family}`, type: key, elements: own.map(element) },
    { name: `address${family}`, type, elements: addressesOf(own) },
  ];
}

function chainsOf(wanted: WantedRules): NftChain[] {
  const { listen, hasNoTrack, failovers } = wanted;
  const dialects = DIALECTS.filter(({ family }) => listen.some(({ host }) => familyOf(host) === family));
  const led = ledFailovers(failovers);
  const each = (rules: (dialect: Dialect) => readonly string[]) => dialects.flatMap(rules);
  const returning = led.map((failover, at) => returningRule(failover, at));
  return [
    ...dialects.map((dialect) => elsewhereChain(dialect, led)),
    ...dialects.map((dialect) => queryChain(dialect, wanted)),
    { name: 'prerouting', hook: { type: 'filter', name: 'prerouting', priority: -310 }, rules: each(toQueryChain) },
    {
      name: 'output',
      // Of this type, for a query of the host itself is routed anew when it leads elsewhere.
      hook: { type: 'route', name: 'output', priority: -310 },
      rules: each((dialect) => outputRules(dialect, wanted)),
    },
    { name: 'carry', hook: { type: 'filter', name: 'prerouting', priority: -150 }, rules: led.map(markRule) },
    { name: 'carry-own', hook: { type: 'filter', name: 'output', priority: -150 }, rules: led.map(markRule) },
    ...(hasNoTrack ? [] : [keepChain(wanted)]),
    {
      name: 'as-node',
      hook: { type: 'nat', name: 'postrouting', priority: 90 },
      rules: each(masqueradeRules),
    },
    { name: 'returning', hook: { type: 'filter', name: 'postrouting', priority: 110 }, rules: returning },
    { name: 'returning-own', hook: { type: 'filter', name: 'input', priority: 110 }, rules: returning },
  ];
}

/** Those that lead somewhere, and have a mark. */
function ledFailovers(failovers: readonly Failover[]): readonly Failover[] {
  const all = failovers.filter(({ service }) => service !== undefined);
  FAILOVERS.hits += Math.max(0, all.length - FAILOVERS.value);
  return all.slice(0, FAILOVERS.value);
}

function toQueryChain({ ip, family }: Dialect): string[] {
  return [`${TCP_OR_UDP} ${ip} daddr . th dport @listen${family} goto query${family}`];
}

function queryChain({ ip, family }: Dialect, { hasNoTrack }: WantedRules): NftChain {
  const kept = hasNoTrack ? 'notrack accept' : 'accept';
  const goesOn = 'tcp flags & (fin | syn | rst | ack) != syn';
  return {
    name: `query${family}`,
    rules: [
      // What was begun with another goes on with that one.
      `${goesOn} ${flowOf(ip)} @moved${family} goto elsewhere${family}`,
      // The same port again, soon after: what is begun with the agent does so, too.
      `tcp flags & (fin | syn | rst | ack) == syn ${ip} daddr . th dport @armed${family} ${flowOf(ip)} @moved${family} delete @moved${family} { ${flowOf(ip)} }`,
      `${ip} daddr . th dport @armed${family} ${kept}`,
      // What was begun with the agent before it said that it leaves goes on with it: to anybody else it means nothing.
      `${goesOn} ${ip} daddr . tcp dport @leaving${family} ${kept}`,
      `goto elsewhere${family}`,
    ],
  };
}

function elsewhereChain({ ip, family }: Dialect, led: readonly Failover[]): NftChain {
  const rules = led
    .map((failover, at) => ({ failover, mark: markOf(at) }))
    .filter(({ failover }) => failover.family === family)
    .map(({ failover: { listen, service }, mark }) => {
      const port = service!.port === listen.port ? '' : ` th dport set ${service!.port}`;
      const match = `${TCP_OR_UDP} ${ip} daddr ${listen.host} th dport ${listen.port}`;
      return `${match} meta mark set meta mark & ${hex(~MARK_MASK)} | ${mark} ${ip} daddr set ${service!.host}${port} accept`;
    });
  return { name: `elsewhere${family}`, rules: [`meta l4proto tcp update @moved${family} { ${flowOf(ip)} }`, ...rules] };
}

/** A TCP connection, from its client's side. */
function flowOf(ip: 'ip' | 'ip6'): string {
  return `${ip} saddr . tcp sport . ${ip} daddr . tcp dport`;
}

function outputRules({ ip, family, icmp, quotedPort }: Dialect, { hasNoTrack, listen }: WantedRules): string[] {
  const ports = [...new Set(listen.filter(({ host }) => familyOf(host) === family).map(({ port }) => port))];
  // Silence makes a client ask again, where a refusal makes glibc give up at once.
  const refused = `tcp flags & (fin | syn | rst | ack) == rst | ack tcp sequence 0 ${ip} saddr . tcp sport @listen${family} drop`;
  const unreachable = `${ip} saddr @address${family} ${icmp} @th,${quotedPort},16 { ${ports.join(', ')} } drop`;
  // A host's query to itself is untracked in any case: kube-proxy refuses new connections to a Service's address that it has not translated.
  const reply = `${TCP_OR_UDP} ${ip} saddr . th sport @listen${family}${hasNoTrack ? '' : ' fib daddr type local'} notrack accept`;
  const query = `${TCP_OR_UDP} ${ip} daddr . th dport @armed${family} notrack accept`;
  return [
    refused,
    unreachable,
    reply,
    ...(hasNoTrack ? [] : [query]),
    `${TCP_OR_UDP} ${ip} daddr . th dport @listen${family} goto query${family}`,
  ];
}

/** The connection takes over what the packet's mark says, and the packet has its own again. */
function markRule({ family, service }: Failover, at: number): string {
  const mark = markOf(at);
  const ip = ipOf(family);
  const match = `${TCP_OR_UDP} meta mark & ${hex(MARK_MASK)} == ${mark} ${ip} daddr ${service!.host}`;
  const rest = hex(~MARK_MASK);
  return `${match} ct mark set ct mark & ${rest} | ${mark} meta mark set meta mark & ${rest}`;
}

function returningRule({ family, listen, service }: Failover, at: number): string {
  const ip = ipOf(family);
  const port = service!.port === listen.port ? '' : ` th sport set ${listen.port}`;
  const match = `${TCP_OR_UDP} ct direction reply ct mark & ${hex(MARK_MASK)} == ${markOf(at)} ${ip} saddr ${service!.host}`;
  return `${match} ${ip} saddr set ${listen.host}${port}`;
}

/** The host's own queries have our address as source, for that was their destination; no answer would come back to it. */
function masqueradeRules({ ip, family }: Dialect): string[] {
  return [
    `${TCP_OR_UDP} ${ip} saddr . th sport @listen${family} accept`,
    `${TCP_OR_UDP} ${ip} saddr @address${family} oifname != "lo" masquerade`,
  ];
}

/** A connection is translated once: to itself, before kube-proxy comes. */
function keepChain({ listen }: WantedRules): NftChain {
  const rules = listen.map(({ host, port }) => {
    const family = familyOf(host);
    const ip = ipOf(family);
    const match = `${TCP_OR_UDP} ${ip} daddr ${host} th dport ${port} ${ip} daddr . th dport @armed${family}`;
    return `${match} dnat ${ip} to ${host}`;
  });
  return { name: 'keep', hook: { type: 'nat', name: 'prerouting', priority: -110 }, rules };
}

function markOf(at: number): string {
  return hex(FIRST_MARK + at);
}

function ipOf(family: Family): 'ip' | 'ip6' {
  return family === 4 ? 'ip' : 'ip6';
}

function hex(value: number): string {
  return `0x${(value >>> 0).toString(16).padStart(8, '0')}`;
}
