import { readFile } from 'node:fs/promises';
import { type Diagnosis, note, ok, warning } from '../diagnosis.ts';
import type { Patient } from '../patient.ts';
import type { Check } from './check.ts';

/** So full, and new connections of the node are about to be dropped. */
const NEARLY_FULL = 0.9;

/** The connection table: how full it is, and whether queries to the agent are in it, which NOTRACK is to prevent. */
export const conntrackCheck: Check = {
  name: 'conntrack',
  async look(patient) {
    const [count, most, table] = await Promise.all([
      readNumber('/proc/sys/net/netfilter/nf_conntrack_count'),
      readNumber('/proc/sys/net/netfilter/nf_conntrack_max'),
      readFile('/proc/net/nf_conntrack', 'latin1').catch(() => undefined),
    ]);
    if (count === undefined || most === undefined) {
      return [ok('conntrack-none', 'this network tracks no connections')];
    }
    return [fullness(count, most), ...queries(table, patient)];
  },
};

function fullness(count: number, most: number): Diagnosis {
  const message = `${count} of ${most} entries are in use`;
  if (count < NEARLY_FULL * most) return ok('conntrack-room', message);
  const remedy =
    'raise net.netfilter.nf_conntrack_max (kube-proxy: conntrack.maxPerCore), and see who fills it: conntrack -L | sort | uniq -c';
  return warning('conntrack-full', `${message}: new connections of the whole node are dropped when it is full`, remedy);
}

/** Entries whose first direction goes to an address and port of ours. */
function queries(table: string | undefined, { listen, nodeNetwork }: Patient): Diagnosis[] {
  if (table === undefined) {
    const remedy = 'look with: conntrack -L -p udp --dport 53';
    return [note('conntrack-unseen', 'whether queries to the agent are tracked cannot be seen on this kernel', remedy)];
  }
  const found = listen.reduce((sum, { host, port }) => sum + countQueries(table, host, port), 0);
  if (found === 0) return [ok('conntrack-free', 'no query to the agent is tracked')];
  if (!nodeNetwork.hasNoTrack || nodeNetwork.mode === 'off' || nodeNetwork.mode === 'interface') {
    return [note('conntrack-queries', `${found} entries are queries to the agent: NOTRACK is off`)];
  }
  return [
    note(
      'conntrack-queries',
      `${found} entries are queries to the agent: from before its rules were there, or of fail-over; long-lived sockets keep theirs`,
      'see the findings of rules, where it stays so',
    ),
  ];
}

function countQueries(table: string, host: string, port: number): number {
  const written = expanded(host);
  let count = 0;
  for (const line of table.split('\n')) {
    const [, destination, destinationPort] = /\bdst=(\S+) sport=\d+ dport=(\d+)/.exec(line) ?? [];
    if (destination === written && Number(destinationPort) === port) count++;
  }
  return count;
}

/** IPv6 as the table writes it: eight groups of four digits. */
function expanded(host: string): string {
  if (!host.includes(':')) return host;
  const [head = '', tail = ''] = host.split('::');
  const first = head === '' ? [] : head.split(':');
  const last = tail === '' ? [] : tail.split(':');
  const groups = [...first, ...new Array<string>(8 - first.length - last.length).fill('0'), ...last];
  return groups.map((group) => group.padStart(4, '0')).join(':');
}

async function readNumber(path: string): Promise<number | undefined> {
  const text = await readFile(path, 'latin1').catch(() => undefined);
  return text === undefined ? undefined : Number(text);
}
