import { BlockList } from 'node:net';
import { type Applies, both, not, yesIf } from './applies.ts';
import { type Drop, type FirewallPacket, type FirewallRule, findDrop, type Verdict } from './firewall-walk.ts';

/** What `nft --json --terse list table` says of one table or, put together, of several, as far as it matters here. */
export interface NftRuleset {
  readonly nftables: readonly NftObject[];
}

interface NftObject {
  readonly chain?: NftChain;
  readonly rule?: {
    readonly family: string;
    readonly table: string;
    readonly chain: string;
    readonly expr: readonly Expression[];
    readonly comment?: string;
    readonly handle: number;
  };
}

interface NftChain {
  readonly family: string;
  readonly table: string;
  readonly name: string;
  readonly type?: string;
  readonly hook?: string;
  readonly prio?: number;
  readonly policy?: string;
}

type Expression = Readonly<Record<string, unknown>>;

const HOOKS = { query: ['prerouting', 'input'], reply: ['output', 'postrouting'] } as const;

/** Tables that iptables-nft shows as well, in its own words. */
const OF_IPTABLES = new Set(['filter', 'nat', 'mangle', 'raw', 'security']);

/**
 * Whether a table may drop what is ours, by how `nft list tables` names it: `inet firewalld`. iptables' are read elsewhere, and kube-proxy's drop what goes to Services alone; both have
 * hundreds of bytes of JSON for each pod of each Service.
 */
export function mayDrop(table: string): boolean {
  const [family, name = ''] = table.split(' ');
  if (family !== 'inet' && family !== 'ip' && family !== 'ip6') return false;
  return name !== 'kube-proxy' && (family === 'inet' || !OF_IPTABLES.has(name));
}

export interface NftDrop extends Drop {
  /** `inet firewalld`. */
  readonly table: string;
}

/** The first rule or policy of tables in nf_tables, other than `own` and those of iptables, that drops a packet; undefined where it passes. */
export function findNftDrop({ nftables }: NftRuleset, packet: FirewallPacket, own: string): NftDrop | undefined {
  const bases = nftables
    .flatMap(({ chain }) => chain ?? [])
    .filter((chain) => isOnWay(chain, packet) && `${chain.family} ${chain.table}` !== own)
    .sort((a, b) => placeOf(a, packet) - placeOf(b, packet));
  for (const base of bases) {
    const inTable = nftables.flatMap(({ rule }) =>
      rule !== undefined && rule.family === base.family && rule.table === base.table ? rule : [],
    );
    // Nothing is tracked yet before the connection table looks.
    const seen: FirewallPacket = (base.prio ?? 0) <= -200 ? { ...packet, state: 'untracked' } : packet;
    const drop = findDrop(base.name, base.policy === 'drop' ? 'drop' : 'accept', (name) =>
      inTable
        .filter(({ chain }) => chain === name)
        .flatMap(({ expr, comment, handle }) =>
          readRule(
            expr,
            seen,
            comment === undefined ? `rule with handle ${handle}` : `rule "${comment}" (handle ${handle})`,
          ),
        ),
    );
    if (drop !== undefined) return { ...drop, table: `${base.family} ${base.table}` };
  }
  return undefined;
}

function isOnWay({ family, table, type, hook }: NftChain, packet: FirewallPacket): boolean {
  if (hook === undefined || type === 'nat') return false;
  if (family !== 'inet' && family !== (packet.family === 6 ? 'ip6' : 'ip')) return false;
  if (family !== 'inet' && OF_IPTABLES.has(table)) return false;
  return (HOOKS[packet.side] as readonly string[]).includes(hook);
}

function placeOf({ hook, prio = 0 }: NftChain, { side }: FirewallPacket): number {
  return (HOOKS[side] as readonly string[]).indexOf(hook!) * 1e6 + prio;
}

/** One rule for each way on that it has: a map of verdicts has many. */
function readRule(expressions: readonly Expression[], packet: FirewallPacket, text: string): FirewallRule[] {
  let applies: Applies = 'yes';
  let isExplicit = false;
  for (const expression of expressions) {
    if ('match' in expression) {
      const { op, left, right } = expression['match'] as { op: string; left: Expression; right: unknown };
      const said = compare(left, right, packet);
      const result = op === '!=' ? not(said) : said;
      applies = both(applies, result);
      if (result === 'yes' && op !== '!=' && isOurs(left)) isExplicit = true;
    } else if ('vmap' in expression) {
      return readMap(expression['vmap'] as { key: Expression; data: unknown }, packet, applies, text);
    } else {
      const verdict = verdictOf(expression);
      if (verdict !== undefined) return [{ applies, isExplicit, verdict, text }];
      if (!('counter' in expression || 'log' in expression)) applies = both(applies, 'some');
    }
  }
  return [];
}

