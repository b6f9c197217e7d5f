import { formatByteSize } from '../config/byte-size.ts';
import type { Config, SocketAddress, UpstreamAddress, ZoneConfig } from '../config/config.ts';
import { formatDuration } from '../config/duration.ts';
import type { LoadedConfig } from '../config/from-flags.ts';
import { serviceNamesText } from '../config/service-names.ts';
import { formatSocketAddress } from '../config/socket-address.ts';
import { formatUpstreamAddress } from '../config/upstream-address.ts';
import type { NetworkPlan } from '../doctor/network-plan.ts';
import { networkPlanLines } from './network-plan-text.ts';
import type { Probe } from './upstream-probe.ts';

/** The effective configuration for a person, and what each upstream said. */
export function configText({ config, notes }: LoadedConfig, probes: readonly Probe[], network?: NetworkPlan): string {
  const lines = [
    ...table(settingsOf(config)),
    '',
    'Zones, the longest suffix wins:',
    ...table(config.zones.map(zoneRow)).map((line) => `  ${line}`),
    '',
    'Upstreams:',
    ...table(probes.map(probeRow)).map((line) => `  ${line}`),
    ...(network === undefined ? [] : ['', ...networkPlanLines(network)]),
    ...(notes.length === 0 ? [] : ['', 'Notes:', ...notes.map((note) => `  ${note}`)]),
  ];
  return `${lines.join('\n')}\n`;
}

function settingsOf(config: Config): string[][] {
  return [
    ['listen', config.listen.map(formatSocketAddress).join(', ')],
    ['metrics', addressOrOff(config.metrics)],
    ['admin', addressOrOff(config.admin)],
    ...(config.probes.length === 0 ? [] : [['probes', config.probes.map(formatSocketAddress).join(', ')]]),
    ['cluster domain', config.clusterDomain],
    ...(config.isClusterDnsDirect
      ? [['cluster DNS', `the pods of ${serviceNamesText(config.clusterDnsService)} before its address`]]
      : []),
    ['resolv.conf', resolvConfText(config)],
    ['cache size', formatByteSize(config.cacheBytes)],
    ['node network', nodeNetworkText(config)],
    ['state', config.state ?? 'none'],
    ['kubernetes', config.kubernetes],
    ['search', `${config.search}${config.hasLease ? ', with leases' : ''}`],
    ...(config.hasNodeNames ? [['node names', 'answered']] : []),
    ['lameduck', formatDuration(config.lameduckMs)],
    [
      'log',
      `${config.logLevel}, ${config.logFormat}, ${config.logSample === 0 ? 'no queries' : `one query in ${config.logSample}`}`,
    ],
  ];
}

function resolvConfText({ resolvConf, searchConf, search }: Config): string {
  if (resolvConf !== undefined) return resolvConf;
  return search === 'complete' ? `${searchConf}, for its search suffixes alone` : 'not read';
}

function nodeNetworkText({ nodeNetwork: { mode, interface: link, hasNoTrack } }: Config): string {
  return mode === 'off' ? 'off' : `${mode}, on ${link}${hasNoTrack ? '' : ', queries are tracked'}`;
}

function addressOrOff(address: SocketAddress | undefined): string {
  return address === undefined ? 'off' : formatSocketAddress(address);
}

function zoneRow(zone: ZoneConfig): string[] {
  const { upstreams, policy, tryMs, totalMs, cache } = zone;
  const stale =
    cache.staleSeconds === 0
      ? 'never stale'
      : `stale for ${seconds(cache.staleSeconds)} after ${formatDuration(cache.staleAfterMs)}`;
  const kept = range(cache.positiveMinSeconds, cache.positiveMaxSeconds);
  const absent = range(cache.negativeMinSeconds, cache.negativeMaxSeconds);
  return [
    zone.zone,
    upstreams.map(upstreamText).join(', '),
    `${policy}, ${formatDuration(tryMs)} a try, ${formatDuration(totalMs)} in all`,
    `kept ${kept}, absent ${absent}, ${stale}`,
    rarerText(zone),
  ];
}

function upstreamText(address: UpstreamAddress): string {
  const { ca, source, hasCookies = false, hasMixedCase = false } = address;
  const more = [
    ...(ca === undefined ? [] : ['authorities of its own']),
    ...(source === undefined ? [] : [`from ${source}`]),
    ...(hasCookies ? ['cookies'] : []),
    ...(hasMixedCase ? ['mixed case'] : []),
  ];
  return `${formatUpstreamAddress(address)}${more.length === 0 ? '' : ` (${more.join(', ')})`}`;
}

function range(minSeconds: number, maxSeconds: number): string {
  return minSeconds === 0 ? `up to ${seconds(maxSeconds)}` : `${seconds(minSeconds)} to ${seconds(maxSeconds)}`;
}

/** What most zones do not have. */
function rarerText({ cache, hasAaaa, hosts, aliases, refuse, logSample }: ZoneConfig): string {
  return [
    ...(hasAaaa ? [] : ['no AAAA']),
    ...(hosts.length === 0 ? [] : [counted(hosts.length, 'hosts entry', 'hosts entries')]),
    ...(aliases.length === 0 ? [] : [counted(aliases.length, 'alias', 'aliases')]),
    ...(refuse.length === 0 ? [] : [counted(refuse.length, 'name refused', 'names refused')]),
    ...(cache.keepLastGoodSeconds === 0 ? [] : [`last good kept ${seconds(cache.keepLastGoodSeconds)}`]),
    ...(cache.prefetchHits === 0 ? ['no prefetch'] : []),
    ...(logSample === 0 ? [] : [`one query in ${logSample} logged`]),
  ].join(', ');
}

function counted(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}

function seconds(count: number): string {
  return formatDuration(count * 1000);
}

function probeRow({ address, rcode, elapsedMs, failure }: Probe): string[] {
  const result = failure === undefined ? `answers (${rcode}, ${elapsedMs} ms)` : `no answer: ${failure}`;
  return [formatUpstreamAddress(address), result];
}

function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows.reduce<number[]>(
    (most, row) => row.map((cell, column) => Math.max(most[column] ?? 0, cell.length)),
    [],
  );
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  );
}
