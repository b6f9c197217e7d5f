import type { SocketAddress } from '../config/config.ts';
import { type NftSet, type NftTable, ruleDigest } from './nftables-table.ts';
import type { Finding } from './rule-kind.ts';

/** A rule as the kernel has it. */
export interface ListedRule {
  /** What our rules have there: a digest of what they were written as. */
  readonly comment: string;
  /** What the rule does, as nft says it; the same text for the same rule as long as nft is the same. */
  readonly body: string;
}

export interface ListedChain {
  readonly name: string;
  readonly hook: string;
  readonly rules: readonly ListedRule[];
}

export interface ListedSet {
  readonly name: string;
  readonly type: string;
  readonly hasTimeout: boolean;
  /** As they are written to it: `169.254.20.10 . 53`. */
  readonly elements: readonly string[];
}

export interface Listing {
  readonly sets: readonly ListedSet[];
  readonly chains: readonly ListedChain[];
}

/** What `nft -j list table` says. Throws where that is no such listing. */
export function readListing(json: string): Listing {
  const objects = (JSON.parse(json) as { nftables: readonly NftObject[] }).nftables;
  const rules = objects.flatMap(({ rule }) => (rule === undefined ? [] : [rule]));
  return {
    sets: objects.flatMap(({ set, map }) => ((set ?? map) ? [listedSet((set ?? map)!)] : [])),
    chains: objects.flatMap(({ chain }) => (chain === undefined ? [] : [listedChain(chain, rules)])),
  };
}

/** What is missing, twice, or other than wanted. `bodies`: how nft says the rules that this process has written, by digest. */
export function compareTable(wanted: NftTable, listing: Listing, bodies: ReadonlyMap<string, string>): Finding[] {
  return [...compareSets(wanted.sets, listing.sets), ...compareChains(wanted, listing, bodies)];
}

/** Of every rule that was written, how nft says it. */
export function ruleBodies(listing: Listing): Map<string, string> {
  return new Map(listing.chains.flatMap(({ rules }) => rules.map(({ comment, body }) => [comment, body])));
}

/** Where the switch is on. */
export function armedElements({ sets }: Listing): SocketAddress[] {
  return sets
    .filter(({ name }) => name.startsWith('armed'))
    .flatMap(({ elements }) => elements)
    .map((text) => {
      const [host = '', port = ''] = text.split(' . ');
      return { host, port: Number(port) };
    });
}

function compareSets(wanted: readonly NftSet[], present: readonly ListedSet[]): Finding[] {
  const findings: Finding[] = [];
  for (const set of wanted) {
    const found = present.find(({ name }) => name === set.name);
    if (found === undefined) findings.push(missing(`set ${set.name}`));
    else if (!isSameSet(set, found)) findings.push(changed(`set ${set.name}`));
  }
  const known = new Set(wanted.map(({ name }) => name));
  return [...findings, ...present.filter(({ name }) => !known.has(name)).map(({ name }) => foreign(`set ${name}`))];
}

/** Whether it is declared so, and has these elements where they are ours to say. */
export function isSameSet(set: NftSet, found: ListedSet): boolean {
  if (!isSameDeclaration(set, found)) return false;
  return set.elements === undefined || sorted(set.elements) === sorted(found.elements);
}

export function isSameDeclaration({ type, timeoutMs }: NftSet, found: ListedSet): boolean {
  return found.type === type && found.hasTimeout === (timeoutMs !== undefined);
}

function compareChains({ chains }: NftTable, listing: Listing, bodies: ReadonlyMap<string, string>): Finding[] {
  const findings: Finding[] = [];
  for (const { name, hook, rules } of chains) {
    const found = listing.chains.find((chain) => chain.name === name);
    const wantedHook = hook === undefined ? '' : hookText(hook.type, hook.name, hook.priority);
    if (found === undefined) findings.push(missing(`chain ${name}`));
    else if (found.hook !== wantedHook) findings.push(changed(`chain ${name} (${found.hook || 'no hook'})`));
    else findings.push(...compareRules(name, rules.map(ruleDigest), found.rules, bodies));
  }
  const known = new Set(chains.map(({ name }) => name));
  const others = listing.chains.filter(({ name }) => !known.has(name));
  return [...findings, ...others.map(({ name }) => foreign(`chain ${name}`))];
}

function compareRules(
  chain: string,
  wanted: readonly string[],
  present: readonly ListedRule[],
  bodies: ReadonlyMap<string, string>,
): Finding[] {
  const findings: Finding[] = [];
  for (const digest of wanted) {
    const found = present.filter(({ comment }) => comment === digest);
    const what = `rule ${digest} of chain ${chain}`;
    if (found.length === 0) findings.push(missing(what));
    if (found.length > 1)
      findings.push({ code: 'rules-duplicated', message: `${what} is there ${found.length} times` });
    const body = bodies.get(digest);
    if (found.some((rule) => body !== undefined && rule.body !== body)) findings.push(changed(what));
  }
  const others = present.filter(({ comment }) => !wanted.includes(comment)).length;
  if (others > 0) findings.push(foreign(`${others} rules of chain ${chain}`));
  if (findings.length > 0) return findings;
  const isOrdered = present.every(({ comment }, at) => comment === wanted[at]);
  return isOrdered ? [] : [changed(`the order of chain ${chain}`)];
}

function missing(what: string): Finding {
  return { code: 'rules-missing', message: `${what} is not there` };
}

function changed(what: string): Finding {
  return { code: 'rules-changed', message: `${what} is not as it was written` };
}

function foreign(what: string): Finding {
  return { code: 'rules-foreign', message: `${what}: somebody else put that into our table` };
}

interface NftObject {
  readonly set?: NftListedSet;
  readonly map?: NftListedSet;
  readonly chain?: NftListedChain;
  readonly rule?: NftListedRule;
}

interface NftListedSet {
  readonly name: string;
  readonly type: string | readonly string[];
  readonly flags?: string | readonly string[];
  readonly elem?: readonly unknown[];
}

interface NftListedChain {
  readonly name: string;
  readonly type?: string;
  readonly hook?: string;
  readonly prio?: number;
  readonly policy?: string;
}

interface NftListedRule {
  readonly chain: string;
  readonly comment?: string;
  readonly expr: unknown;
}

function listedSet({ name, type, flags = [], elem = [] }: NftListedSet): ListedSet {
  return {
    name,
    type: typeof type === 'string' ? type : type.join(' . '),
    hasTimeout: flags.includes('timeout'),
    elements: elem.map(elementText),
  };
}

/** `"10.96.0.10"`, `{concat: ["10.96.0.10", 53]}`, or either of them as `{elem: {val: …, timeout: 3}}`. */
function elementText(elem: unknown): string {
  if (typeof elem !== 'object' || elem === null) return String(elem);
  if ('elem' in elem) return elementText((elem.elem as { val: unknown }).val);
  if ('concat' in elem) return (elem.concat as readonly unknown[]).join(' . ');
  return JSON.stringify(elem);
}

function listedChain({ name, type, hook, prio, policy }: NftListedChain, rules: readonly NftListedRule[]): ListedChain {
  return {
    name,
    hook: hook === undefined ? '' : hookText(type!, hook, prio!, policy),
    rules: rules
      .filter(({ chain }) => chain === name)
      .map(({ comment = '', expr }) => ({ comment, body: JSON.stringify(expr) })),
  };
}

function hookText(type: string, hook: string, priority: number, policy = 'accept'): string {
  return `${type} ${hook} ${priority} ${policy}`;
}

function sorted(elements: readonly string[]): string {
  return [...elements].sort().join(', ');
}
