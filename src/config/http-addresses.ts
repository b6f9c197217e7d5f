import { type Complaints, shown } from './complaints.ts';
import type { SocketAddress } from './config.ts';
import { DEFAULTS } from './flags.ts';
import { isWildcard, parseSocketAddress } from './socket-address.ts';

export interface HttpAddresses {
  readonly metrics: SocketAddress | undefined;
  readonly admin: SocketAddress | undefined;
}

/** Reads `--metrics` and `--admin`, which are `IP:PORT` or `off`, and need two ports. */
export function httpAddresses(
  metricsFlag: string | undefined,
  adminFlag: string | undefined,
  complaints: Complaints,
): HttpAddresses {
  const metrics = httpAddress(
    metricsFlag ?? DEFAULTS.metrics,
    'ERR_METRICS_ADDRESS',
    'serve metrics on',
    '--metrics',
    complaints,
  );
  const admin = httpAddress(
    adminFlag ?? DEFAULTS.admin,
    'ERR_ADMIN_ADDRESS',
    'serve the admin API on',
    '--admin',
    complaints,
  );
  if (metrics !== undefined && admin !== undefined && overlaps(metrics, admin)) {
    complaints.add(
      'ERR_ADMIN_ADDRESS',
      `Cannot serve both metrics and the admin API on port ${admin.port} (--metrics, --admin): expected two ports`,
    );
  }
  return { metrics, admin };
}

function httpAddress(
  value: string,
  code: string,
  verb: string,
  option: string,
  complaints: Complaints,
): SocketAddress | undefined {
  if (value === 'off') return undefined;
  return complaints.read(code, `${verb} ${shown(value)}`, option, () =>
    parseSocketAddress(value, undefined, 'expected IP:PORT or off, such as 127.0.0.1:9254'),
  );
}

function overlaps(a: SocketAddress, b: SocketAddress): boolean {
  return a.port === b.port && a.port !== 0 && (a.host === b.host || isWildcard(a.host) || isWildcard(b.host));
}
