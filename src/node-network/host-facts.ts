import type { HostFacts } from './choose-mode.ts';
import { PREFIX } from './iptables-rules.ts';
import { chooseVariant, readVariantDumps } from './iptables-variant.ts';
import { TABLE } from './nftables-table.ts';
import { runTool } from './tool.ts';

/** Looks at the host; changes nothing. Never rejects: what cannot be seen is a fact as well. */
export async function readHostFacts(): Promise<HostFacts> {
  const [nft, iptables] = await Promise.all([readNft(), readIptables()]);
  const { hasOwnTable, ...nftFacts } = nft;
  const { hasOwnChains, ...iptablesFacts } = iptables;
  const leftovers = [...(hasOwnTable ? (['nftables'] as const) : []), ...(hasOwnChains ? (['iptables'] as const) : [])];
  return { ...nftFacts, ...iptablesFacts, leftovers, iptablesDrop: undefined };
}

async function readNft(): Promise<Pick<HostFacts, 'nftTrouble' | 'nftTables'> & { hasOwnTable: boolean }> {
  const own = `inet ${TABLE}`;
  try {
    const { code, stdout, stderr } = await runTool('nft', ['list', 'tables']);
    if (code !== 0) return unusableNft(`nft cannot be used (${stderr.trim().split('\n')[0]})`);
    const tables = [...stdout.matchAll(/^table (.+)$/gm)].map(([, name]) => name!);
    return {
      nftTrouble: undefined,
      nftTables: tables.filter((name) => name !== own),
      hasOwnTable: tables.includes(own),
    };
  } catch (error) {
    return unusableNft((error as Error).message);
  }
}

function unusableNft(nftTrouble: string) {
  return { nftTrouble, nftTables: [], hasOwnTable: false };
}

async function readIptables(): Promise<Pick<HostFacts, 'iptables' | 'iptablesWhy'> & { hasOwnChains: boolean }> {
  try {
    const dumps = await readVariantDumps();
    const { variant, why } = chooseVariant(dumps);
    const texts = [...(dumps.nft ?? []), ...(dumps.legacy ?? [])];
    return { iptables: variant, iptablesWhy: why, hasOwnChains: texts.some((text) => text.includes(`:${PREFIX}`)) };
  } catch (error) {
    return { iptables: undefined, iptablesWhy: (error as Error).message, hasOwnChains: false };
  }
}
