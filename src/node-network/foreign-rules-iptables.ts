import { BlockList } from 'node:net';
import { type Applies, both, not, yesIf } from './applies.ts';
import { type Drop, type FirewallPacket, type FirewallRule, findDrop, type Verdict } from './firewall-walk.ts';
import { type Dump, ruleWords } from './iptables-dump.ts';

/** The chains that a packet passes, in order; the table nat cannot drop. */
const WAYS = {
  query: [
    ['raw', 'PREROUTING'],
    ['mangle', 'PREROUTING'],
    ['mangle', 'INPUT'],
    ['filter', 'INPUT'],
    ['security', 'INPUT'],
  ],
  reply: [
    ['raw', 'OUTPUT'],
    ['mangle', 'OUTPUT'],
    ['filter', 'OUTPUT'],
    ['security', 'OUTPUT'],
    ['mangle', 'POSTROUTING'],
  ],
} as const;

/** What each option says of a packet; `undefined` from one that only describes. Options that are not here say `some`. */
const OPTIONS: Readonly<Record<string, (packet: FirewallPacket, value: string) => Applies | undefined>> = {
  '-p': ({ protocol }, value) => yesIf([protocol, 'all', protocol === 'udp' ? '17' : '6'].includes(value)),
  '-s': (packet, value) => (packet.side === 'reply' ? covers(value, packet) : ofClient(value)),
  '-d': (packet, value) => (packet.side === 'query' ? covers(value, packet) : ofClient(value)),
  '-i': ({ side }, value) => (side === 'query' ? overInterface(value) : 'no'),
  '-o': ({ side }, value) => (side === 'reply' ? overInterface(value) : 'no'),
  '--dport': ({ side, port }, value) => (side === 'query' ? hasPort(value, port) : ofClientPort(value)),
  '--sport': ({ side, port }, value) => (side === 'reply' ? hasPort(value, port) : ofClientPort(value)),
  '--dports': ({ side, port }, value) => (side === 'query' ? hasPort(value, port) : ofClientPort(value)),
  '--sports': ({ side, port }, value) => (side === 'reply' ? hasPort(value, port) : ofClientPort(value)),
  '--ports': ({ port }, value) => hasPort(value, port),
  '--ctstate': ({ state }, value) => yesIf(value.toLowerCase().split(',').includes(state)),
  '--state': ({ state }, value) => yesIf(value.toLowerCase().split(',').includes(state)),
  '--dst-type': ({ side }, value) => (side === 'query' ? yesIf(value.split(',').includes('LOCAL')) : 'some'),
  '--src-type': ({ side }, value) => (side === 'reply' ? yesIf(value.split(',').includes('LOCAL')) : 'some'),
  '--comment': () => undefined,
  '-m': () => undefined,
};

/** Options that name what is ours. */
const EXPLICIT = new Set(['-s', '-d', '--dport', '--sport', '--dports', '--sports', '--ports']);

/** The table, and the rule or policy, that drops a packet; undefined where it passes. */
export function findIptablesDrop(dump: Dump, packet: FirewallPacket): (Drop & { readonly table: string }) | undefined {
  for (const [table, chain] of WAYS[packet.side]) {
    const chains = dump.get(table);
    const base = chains?.get(chain);
    if (chains === undefined || base === undefined) continue;
    // Nothing is tracked yet where that is decided.
    const seen: FirewallPacket = table === 'raw' ? { ...packet, state: 'untracked' } : packet;
    const drop = findDrop(chain, base.policy === 'DROP' ? 'drop' : 'accept', (name) =>
      chains.get(name)?.rules.map((rule) => readRule(rule, seen, (target) => chains.has(target))),
    );
    if (drop !== undefined) return { ...drop, table };
  }
  return undefined;
}

function readRule(text: string, packet: FirewallPacket, isChain: (name: string) => boolean): FirewallRule {
  const words = ruleWords(text);
  let applies: Applies = 'yes';
  let isExplicit = false;
  let isNegated = false;
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!;
    if (word === '-j' || word === '-g') {
      return { applies, isExplicit, verdict: verdictOf(word, words[at + 1]!, isChain), text };
    }
    if (word === '!') {
      isNegated = true;
    } else if (word.startsWith('-')) {
      const value = words[at + 1] ?? '';
      const said = word in OPTIONS ? OPTIONS[word]!(packet, value) : flags(word, words, at, packet);
      const result = said === undefined ? 'yes' : isNegated ? not(said) : said;
      applies = both(applies, result);
      if (result === 'yes' && !isNegated && EXPLICIT.has(word)) isExplicit = true;
      isNegated = false;
      if (word in OPTIONS) at++;
    }
  }
  return { applies, isExplicit, verdict: undefined, text };
}

/** Of TCP, the first packet decides, which is a SYN or its answer; nobody resets. Any other option: not known. */
function flags(word: string, words: readonly string[], at: number, { side }: FirewallPacket): Applies {
  if (word !== '--tcp-flags') return 'some';
  const set = (words[at + 2] ?? '').split(',');
  if (set.includes('RST') || set.includes('FIN')) return 'no';
  return words[at + 2] === 'SYN' ? yesIf(side === 'query') : 'some';
}

function verdictOf(option: string, target: string, isChain: (name: string) => boolean): Verdict | undefined {
  if (target === 'ACCEPT') return 'accept';
  if (target === 'DROP' || target === 'REJECT') return 'drop';
  if (target === 'RETURN') return 'return';
  // A program decides; it has been put there to do so.
  if (target === 'NFQUEUE') return 'accept';
  if (!isChain(target)) return undefined;
  return option === '-g' ? { goto: target } : { jump: target };
}

function covers(network: string, { host, family }: FirewallPacket): Applies {
  const [address, length] = network.split('/');
  const kind = family === 6 ? 'ipv6' : 'ipv4';
  const list = new BlockList();
  try {
    list.addSubnet(address!, Number(length ?? (family === 6 ? 128 : 32)), kind);
  } catch {
    return 'some';
  }
  return yesIf(list.check(host, kind));
}

/** Pods and other nodes are not on the loopback. */
function ofClient(network: string): Applies {
  if (/\/0$/.test(network)) return 'yes';
  return network.startsWith('127.') || network.startsWith('::1') ? 'no' : 'some';
}

function overInterface(name: string): Applies {
  return name === 'lo' ? 'no' : 'some';
}

function hasPort(ports: string, port: number): Applies {
  return yesIf(
    ports.split(',').some((range) => {
      const [first, last = first] = range.split(':');
      return port >= Number(first || 0) && port <= Number(last || 65_535);
    }),
  );
}

/** Resolvers ask from any port above the reserved ones. */
function ofClientPort(ports: string): Applies {
  return /^(?:0|1024)?:(?:65535)?$/.test(ports) ? 'yes' : 'some';
}
