import { hash } from 'node:crypto';
import type { ConfigReport } from '../admin/config-api.ts';
import type { Config, UpstreamAddress } from '../config/config.ts';
import { formatSocketAddress } from '../config/socket-address.ts';
import { formatUpstreamAddress } from '../config/upstream-address.ts';
import type { Reloads } from './reload-metrics.ts';

export interface ConfigReportSources {
  readonly config: Config;
  readonly reloads: Reloads | undefined;
  readonly restartNeeded: readonly string[];
}

/** The configuration in force, with addresses as users write them; of certificates of authorities their hash. */
export function configReport({ config, reloads, restartNeeded }: ConfigReportSources): ConfigReport {
  const { listen, metrics, admin, probes, zones, resolvConf, ...plain } = config;
  return {
    version: reloads?.version ?? null,
    error: reloads?.error ?? null,
    restartNeeded,
    config: {
      listen: listen.map(formatSocketAddress),
      metrics: metrics === undefined ? 'off' : formatSocketAddress(metrics),
      admin: admin === undefined ? 'off' : formatSocketAddress(admin),
      probes: probes.map(formatSocketAddress),
      resolvConf: resolvConf ?? null,
      ...plain,
      zones: zones.map((zone) => ({ ...zone, upstreams: zone.upstreams.map(upstreamReport) })),
    },
  };
}

function upstreamReport({ host, port, transport, ca, ...more }: UpstreamAddress): object {
  const address = formatUpstreamAddress({ host, port, transport });
  return { address, ...more, ...(ca !== undefined && { caSha256: hash('sha256', ca, 'hex') }) };
}
