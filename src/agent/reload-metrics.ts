import type { Register } from '../metrics/register.ts';

/** How often the configuration was read again; `ConfigSource` fulfils it. */
export interface ReloadCounts {
  readonly reloads: number;
  readonly failures: number;
  readonly isFailing: boolean;
}

/** Whether what runs is what the files say. */
export function registerReloadMetrics(register: Register, counts: ReloadCounts): void {
  register.counter('signpost_config_reloads_total', 'How often flags and files were read again.', [], (emit) =>
    emit({}, counts.reloads),
  );
  register.counter('signpost_config_reload_failures_total', 'Reloads that found a bad configuration.', [], (emit) =>
    emit({}, counts.failures),
  );
  register.gauge(
    'signpost_config_reload_failed',
    '1 while the last reload failed and the configuration before it is in force.',
    [],
    (emit) => emit({}, counts.isFailing ? 1 : 0),
  );
}
