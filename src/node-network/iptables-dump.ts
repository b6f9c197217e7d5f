/** A chain as `iptables-save` prints it. */
export interface DumpChain {
  /** `ACCEPT` or `DROP` of a built-in chain; undefined: the chain is somebody's own. */
  readonly policy: string | undefined;
  /** Rules in order, as they stand behind `-A CHAIN `. */
  readonly rules: string[];
}

/** Tables by name, each with its chains by name, as one `iptables-save` prints them. A table that the kernel does not have yet is not there. */
export type Dump = ReadonlyMap<string, ReadonlyMap<string, DumpChain>>;

/** kube-proxy has chains in the table nat for each Service, and for each pod of it: 32 rules for a Service of ten pods, which take 50 ms and 50 MB for a thousand of them. */
const OF_SERVICES = prefixed(['KUBE-S', 'KUBE-EXT-', 'KUBE-FW-', 'KUBE-XLB-']);

/** Leads to the chain of each Service. */
export const SERVICES = 'KUBE-SERVICES';

/** The others of them, which are not followed from there unless somebody asks for them. */
const OF_SINGLE_SERVICES = prefixed(['KUBE-SVC-', 'KUBE-SVL-', 'KUBE-SEP-', 'KUBE-EXT-', 'KUBE-FW-', 'KUBE-XLB-']);

/** Stands in a dump in place of the chains of single Services. */
export const LEFT_OUT = "# without kube-proxy's chains for single Services";

/** Up to here everything is kept: 60 Services of ten pods. */
const SMALL = 256 * 1024;

/** Leaves kube-proxy's chains for single Services out of what `iptables-save` says while it says it: it may be a hundred megabytes. */
export class SieveOfServices {
  readonly #small: number;
  readonly #kept: ReadonlySet<string>;
  #text = '';
  /** A line whose end has not come yet. */
  #rest = '';
  #isSieving = false;

  /** Nothing is left out of what is no longer than `small` characters, and of what is longer not the chains that are to be `kept`. */
  constructor(kept: ReadonlySet<string> = new Set(), small = SMALL) {
    this.#small = small;
    this.#kept = kept;
  }

  /** How much is kept by now, in characters. */
  push(text: string): number {
    if (this.#isSieving) this.#sieve(text);
    else {
      this.#text += text;
      if (this.#text.length > this.#small) {
        const all = this.#text;
        this.#text = `${LEFT_OUT}\n`;
        this.#isSieving = true;
        this.#sieve(all);
      }
    }
    return this.#text.length;
  }

  end(): string {
    return this.#text + this.#rest;
  }

  #sieve(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop()!;
    const kept = lines.filter(
      (line) => !OF_SINGLE_SERVICES.some((prefix) => line.startsWith(prefix)) || this.#keeps(line),
    );
    if (kept.length > 0) this.#text += `${kept.join('\n')}\n`;
  }

  #keeps(line: string): boolean {
    return this.#kept.size > 0 && this.#kept.has(/^(?::|-A )(\S+)/.exec(line)?.[1] ?? '');
  }
}

/** What a dump was read from, for `serviceRules`. */
const texts = new WeakMap<Dump, string>();

/**
 * Reads what `iptables-save` prints. Counters and what it does not know are passed over: nothing of others is ever written back. kube-proxy's chains for Services are left out; see
 * `serviceRules`.
 */
export function parseDump(text: string): Dump {
  const dump = new Map<string, Map<string, DumpChain>>();
  texts.set(dump, text);
  let chains = new Map<string, DumpChain>();
  let isNat = false;
  for (let at = 0, end = 0; at < text.length; at = end + 1) {
    end = endOfLine(text, at);
    if (isNat && OF_SERVICES.some((prefix) => text.startsWith(prefix, at))) continue;
    const line = text.slice(at, end);
    if (line.startsWith('*')) {
      const name = line.slice(1).trim();
      isNat = name === 'nat';
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

/** Rules of those of kube-proxy's chains for Services, by chain, as they stand behind `-A CHAIN `: KUBE-SERVICES, KUBE-SVC-…, KUBE-SEP-…. */
export function serviceRules(dump: Dump, chains: ReadonlySet<string>): Map<string, string[]> {
  const text = texts.get(dump) ?? '';
  const found = new Map<string, string[]>([...chains].map((name) => [name, []]));
  for (const at of serviceLines(text)) {
    const nameEnd = text.indexOf(' ', at + SERVICE_RULE.length);
    found.get(text.slice(at + 4, nameEnd))?.push(text.slice(nameEnd + 1, endOfLine(text, nameEnd)));
  }
  return found;
}

/** Whether kube-proxy's chains for single Services are in it. */
export function isWhole(dump: Dump): boolean {
  return !(texts.get(dump) ?? '').includes(LEFT_OUT);
}

/** How many such rules there are. */
export function countServiceRules(dump: Dump): number {
  let count = 0;
  for (const _ of serviceLines(texts.get(dump) ?? '')) count++;
  return count;
}

function prefixed(names: readonly string[]): string[] {
  return names.flatMap((name) => [`:${name}`, `-A ${name}`]);
}

const SERVICE_RULE = '\n-A KUBE-S';

function* serviceLines(text: string): Generator<number> {
  for (let at = text.indexOf(SERVICE_RULE); at !== -1; at = text.indexOf(SERVICE_RULE, at + 1)) yield at;
}

function endOfLine(text: string, from: number): number {
  const end = text.indexOf('\n', from);
  return end === -1 ? text.length : end;
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
