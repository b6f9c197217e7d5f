import { type Complaints, originText } from './complaints.ts';
import type { SocketAddress } from './config.ts';
import { DEFAULTS } from './flags.ts';
import type { Said } from './settings.ts';
import { isWildcard, parseSocketAddress } from './socket-address.ts';

export interface HttpAddresses {
  readonly metrics: SocketAddress | undefined;
  readonly admin: SocketAddress | undefined;
}

/** Reads where the two HTTP servers listen, each `IP:PORT` or `off`, on two ports. Of each the first value decides; none: the default. */
export function httpAddresses(
  metricsSaid: readonly Said[],
  adminSaid: readonly Said[],
  complaints: Complaints,
): HttpAddresses {
  const metrics = first(metricsSaid, DEFAULT_METRICS, METRICS, complaints);
  const admin = first(adminSaid, DEFAULT_ADMIN, ADMIN, complaints);
  if (metrics !== undefined && admin !== undefined && overlaps(metrics, admin)) {
    const [ours, theirs] = [metricsSaid[0] ?? DEFAULT_METRICS, adminSaid[0] ?? DEFAULT_ADMIN];
    complaints.add(
      'ERR_ADMIN_ADDRESS',
      `Cannot serve both metrics and the admin API on port ${admin.port} (${originText(ours.origin)}, ${originText(theirs.origin)}): expected two ports`,
    );
  }
  return { metrics, admin };
}

const DEFAULT_METRICS: Said = { text: DEFAULTS.metrics, origin: { name: '--metrics' } };
const DEFAULT_ADMIN: Said = { text: DEFAULTS.admin, origin: { name: '--admin' } };
const METRICS = { code: 'ERR_METRICS_ADDRESS', action: (value: string) => `serve metrics on ${value}` };
const ADMIN = { code: 'ERR_ADMIN_ADDRESS', action: (value: string) => `serve the admin API on ${value}` };

function first(
  said: readonly Said[],
  fallback: Said,
  { code, action }: typeof METRICS,
  complaints: Complaints,
): SocketAddress | undefined {
  const read = (text: string): SocketAddress | undefined =>
    text === 'off' ? undefined : parseSocketAddress(text, undefined, 'expected IP:PORT or off, such as 127.0.0.1:9254');
  return (said.length === 0 ? [fallback] : said).map((value) => complaints.readSaid(code, action, value, read))[0];
}

/** Whether one port would be taken by both. */
export function overlaps(a: SocketAddress, b: SocketAddress): boolean {
  return a.port === b.port && a.port !== 0 && (a.host === b.host || isWildcard(a.host) || isWildcard(b.host));
}
