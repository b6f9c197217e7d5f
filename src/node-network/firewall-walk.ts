import type { Applies } from './applies.ts';
import type { Family } from './wanted-state.ts';

/** A DNS packet of ours as a firewall sees it on this node: a client's query that arrives, or the reply that leaves. Clients are not known. */
export interface FirewallPacket {
  readonly side: 'query' | 'reply';
  readonly family: Family;
  readonly protocol: 'udp' | 'tcp';
  /** The listen address: where a query goes to, and a reply comes from. */
  readonly host: string;
  readonly port: number;
  /** What the connection table calls it. */
  readonly state: 'untracked' | 'new' | 'established';
}

export type Verdict = 'accept' | 'drop' | 'return' | { readonly jump: string } | { readonly goto: string };

export interface FirewallRule {
  readonly applies: Applies;
  /** It names our address or port, so that what it does to some clients is meant for DNS. */
  readonly isExplicit: boolean;
  /** Undefined: it counts, logs, marks. */
  readonly verdict: Verdict | undefined;
  /** As people would find it. */
  readonly text: string;
}

/** The rules of a chain for one packet; undefined: there is no such chain. */
export type FirewallChains = (name: string) => readonly FirewallRule[] | undefined;

export interface Drop {
  readonly chain: string;
  /** Undefined: the chain's policy. */
  readonly rule: string | undefined;
}

interface Walk {
  readonly chains: FirewallChains;
  /** Some clients have been accepted: pods, as a rule, so that a drop of everything else is not meant for them. */
  isSomeAccepted: boolean;
}

type Outcome = 'accept' | 'fall' | Drop;

/** More jumps than this are a circle, which the kernel does not allow. */
const DEPTH = 16;

/** The rule that drops a packet on its way through a base chain, or undefined. In doubt it does not: what a person is told of must be so. */
export function findDrop(base: string, policy: 'accept' | 'drop', chains: FirewallChains): Drop | undefined {
  const walk: Walk = { chains, isSomeAccepted: false };
  const outcome = walkChain(base, walk, 'yes', DEPTH);
  if (outcome === 'accept') return undefined;
  if (outcome !== 'fall') return outcome;
  return policy === 'drop' && !walk.isSomeAccepted ? { chain: base, rule: undefined } : undefined;
}

function walkChain(name: string, walk: Walk, reached: Applies, depth: number): Outcome {
  if (depth === 0) return 'fall';
  for (const rule of walk.chains(name) ?? []) {
    if (rule.applies === 'no' || rule.verdict === undefined) continue;
    const isSure = reached === 'yes' && rule.applies === 'yes';
    const outcome = step(rule, name, walk, isSure, depth);
    if (outcome === 'return') return 'fall';
    if (outcome !== 'fall') return outcome;
  }
  return 'fall';
}

function step(rule: FirewallRule, chain: string, walk: Walk, isSure: boolean, depth: number): Outcome | 'return' {
  const { verdict } = rule;
  if (verdict === 'accept') {
    if (isSure) return 'accept';
    walk.isSomeAccepted = true;
    return 'fall';
  }
  if (verdict === 'drop') {
    if (isSure ? !walk.isSomeAccepted : rule.isExplicit) return { chain, rule: rule.text };
    // Whoever is left is not who was accepted.
    return isSure ? 'accept' : 'fall';
  }
  if (verdict === 'return') return rule.applies === 'yes' ? 'return' : 'fall';
  if (verdict === undefined) return 'fall';
  const isJump = 'jump' in verdict;
  const outcome = walkChain(isJump ? verdict.jump : verdict.goto, walk, isSure ? 'yes' : 'some', depth - 1);
  if (outcome === 'fall') return !isJump && rule.applies === 'yes' ? 'return' : 'fall';
  if (outcome === 'accept' && !isSure) return 'fall';
  return outcome;
}
