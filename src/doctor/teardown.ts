import { silentLogger } from '../core/logger.ts';
import { IptablesRules } from '../node-network/iptables.ts';
import { ip, Link, type ListedLink } from '../node-network/link.ts';
import { NftablesRules } from '../node-network/nftables.ts';
import { TABLE } from '../node-network/nftables-table.ts';
import { removeNodeLocal } from '../node-network/nodelocal-leftovers.ts';
import { findStaleAddresses } from '../node-network/stale-addresses.ts';
import type { NodeLocalService } from './nodelocal-service.ts';
import { readTraces, type Traces } from './traces.ts';

/** One thing that is taken away. */
export interface TeardownStep {
  /** `nftables table inet signpost` */
  readonly what: string;
  /** Resolves with what was left all the same, and why; undefined: all is gone. */
  take(): Promise<string | undefined>;
}

export interface TeardownOptions {
  /** `--interface`. */
  readonly link: string;
  /** Listen addresses beside those that our rules name: ours, for somebody says so. */
  readonly addresses: readonly string[];
  /** Ours where anything else of ours is there, or where they are written as ours are. */
  readonly likely: readonly string[];
  readonly hasAgent: boolean;
}

/** What of ours lies in this network, as steps to take it away: nothing is done yet. Of others nothing is among them. */
export async function planTeardown({ link, addresses, likely, hasAgent }: TeardownOptions): Promise<TeardownPlan> {
  const traces = await readTraces();
  const { table, chains, switches, links } = traces;
  const isTraced =
    hasAgent || table !== undefined || chains.length + switches.length > 0 || links.some(({ name }) => name === link);
  const written = isTraced ? likely : await writtenAsOurs(link);
  const all = new Set([...addresses, ...likely.filter((host) => written.includes(host)), ...traces.addresses]);
  const held = heldAddresses(links, link, [...all]);
  return {
    steps: [...ruleSteps(traces), ...linkSteps(traces.links, link, held)],
    addresses: held,
    unseen: traces.unseen,
  };
}

export interface TeardownPlan {
  /** Rules before addresses, so that nothing is led to where nobody is. */
  readonly steps: readonly TeardownStep[];
  /** Those that the node will not have any more. */
  readonly addresses: readonly string[];
  /** What could not be looked at, and why. */
  readonly unseen: readonly string[];
}

function ruleSteps({ table, chains, switches }: Traces): TeardownStep[] {
  const steps: TeardownStep[] = [];
  if (table !== undefined) {
    steps.push({
      what: `nftables table inet ${TABLE}`,
      async take() {
        const rules = await NftablesRules.open();
        await rules.remove().finally(() => rules.close());
        return undefined;
      },
    });
  }
  // A list of xt_recent is there as long as a rule refers to it.
  const sets = switches.filter((name) => name.startsWith('ipset '));
  if (chains.length > 0 || sets.length > 0) {
    const named = chains.length === 0 ? [] : [`chains SIGNPOST-* of ${chains.join(', ')}`];
    steps.push({
      what: [...named, ...sets].join(', '),
      // Any variant takes away what lies in both.
      async take() {
        await new IptablesRules({ variant: 'nft', log: silentLogger }).remove();
        return undefined;
      },
    });
  }
  return steps;
}

function linkSteps(links: readonly ListedLink[], name: string, held: readonly string[]): TeardownStep[] {
  const isThere = links.some((link) => link.name === name);
  if (!isThere && held.length === 0) return [];
  const what = isThere ? `link ${name}` : 'addresses on lo:';
  return [
    {
      what: [what, ...(held.length === 0 ? [] : [`${isThere ? 'with ' : ''}${held.join(', ')}`])].join(' '),
      async take() {
        const gone = await new Link(name).remove(held);
        if (!isThere || gone.includes(`link ${name}`)) return undefined;
        return `link ${name} itself stays, for it is no dummy link: somebody else has made it`;
      },
    },
  ];
}

/** Addresses that we put there: on our link, or on `lo` where the kernel has no dummy links. */
function heldAddresses(links: readonly ListedLink[], name: string, wanted: readonly string[]): string[] {
  const own = links.find((link) => link.name === name)?.addresses ?? [];
  const loopback = links.find((link) => link.name === 'lo')?.addresses ?? [];
  return wanted.filter((host) => own.includes(host) || loopback.includes(host));
}

/** Where the kernel has no dummy links, and the mode no rules, how an address is written is all that tells whose it is. */
async function writtenAsOurs(link: string): Promise<string[]> {
  const listed = await ip(['-j', 'address', 'show']).catch(() => '[]');
  return findStaleAddresses(listed, link, []).map(({ address }) => address);
}

/** What NodeLocal DNSCache has left, as steps to take it away; ours stays. */
export function planNodeLocalTeardown({ leftovers, things }: NodeLocalService): TeardownPlan {
  const take = async (): Promise<undefined> => {
    await removeNodeLocal(leftovers);
  };
  return { steps: [{ what: `${things.join(', ')} of NodeLocal DNSCache`, take }], addresses: [], unseen: [] };
}
