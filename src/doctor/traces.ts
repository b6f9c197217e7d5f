import { readFile } from 'node:fs/promises';
import type { SocketAddress } from '../config/config.ts';
import { canonicalHost } from '../config/socket-address.ts';
import { IptablesCommand, VARIANTS } from '../node-network/iptables-command.ts';
import { hasOwnRules } from '../node-network/iptables-diff.ts';
import { type Dump, ruleWords, wordAfter } from '../node-network/iptables-dump.ts';
import { PREFIX } from '../node-network/iptables-rules.ts';
import { switchName } from '../node-network/iptables-switch.ts';
import { type ListedLink, readLinks } from '../node-network/link.ts';
import { readTable } from '../node-network/nftables.ts';
import { armedElements, type Listing } from '../node-network/nftables-listing.ts';
import { findTool, runTool } from '../node-network/tool.ts';
import type { Family } from '../node-network/wanted-state.ts';

const FAMILIES: readonly Family[] = [4, 6];

/** What of ours lies in this network, whoever put it there and when. */
export interface Traces {
  /** Our nftables table; undefined: there is none, or it cannot be read. */
  readonly table: Listing | undefined;
  /** The iptables programs that show chains of ours: `iptables-nft`, `ip6tables-legacy`. */
  readonly chains: readonly string[];
  /** Addresses that our rules speak of: what the agent listens on, or did when it last ran. */
  readonly addresses: readonly string[];
  /** Switches of iptables: `ipset signpost-4`, `xt_recent signpost-6`. */
  readonly switches: readonly string[];
  readonly links: readonly ListedLink[];
  /** What could not be looked at, and why. */
  readonly unseen: readonly string[];
}

/** Looks everywhere where some version of us, in some mode, may have put something. Reads only. */
export async function readTraces(): Promise<Traces> {
  const unseen: string[] = [];
  const orUnseen = <T>(reading: Promise<T>, fallback: T): Promise<T> =>
    reading.catch((cause: Error) => {
      unseen.push(cause.message);
      return fallback;
    });
  const [table, dumps, switches, links] = await Promise.all([
    findTool('nft') === undefined ? undefined : orUnseen(readTable(), undefined),
    readOwnDumps(unseen),
    orUnseen(readSwitches(), []),
    orUnseen(readLinks(), []),
  ]);
  const addresses = new Set([...addressesIn(table), ...[...dumps.values()].flatMap(addressesOf)]);
  return { table, chains: [...dumps.keys()], addresses: [...addresses], switches, links, unseen };
}

/** What the iptables programs show that have chains of ours, by their names. */
async function readOwnDumps(unseen: string[]): Promise<Map<string, Dump>> {
  const dumps = new Map<string, Dump>();
  for (const variant of VARIANTS) {
    for (const family of FAMILIES) {
      const command = new IptablesCommand(variant, family);
      if (!command.isInstalled) continue;
      try {
        const dump = await command.save();
        if (hasOwnRules(dump)) dumps.set(command.name, dump);
      } catch (cause) {
        unseen.push((cause as Error).message);
      }
    }
  }
  return dumps;
}

function addressesIn(table: Listing | undefined): string[] {
  return table?.sets.filter(({ name }) => /^address[46]$/.test(name)).flatMap(({ elements }) => elements) ?? [];
}

/** Destinations of the rules in our chains. */
function addressesOf(dump: Dump): string[] {
  const chains = [...dump.values()].flatMap((table) => [...table]).filter(([name]) => name.startsWith(PREFIX));
  return chains.flatMap(([, { rules }]) =>
    rules.flatMap((rule) => {
      const host = canonicalHost(wordAfter(ruleWords(rule), '-d')?.split('/')[0] ?? '');
      return host === undefined ? [] : [host];
    }),
  );
}

async function readSwitches(): Promise<string[]> {
  const sets = findTool('ipset') === undefined ? '' : (await runTool('ipset', ['list', '-name'])).stdout;
  const named = FAMILIES.map(switchName);
  const lists = await Promise.all(named.map((name) => readList(name)));
  return [
    ...named.filter((name) => sets.split('\n').includes(name)).map((name) => `ipset ${name}`),
    ...named.filter((_, at) => lists[at] !== undefined).map((name) => `xt_recent ${name}`),
  ];
}

/** Addresses and ports that the switch sends to the agent at this moment; of xt_recent those that are in the list, with port 0. */
export async function readArmed({ table, switches }: Traces): Promise<SocketAddress[]> {
  if (table !== undefined) return armedElements((await readTable()) ?? { sets: [], chains: [] });
  const each = await Promise.all(switches.map((name) => readSwitch(name)));
  return each.flat();
}

async function readSwitch(kindAndName: string): Promise<SocketAddress[]> {
  const [kind, name = ''] = kindAndName.split(' ');
  if (kind === 'ipset') {
    const { stdout } = await runTool('ipset', ['save', name]);
    const elements = [...stdout.matchAll(/^add \S+ (\S+),udp:(\d+)/gm)];
    return elements.map(([, host, port]) => ({ host: canonicalHost(host!) ?? host!, port: Number(port) }));
  }
  // Its times are in ticks of the kernel, which it tells nobody: what moves within a renewal and a half is renewed.
  const before = (await readList(name)) ?? new Map<string, string>();
  await new Promise((resolve) => setTimeout(resolve, 1500));
  const after = (await readList(name)) ?? new Map<string, string>();
  return [...after].filter(([host, seen]) => before.get(host) !== seen).map(([host]) => ({ host, port: 0 }));
}

/** When each address of a list of xt_recent was last written; undefined where there is no such list. */
async function readList(name: string): Promise<Map<string, string> | undefined> {
  const text = await readFile(`/proc/net/xt_recent/${name}`, 'latin1').catch(() => undefined);
  if (text === undefined) return undefined;
  const lines = [...text.matchAll(/^src=(\S+) .*\blast_seen: (\d+)/gm)];
  return new Map(lines.map(([, host, seen]) => [canonicalHost(host!) ?? host!, seen!]));
}
