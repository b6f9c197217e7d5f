/** A chain as `iptables-save` prints it. */
export interface DumpChain {
  /** `ACCEPT` or `DROP` of a built-in chain; undefined: the chain is somebody's own. */
  readonly policy: string | undefined;
  /** Rules in order, as they stand behind `-A CHAIN `. */
  readonly rules: string[];
}

/** Tables by name, each with its chains by name, as one `iptables-save` prints them. A table that the kernel does not have yet is not there. */
export type Dump = ReadonlyMap<string, ReadonlyMap<string, DumpChain>>;

/** Reads what `iptables-save` prints. Counters and what it does not know are passed over: nothing of others is ever written back. */
export function parseDump(text: string): Dump {
  const dump = new Map<string, Map<string, DumpChain>>();
  let chains = new Map<string, DumpChain>();
  for (const line of text.split('\n')) {
    if (line.startsWith('*')) {
      const name = line.slice(1).trim();
      chains = dump.get(name) ?? new Map();
      dump.set(name, chains);
    } else if (line.startsWith(':')) {
      const [name, policy] = line.slice(1).split(' ');
      chains.set(name!, { policy: policy === '-' ? undefined : policy, rules: [] });
    } else {
      const rule = /^(?:\[\d+:\d+\] )?-A (\S+) (.*)$/.exec(line);
      if (rule) chains.get(rule[1]!)?.rules.push(rule[2]!);
    }
  }
  return dump;
}

/** The words of a rule; what stands in double quotes is one. */
export function ruleWords(rule: string): string[] {
  return [...rule.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g)].map(
    ([, quoted, plain]) => plain ?? quoted!.replaceAll(/\\(.)/g, '$1'),
  );
}

/** What follows an option, such as `-j` or `--dport`; undefined where the rule does not have it. */
export function wordAfter(words: readonly string[], ...options: string[]): string | undefined {
  const at = words.findIndex((word) => options.includes(word));
  return at < 0 ? undefined : words[at + 1];
}

/** The chain or target that a rule leads to. */
export function targetOf(rule: string): string | undefined {
  return wordAfter(ruleWords(rule), '-j', '-g', '--jump', '--goto');
}

/** Matches that a rule has by its protocol: some versions print them and some do not. */
const IMPLIED = new Set(['udp', 'tcp', 'icmp', 'icmp6', 'ipv6-icmp']);

/** Names that versions print in place of the numbers, or the other way round. */
const SAME: Readonly<Record<string, string>> = {
  NOTRACK: 'CT --notrack',
  '58': 'ipv6-icmp',
  icmpv6: 'ipv6-icmp',
  'port-unreachable': '3/3',
  '--syn': '--tcp-flags FIN,SYN,RST,ACK SYN',
  '0x17/0x02': 'FIN,SYN,RST,ACK SYN',
};

/** One form for all ways in which versions of iptables print a rule of ours: two rules are the same if these are. */
export function normaliseRule(rule: string): string {
  const words = ruleWords(rule);
  const kept: string[] = [];
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!;
    const next = words[at + 1];
    if (word === '-m' && next !== undefined && IMPLIED.has(next)) {
      at++;
    } else if (word === '--mask' || (word === '--log-level' && next === '4')) {
      at++;
    } else if (word === '--u32') {
      kept.push(
        word,
        (next ?? '').replaceAll(/0x[0-9a-f]+|\d+/gi, (number) => `${Number(number)}`),
      );
      at++;
    } else if (word === '--probability') {
      kept.push(word, Number(next).toFixed(4));
      at++;
    } else {
      kept.push(SAME[word] ?? word.replace(/^([\d.]+)\/32$|^([\da-f:.]+)\/128$/i, '$1$2'));
    }
  }
  return kept.join(' ');
}
