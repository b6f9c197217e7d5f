import type { HandOverStatus, NetworkStatus, Status, UpstreamStatus } from '../admin/status.ts';

const HEADINGS = [
  'UPSTREAM',
  'HEALTHY',
  'STATE',
  'RANK',
  'RTT',
  'P95',
  'IN FLIGHT',
  'CONNECTIONS',
  'FAILED',
  'LAST ERROR',
  'ZONES',
];

/** The agent's own report for a person at a terminal. */
export function statusText(status: Status): string {
  const { version, node, uptimeSeconds, ready, reasons, listen, traffic, cache, limits, network, handOver } = status;
  const answers = Object.values(traffic.responsesByRcode).reduce((sum, count) => sum + count, 0);
  const failures = traffic.responsesByRcode['SERVFAIL'] ?? 0;
  const asked = cache.hits + cache.misses;
  const hit = limits.filter(({ hits }) => hits > 0).map(({ name, hits }) => `${name} ${hits}x`);
  const facts: [string, string][] = [
    ['agent', `version ${version}${node === null ? '' : ` on ${node}`}, up ${span(uptimeSeconds)}`],
    ['ready', ready ? 'yes' : 'no'],
    ...reasons
      .filter(({ ok, warning = false }) => !ok || warning)
      .map(({ name, message }): [string, string] => [
        '',
        `${name}: ${message.replaceAll('\n', `\n${' '.repeat(12)}`)}`,
      ]),
    ['listens on', listen.join(', ')],
    // An agent of an older version says nothing of them.
    ...(network ? [['network', networkText(network)] satisfies [string, string]] : []),
    ...(handOver ? [['hand-over', handOverText(handOver)] satisfies [string, string]] : []),
    ['answers', `${answers}, ${percent(failures, answers)} of them SERVFAIL`],
    [
      'cache',
      `${cache.entries} answers in ${mebibytes(cache.bytes)} of ${mebibytes(cache.budgetBytes)}, ${percent(cache.hits, asked)} found, ${cache.stale} given stale`,
    ],
    ['limits', hit.length === 0 ? 'none was hit' : `hit since the start: ${hit.join(', ')}`],
  ];
  const lines = facts.map(([name, text]) => `${name.padEnd(12)}${text}`);
  return `${lines.join('\n')}\n\n${table([HEADINGS, ...upstreamRows(status)])}\n`;
}

function networkText({ mode, state, link, renewedSecondsAgo, repairs }: NetworkStatus): string {
  const repaired = Object.values(repairs).reduce((sum, count) => sum + count, 0);
  const renewed = renewedSecondsAgo === undefined ? '' : `, switch renewed ${renewedSecondsAgo.toFixed(1)} s ago`;
  return `${mode} on ${link}, ${state}${renewed}${repaired === 0 ? '' : `, repaired ${repaired}x`}`;
}

function handOverText({ role, generation, standbys }: HandOverStatus): string {
  return `${role}, generation ${generation}${standbys.length === 0 ? '' : `, ${standbys.length} standing by`}`;
}

/** A server that several zones name has one line for each way that it stands in them. */
function upstreamRows({ zones }: Status): string[][] {
  const rows = new Map<string, { upstream: UpstreamStatus; zones: string[] }>();
  for (const { zone, upstreams } of zones) {
    for (const upstream of upstreams) {
      const key = `${upstream.address} ${upstream.state} ${upstream.rank}`;
      const row = rows.get(key) ?? { upstream, zones: [] };
      row.zones.push(zone);
      rows.set(key, row);
    }
  }
  return [...rows.values()].map(({ upstream, zones: named }) => [
    upstream.address,
    healthText(upstream),
    upstream.state,
    rankText(upstream),
    milliseconds(upstream.roundTripMs),
    milliseconds(upstream.p95Ms),
    `${upstream.inFlight}`,
    `${upstream.connections}`,
    `${upstream.failures}`,
    upstream.lastError === null ? '-' : `${upstream.lastError.reason} ${upstream.lastError.time.slice(0, 19)}Z`,
    zonesText(named),
  ]);
}

/** An agent of an older version says nothing of it. */
function healthText({ healthy, state }: Partial<UpstreamStatus>): string {
  return (healthy ?? (state !== 'down' && state !== 'looped')) ? 'yes' : 'no';
}

/** Nor of that. */
function rankText({ rank = 0 }: Partial<UpstreamStatus>): string {
  return `${rank}`;
}

function zonesText(zones: readonly string[]): string {
  const shown = zones.slice(0, 4).join(' ');
  return zones.length > 4 ? `${shown} and ${zones.length - 4} more` : shown;
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = HEADINGS.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column]! + 2))
        .join('')
        .trimEnd(),
    )
    .join('\n');
}

function milliseconds(ms: number | null): string {
  if (ms === null) return '-';
  return ms < 10 ? `${ms.toFixed(1)}ms` : `${ms.toFixed(0)}ms`;
}

function percent(part: number, whole: number): string {
  return whole === 0 ? '0%' : `${((100 * part) / whole).toFixed(1)}%`;
}

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}

function span(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  const days = Math.floor(hours / 24);
  if (days > 0) return `${days}d${hours % 24}h`;
  if (hours > 0) return `${hours}h${minutes % 60}m`;
  return minutes > 0 ? `${minutes}m${Math.floor(seconds % 60)}s` : `${Math.floor(seconds)}s`;
}
