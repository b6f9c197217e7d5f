import { type Clock, monotonicClock } from '../core/clock.ts';
import type { Register } from '../metrics/register.ts';
import { ConfigApi, type ConfigReport } from './config-api.ts';
import { HealthPage } from './health-page.ts';
import type { ProbeIdentity } from './identity.ts';
import { MetricsPage } from './metrics-page.ts';
import type { Page } from './page.ts';
import { ReadyPage, type Reason } from './ready-page.ts';
import { type Status, StatusApi } from './status.ts';
import { StatusPage } from './status-page.ts';
import { UpstreamsApi } from './upstreams-api.ts';

export interface AdminParts extends ProbeIdentity {
  readonly register: Register;
  /** See `HealthPageOptions`. */
  readonly probe: () => Promise<void>;
  readonly reasons: () => readonly Reason[];
  readonly status: () => Status;
  readonly config: () => ConfigReport;
  readonly clock: Clock;
}

/** All that `--admin` shows, for the node itself. Adding a page is a file and a line here. */
export function adminPages(parts: AdminParts): Page[] {
  const { register, probe, reasons, status, config, podUid, askStandby, clock } = parts;
  const health = new HealthPage({ probe, podUid, askStandby, clock });
  health.registerMetrics(register);
  return [
    health,
    new ReadyPage({ reasons, podUid, askStandby }),
    new MetricsPage(register, clock),
    new StatusApi(status),
    new UpstreamsApi(() => status().zones),
    new ConfigApi(config),
    new StatusPage(),
  ];
}

/** What `--probes` shows: no more than whether the agent is well. */
export function probePages({ probe, reasons, podUid, askStandby, clock }: AdminParts): Page[] {
  return [new HealthPage({ probe, podUid, askStandby, clock }), new ReadyPage({ reasons, podUid, askStandby })];
}

/** What `--metrics` shows to the network. */
export function metricsPages(register: Register, clock: Clock = monotonicClock): Page[] {
  return [new MetricsPage(register, clock)];
}
