import { type Dump, type DumpChain, normaliseRule, targetOf } from './iptables-dump.ts';
import { COMMENT, PREFIX, type WantedChain } from './iptables-rules.ts';
import type { Finding } from './rule-kind.ts';

/** A rule of others' chains that leads into one of ours. */
interface Jump {
  readonly table: string;
  readonly chain: string;
  readonly rule: string;
  readonly target: string;
  /** A rule before it drops packets: whatever others insert later stands at the head. */
  readonly isBehindDrop: boolean;
}

/**
 * How the tools print chains that were written just before, by what was written: versions to come may print a rule otherwise than `normaliseRule` knows, and what was right
 * when it was written is not to be mended for ever.
 */
export type Readings = Map<string, string>;

const DROPS = new Set(['DROP', 'REJECT']);

/** Chains of two families, for a few changes of where they lead. */
const READINGS = 64;

/** What of the wanted chains is missing, twice or otherwise in a dump. `where` names it for people: `iptables-nft`. */
export function compareDump(
  dump: Dump,
  chains: readonly WantedChain[],
  where: string,
  readings: Readings = new Map(),
): Finding[] {
  const jumps = findJumps(dump);
  const isWanted = (table: string, name: string) =>
    chains.some((chain) => chain.table === table && chain.name === name);
  const findings = chains.flatMap((chain): Finding[] => {
    const label = `${where}, table ${chain.table}`;
    const found = dump.get(chain.table)?.get(chain.name);
    if (found === undefined) {
      return [{ code: 'rules-missing', message: `${label}: chain ${chain.name} is missing` }];
    }
    const leading = jumps.filter((jump) => jump.table === chain.table && jump.target === chain.name);
    const there = leading.filter((jump) => jump.chain === chain.hook && isOurJump(jump));
    return [
      ...compareRules(found, chain, label, readings),
      ...(there.length === 0
        ? [{ code: 'rules-missing', message: `${label}: ${chain.hook} does not lead into ${chain.name}` }]
        : []),
      ...(leading.length > Math.max(1, there.length) || there.length > 1
        ? [{ code: 'rules-duplicated', message: `${label}: ${leading.length} rules lead into ${chain.name}` }]
        : []),
      ...(there.some(({ isBehindDrop }) => isBehindDrop)
        ? [{ code: 'rules-behind', message: `${label}: ${chain.hook} drops packets before ${chain.name}` }]
        : []),
    ];
  });
  const strays = ownChains(dump)
    .filter(({ table, name }) => !isWanted(table, name))
    .map(({ table, name }) => ({
      code: 'rules-leftover',
      message: `${where}, table ${table}: chain ${name} is not wanted any more`,
    }));
  return [...findings, ...strays];
}

/**
 * Input for `iptables-restore --noflush` that brings in the wanted chains in place of whatever of ours is there: one commit a table, so no packet sees half of one.
 * Jumps go to the head. Undefined where there is nothing to write.
 */
export function restoreText(dump: Dump, chains: readonly WantedChain[]): string | undefined {
  const jumps = findJumps(dump);
  const own = ownChains(dump);
  const tables = [...new Set([...chains, ...own, ...jumps].map(({ table }) => table))];
  // What lets queries through and keeps them here stands before what leads them on: the agent may answer already.
  const order = ['filter', 'raw', 'nat'];
  tables.sort((a, b) => order.indexOf(a) - order.indexOf(b));
  const sections = tables.map((table) => {
    const wanted = chains.filter((chain) => chain.table === table);
    const gone = own.filter((chain) => chain.table === table && !wanted.some(({ name }) => name === chain.name));
    return [
      `*${table}`,
      ...wanted.map(({ name }) => `:${name} - [0:0]`),
      ...gone.map(({ name }) => `:${name} - [0:0]`),
      ...jumps.filter((jump) => jump.table === table).map(({ chain, rule }) => `-D ${chain} ${rule}`),
      ...wanted.flatMap(({ name, rules }) => rules.map((rule) => `-A ${name} ${rule}`)),
      ...wanted.map(({ hook, name }) => `-I ${hook} 1 -m comment --comment "${COMMENT}" -j ${name}`),
      ...gone.map(({ name }) => `-X ${name}`),
      'COMMIT',
    ].join('\n');
  });
  return sections.length === 0 ? undefined : `${sections.join('\n')}\n`;
}

/** Keeps how chains that were written just now are printed, where that is another way than expected. */
export function readBack(dump: Dump, chains: readonly WantedChain[], readings: Readings): void {
  if (readings.size > READINGS) readings.clear();
  for (const chain of chains) {
    const found = dump.get(chain.table)?.get(chain.name);
    const wanted = normalised(chain);
    if (found?.rules.length !== chain.rules.length || normalised(found) === wanted) readings.delete(wanted);
    else readings.set(wanted, normalised(found));
  }
}

/** Whether anything of ours is in a dump. */
export function hasOwnRules(dump: Dump): boolean {
  return ownChains(dump).length > 0 || findJumps(dump).length > 0;
}

function compareRules(
  found: DumpChain,
  chain: WantedChain,
  label: string,
  readings: ReadonlyMap<string, string>,
): Finding[] {
  const { name } = chain;
  const wanted = normalised(chain);
  const there = normalised(found);
  if (there === wanted || there === readings.get(wanted)) return [];
  if (found.rules.length === 0) return [{ code: 'rules-missing', message: `${label}: chain ${name} is empty` }];
  return [{ code: 'rules-changed', message: `${label}: chain ${name} has other rules than it should` }];
}

function normalised({ rules }: { readonly rules: readonly string[] }): string {
  return rules.map(normaliseRule).join('\n');
}

function isOurJump({ rule, target }: Jump): boolean {
  return normaliseRule(rule) === normaliseRule(`-m comment --comment "${COMMENT}" -j ${target}`);
}

function ownChains(dump: Dump): { table: string; name: string }[] {
  return [...dump].flatMap(([table, chains]) =>
    [...chains.keys()].filter((name) => name.startsWith(PREFIX)).map((name) => ({ table, name })),
  );
}

function findJumps(dump: Dump): Jump[] {
  return [...dump].flatMap(([table, chains]) =>
    [...chains].flatMap(([chain, { rules }]) =>
      rules.flatMap((rule, place): Jump[] => {
        if (chain.startsWith(PREFIX) || !rule.includes(PREFIX)) return [];
        const target = targetOf(rule);
        if (!target?.startsWith(PREFIX)) return [];
        const isBehindDrop = rules.slice(0, place).some((before) => DROPS.has(targetOf(before) ?? ''));
        return [{ table, chain, rule, target, isBehindDrop }];
      }),
    ),
  );
}
