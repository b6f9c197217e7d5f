import { IptablesCommand, type IptablesVariant, VARIANTS } from './iptables-command.ts';
import { countServiceRules, type Dump, parseDump } from './iptables-dump.ts';

/** What both variants hold, a text for each family; undefined where a variant is not installed or cannot be read. */
export interface VariantDumps {
  readonly nft: readonly string[] | undefined;
  readonly legacy: readonly string[] | undefined;
}

export interface VariantChoice {
  /** Undefined: no iptables is installed. */
  readonly variant: IptablesVariant | undefined;
  /** A sentence for people. */
  readonly why: string;
}

/** Chains that kubelet makes in the variant that the node uses, for others to find (1.17 and later). */
const KUBELET = /^:(?:KUBE-IPTABLES-HINT|KUBE-KUBELET-CANARY) /m;

/** Which variant the host uses: the one with kubelet's chains, else with more of kube-proxy's, else with more rules of anybody. Ours do not count. Rules in the other one would not be seen by those who look after the node. */
export function chooseVariant(dumps: VariantDumps): VariantChoice {
  const there = VARIANTS.filter((variant) => dumps[variant] !== undefined);
  if (there.length === 0) return { variant: undefined, why: 'no iptables is installed' };
  const only = there.length === 1 ? there[0] : undefined;
  if (only !== undefined) return { variant: only, why: `only iptables-${only} is installed` };
  const hinted = there.find((variant) => dumps[variant]!.some((text) => KUBELET.test(text)));
  if (hinted !== undefined) return { variant: hinted, why: `kubelet's chains are in iptables-${hinted}` };
  for (const [what, count] of [
    ["kube-proxy's rules", countKubeRules],
    ['rules of others', countRules],
  ] as const) {
    const nft = sum(dumps.nft!, count);
    const legacy = sum(dumps.legacy!, count);
    if (nft === legacy) continue;
    const variant = nft > legacy ? 'nft' : 'legacy';
    return {
      variant,
      why: `iptables-${variant} has more of ${what}: ${Math.max(nft, legacy)} against ${Math.min(nft, legacy)}`,
    };
  }
  return { variant: 'nft', why: 'neither iptables-nft nor iptables-legacy has rules' };
}

/** Reads what both variants hold. Makes no tables. */
export async function readVariantDumps(): Promise<VariantDumps> {
  const read = async (variant: IptablesVariant): Promise<string[] | undefined> => {
    const v4 = new IptablesCommand(variant, 4);
    if (!v4.isInstalled) return undefined;
    const texts = [v4, new IptablesCommand(variant, 6)].map((command) => command.saveText().catch(() => undefined));
    const found = (await Promise.all(texts)).filter((text) => text !== undefined);
    // iptables-legacy without its part of the kernel.
    return found.length === 0 ? undefined : found;
  };
  const [nft, legacy] = await Promise.all([read('nft'), read('legacy')]);
  return { nft, legacy };
}

function sum(texts: readonly string[], count: (dump: Dump) => number): number {
  return texts.reduce((total, text) => total + count(parseDump(text)), 0);
}

function countKubeRules(dump: Dump): number {
  return (
    countServiceRules(dump) + countRules(dump, (chain, rule) => chain.startsWith('KUBE-') || rule.includes('KUBE-'))
  );
}

function countRules(dump: Dump, isMeant: (chain: string, rule: string) => boolean = isForeign): number {
  return [...dump.values()]
    .flatMap((chains) => [...chains])
    .reduce((total, [name, { rules }]) => total + rules.filter((rule) => isMeant(name, rule)).length, 0);
}

function isForeign(chain: string, rule: string): boolean {
  return !chain.startsWith('SIGNPOST-') && !rule.includes('SIGNPOST-');
}
