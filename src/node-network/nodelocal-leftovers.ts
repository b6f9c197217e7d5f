import { SignpostError } from '../core/errors.ts';
import { IptablesCommand, VARIANTS } from './iptables-command.ts';
import { type Dump, normaliseRule, ruleWords, wordAfter } from './iptables-dump.ts';
import { runTool } from './tool.ts';
import type { Family } from './wanted-state.ts';

/** What NodeLocal DNSCache calls its interface unless told otherwise (`-interfacename`). */
const LINK = 'nodelocaldns';

/** What it writes beside its rules, since 1.22. */
const COMMENT = 'NodeLocal DNS Cache';

const FAMILIES: readonly Family[] = [4, 6];

export interface NodeLocalRule {
  readonly table: string;
  readonly chain: string;
  /** As it stands behind `-A CHAIN `. */
  readonly rule: string;
}

/** What NodeLocal DNSCache has on the node, running or not. */
export interface NodeLocalLeftovers {
  /** Undefined: it has none. */
  readonly link: string | undefined;
  /** Of the link, and of its rules. */
  readonly addresses: readonly string[];
  /** By the program that shows them: `iptables-nft`. */
  readonly rules: readonly { readonly command: IptablesCommand; readonly rules: readonly NodeLocalRule[] }[];
}

/** Looks for it: the interface, and rules of both iptables. Reads only. A program that cannot read shows nothing. */
export async function findNodeLocal(link = LINK): Promise<NodeLocalLeftovers> {
  const linkAddresses = await addressesOf(link);
  const commands = VARIANTS.flatMap((variant) => FAMILIES.map((family) => new IptablesCommand(variant, family)));
  const found = await Promise.all(
    commands
      .filter(({ isInstalled }) => isInstalled)
      .map(async (command) => {
        const dump = await command.save().catch((): Dump => new Map());
        return { command, rules: nodeLocalRules(dump) };
      }),
  );
  const rules = found.filter((program) => program.rules.length > 0);
  const ofRules = rules.flatMap((program) => program.rules.flatMap(({ rule }) => addressIn(rule) ?? []));
  const addresses = [...new Set([...(linkAddresses ?? []), ...ofRules])];
  return { link: linkAddresses === undefined ? undefined : link, addresses, rules };
}

/** Whether there is anything of it. */
export function hasNodeLocal({ link, rules }: NodeLocalLeftovers): boolean {
  return link !== undefined || rules.length > 0;
}

/**
 * Takes it out: its rules, each as often as it is there, and then the interface. What it did, a line each. One that still runs brings all back within a minute: it is
 * to be stopped before. Rejects where the tools refuse, having done what came before.
 */
export async function removeNodeLocal({ link, rules }: NodeLocalLeftovers): Promise<string[]> {
  const done: string[] = [];
  for (const { command, rules: own } of rules) {
    await command.restore(removalText(own));
    done.push(`removed ${own.length} rules of NodeLocal DNSCache from ${command.name}`);
  }
  if (link !== undefined) {
    const { code, stderr } = await runTool('ip', ['link', 'delete', 'dev', link]);
    if (code !== 0) throw new SignpostError('ERR_LINK', `Cannot delete the interface ${link}: ${stderr.trim()}`);
    done.push(`deleted the interface ${link}`);
  }
  return done;
}

/** Its rules in a dump: those with its comment; of older releases, which wrote none, those of addresses whose queries and replies are both kept from being tracked. */
export function nodeLocalRules(dump: Dump): NodeLocalRule[] {
  const all = candidates(dump);
  const untracked = (chain: string, option: '-d' | '-s') =>
    new Set(
      all
        .filter((each) => each.table === 'raw' && each.chain === chain && hasPort(each.rule, option))
        .map(({ rule }) => wordAfter(ruleWords(rule), option)),
    );
  const asked = untracked('PREROUTING', '-d');
  const replied = untracked('OUTPUT', '-s');
  return all.filter(({ rule }) => {
    const words = ruleWords(rule);
    if (wordAfter(words, '--comment') !== undefined) return rule.includes(COMMENT);
    const address = wordAfter(words, '-d', '-s');
    return address !== undefined && asked.has(address) && replied.has(address);
  });
}

/** Rules of the shape that it writes: one address, one port, and NOTRACK or ACCEPT. */
function candidates(dump: Dump): NodeLocalRule[] {
  const places = [
    { table: 'raw', chains: ['PREROUTING', 'OUTPUT'], targets: ['NOTRACK', 'CT --notrack'] },
    { table: 'filter', chains: ['INPUT', 'OUTPUT'], targets: ['ACCEPT'] },
  ];
  return places.flatMap(({ table, chains, targets }) =>
    chains.flatMap((chain) =>
      (dump.get(table)?.get(chain)?.rules ?? [])
        .filter((rule) => {
          const shape = /^-[ds] [\d.a-f:]+ -p (?:tcp|udp) --[ds]port \d+ (?:-m comment --comment .* )?-j (.+)$/;
          const target = shape.exec(normaliseRule(rule))?.[1];
          return target !== undefined && targets.some((each) => normaliseRule(each) === target);
        })
        .map((rule) => ({ table, chain, rule })),
    ),
  );
}

function hasPort(rule: string, option: '-d' | '-s'): boolean {
  const words = ruleWords(rule);
  return words.includes(option) && words.includes(option === '-d' ? '--dport' : '--sport');
}

function removalText(rules: readonly NodeLocalRule[]): string {
  const tables = [...new Set(rules.map(({ table }) => table))];
  const sections = tables.map((table) =>
    [
      `*${table}`,
      ...rules.filter((each) => each.table === table).map(({ chain, rule }) => `-D ${chain} ${rule}`),
      'COMMIT\n',
    ].join('\n'),
  );
  return sections.join('');
}

function addressIn(rule: string): string | undefined {
  return wordAfter(ruleWords(rule), '-d', '-s')?.replace(/\/\d+$/, '');
}

/** Undefined: there is no such link. */
async function addressesOf(link: string): Promise<string[] | undefined> {
  const outcome = await runTool('ip', ['-json', 'address', 'show', 'dev', link]).catch(() => undefined);
  if (outcome === undefined || outcome.code !== 0) return undefined;
  const [found] = JSON.parse(outcome.stdout) as { addr_info?: { local?: string }[] }[];
  return (found?.addr_info ?? []).flatMap(({ local }) => local ?? []).filter((address) => !address.startsWith('fe80:'));
}
