import { isIPv6 } from 'node:net';
import type { SocketAddress } from '../config/config.ts';
import { formatSocketAddress } from '../config/socket-address.ts';
import type { FirewallPacket } from './firewall-walk.ts';
import { findIptablesDrop } from './foreign-rules-iptables.ts';
import { findNftDrop, mayDrop, type NftRuleset } from './foreign-rules-nft.ts';
import { IptablesCommand, VARIANTS } from './iptables-command.ts';
import type { Dump } from './iptables-dump.ts';
import type { Finding } from './rule-kind.ts';
import { findTool, runTool } from './tool.ts';

/** What is ours in nf_tables. */
const OWN_TABLE = 'inet signpost';

/** A drop, and the packets that it drops, in words. */
interface Dropped {
  readonly where: string;
  readonly remedy: string;
  readonly packets: string[];
}

/**
 * Rules of the host's firewall that drop queries to the listen addresses, or replies from them: one finding each, with what to do. Reads both iptables and nf_tables as they are
 * now, our own rules included, so what those accept first is not found. Only what is certain is told, or what names our address or port.
 */
export async function findDrops(listen: readonly SocketAddress[], hasNoTrack: boolean): Promise<Finding[]> {
  const found = new Map<string, Dropped>();
  const packets = listen.flatMap((address) => packetsOf(address, hasNoTrack));
  for (const variant of VARIANTS) {
    for (const family of [4, 6] as const) {
      const command = new IptablesCommand(variant, family);
      const ours = packets.filter((packet) => packet.family === family);
      if (ours.length === 0 || !command.isInstalled) continue;
      const dump: Dump = await command.save().catch(() => new Map());
      for (const packet of ours) noteIptables(found, command.name, dump, packet);
    }
  }
  const ruleset = await readRuleset();
  for (const packet of packets) noteNft(found, ruleset, packet);
  return [...found.values()].map(({ where, remedy, packets: dropped }) => ({
    code: 'host-drops',
    message: `${where} drops ${dropped.join(', ')}`,
    remedy,
  }));
}

/** The same of one iptables and family: the first thing that drops queries, in words; undefined where nothing does. */
export function findQueryDrop(
  name: string,
  dump: Dump,
  listen: readonly SocketAddress[],
  hasNoTrack: boolean,
): string | undefined {
  const found = new Map<string, Dropped>();
  for (const address of listen) {
    for (const packet of packetsOf(address, hasNoTrack)) {
      const isOfFamily = name.startsWith('ip6') === (packet.family === 6);
      if (isOfFamily && packet.side === 'query') noteIptables(found, name, dump, packet);
    }
  }
  return [...found.values()][0]?.where;
}

function packetsOf(address: SocketAddress, hasNoTrack: boolean): FirewallPacket[] {
  const family = isIPv6(address.host) ? 6 : 4;
  return (['query', 'reply'] as const).flatMap((side) =>
    (['udp', 'tcp'] as const).map((protocol): FirewallPacket => {
      const state = hasNoTrack ? 'untracked' : side === 'query' ? 'new' : 'established';
      return { side, family, protocol, ...address, state };
    }),
  );
}

function noteIptables(found: Map<string, Dropped>, name: string, dump: Dump, packet: FirewallPacket): void {
  const drop = findIptablesDrop(dump, packet);
  if (drop === undefined) return;
  const what = drop.rule === undefined ? 'its policy' : `the rule ${drop.rule}`;
  const base = packet.side === 'query' ? 'INPUT' : 'OUTPUT';
  const address = packet.side === 'query' ? `-d ${packet.host}` : `-s ${packet.host}`;
  const port = packet.side === 'query' ? `--dport ${packet.port}` : `--sport ${packet.port}`;
  const accept = `${name} -I ${base} ${address} -p ${packet.protocol} ${port} -j ACCEPT`;
  const remedy =
    drop.table === 'filter'
      ? `accept them before it (${accept}), or run with --node-network iptables, which does`
      : `accept them before it, in table ${drop.table}`;
  note(found, `${name}, table ${drop.table}, chain ${drop.chain}: ${what}`, remedy, packet);
}

function noteNft(found: Map<string, Dropped>, ruleset: NftRuleset, packet: FirewallPacket): void {
  const drop = findNftDrop(ruleset, packet, OWN_TABLE);
  if (drop === undefined) return;
  const what = drop.rule === undefined ? 'its policy' : drop.rule;
  const remedy = `accept DNS to and from the listen addresses in that table, before it: no other table can (nft --handle list table ${drop.table})`;
  note(found, `nft, table ${drop.table}, chain ${drop.chain}: ${what}`, remedy, packet);
}

function note(found: Map<string, Dropped>, where: string, remedy: string, packet: FirewallPacket): void {
  const text = `${packet.protocol.toUpperCase()} ${packet.side === 'query' ? 'queries to' : 'replies from'} ${formatSocketAddress(packet)}`;
  const known = found.get(where);
  if (known === undefined) found.set(where, { where, remedy, packets: [text] });
  else known.packets.push(text);
}

/** Tables of others, but for those that cannot matter. One that cannot be read, or is gone meanwhile, shows nothing. */
async function readRuleset(): Promise<NftRuleset> {
  if (findTool('nft') === undefined) return { nftables: [] };
  const tables = (await nft('list', 'tables')).matchAll(/^table (\S+ \S+)$/gm);
  const nftables: NftRuleset['nftables'][number][] = [];
  for (const [, table] of tables) {
    if (table === OWN_TABLE || !mayDrop(table!)) continue;
    const json = await nft('--json', '--terse', 'list', 'table', ...table!.split(' '));
    if (json.startsWith('{')) nftables.push(...(JSON.parse(json) as NftRuleset).nftables);
  }
  return { nftables };
}

async function nft(...args: string[]): Promise<string> {
  const outcome = await runTool('nft', args).catch(() => undefined);
  return outcome?.code === 0 ? outcome.stdout : '';
}