function readMap(
  { key, data }: { key: Expression; data: unknown },
  packet: FirewallPacket,
  applies: Applies,
  text: string,
): FirewallRule[] {
  const pairs = (data as { set?: readonly (readonly [unknown, Expression])[] } | undefined)?.set;
  if (!Array.isArray(pairs)) return [];
  return pairs.map(([value, verdict]) => {
    const matches = both(applies, compare(key, value, packet));
    return { applies: matches, isExplicit: matches === 'yes' && isOurs(key), verdict: verdictOf(verdict), text };
  });
}

function verdictOf(expression: Expression): Verdict | undefined {
  if ('accept' in expression || 'queue' in expression) return 'accept';
  if ('drop' in expression || 'reject' in expression) return 'drop';
  if ('return' in expression) return 'return';
  const { jump, goto } = expression as { jump?: { target: string }; goto?: { target: string } };
  if (jump !== undefined) return { jump: jump.target };
  return goto === undefined ? undefined : { goto: goto.target };
}

function isOurs(left: Expression): boolean {
  const { field } = (left['payload'] ?? {}) as { field?: string };
  return field !== undefined && ['daddr', 'saddr', 'dport', 'sport'].includes(field);
}

function compare(left: Expression, right: unknown, packet: FirewallPacket): Applies {
  if ('payload' in left) return comparePayload(left['payload'] as { protocol: string; field: string }, right, packet);
  if ('meta' in left) return compareMeta((left['meta'] as { key: string }).key, right, packet);
  if ('ct' in left && (left['ct'] as { key: string }).key === 'state') {
    return anyOf(right, (value) => (value === packet.state ? 'yes' : 'no'));
  }
  return 'some';
}

function comparePayload(
  { protocol, field }: { protocol: string; field: string },
  right: unknown,
  packet: FirewallPacket,
): Applies {
  const { side, family, host, port } = packet;
  if (protocol === 'ip' || protocol === 'ip6') {
    if (protocol !== (family === 6 ? 'ip6' : 'ip')) return 'no';
    if (field === 'protocol' || field === 'nexthdr') return compareMeta('l4proto', right, packet);
    if (field !== (side === 'query' ? 'daddr' : 'saddr')) return 'some';
    return anyOf(right, (value) => coversAddress(value, host, family));
  }
  if (protocol !== packet.protocol && protocol !== 'th')
    return ['tcp', 'udp', 'icmp', 'icmpv6'].includes(protocol) ? 'no' : 'some';
  if (field !== (side === 'query' ? 'dport' : 'sport')) return 'some';
  return anyOf(right, (value) => coversPort(value, port));
}

function compareMeta(key: string, right: unknown, { side, family, protocol }: FirewallPacket): Applies {
  if (key === 'l4proto')
    return anyOf(right, (value) => yesIf(value === protocol || value === (protocol === 'udp' ? 17 : 6)));
  if (key === 'nfproto') return anyOf(right, (value) => yesIf(value === (family === 6 ? 'ipv6' : 'ipv4')));
  if (key === 'protocol') return anyOf(right, (value) => yesIf(value === (family === 6 ? 'ip6' : 'ip')));
  const isInterface = key === (side === 'query' ? 'iifname' : 'oifname') || key === (side === 'query' ? 'iif' : 'oif');
  return isInterface ? anyOf(right, (value) => (value === 'lo' ? 'no' : 'some')) : 'some';
}

/** Of one value, or the best of a set. Sets with a name are not known: `--terse` leaves them out. */
function anyOf(right: unknown, test: (value: unknown) => Applies): Applies {
  if (typeof right === 'string' && right.startsWith('@')) return 'some';
  const values = Array.isArray(right) ? right : ((right as { set?: unknown[] } | null)?.set ?? [right]);
  const results = values.map(test);
  if (results.includes('yes')) return 'yes';
  return results.includes('some') ? 'some' : 'no';
}

function coversAddress(value: unknown, host: string, family: number): Applies {
  const kind = family === 6 ? 'ipv6' : 'ipv4';
  const list = new BlockList();
  const { prefix, range } = (typeof value === 'object' && value !== null ? value : {}) as {
    prefix?: { addr: string; len: number };
    range?: [string, string];
  };
  try {
    if (prefix !== undefined) list.addSubnet(prefix.addr, prefix.len, kind);
    else if (range !== undefined) list.addRange(range[0], range[1], kind);
    else list.addAddress(String(value), kind);
  } catch {
    return 'some';
  }
  return yesIf(list.check(host, kind));
}

function coversPort(value: unknown, port: number): Applies {
  const { range } = (typeof value === 'object' && value !== null ? value : {}) as { range?: [number, number] };
  if (range !== undefined) return yesIf(port >= range[0] && port <= range[1]);
  // Names of services come as text.
  return yesIf(value === port || (value === 'domain' && port === 53));
}
