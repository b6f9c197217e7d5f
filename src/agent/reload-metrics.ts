import type { Register } from '../metrics/register.ts';

/** How often the configuration was read again, and how that went; `ConfigSource` fulfils it. */
export interface Reloads {
  readonly reloads: number;
  readonly failures: number;
  /** What is wrong with the files now; undefined where what runs is what they say. */
  readonly error: string | undefined;
  /** SHA-256 of the files that what runs was made from. */
  readonly version: string;
}

/** Whether what runs is what the files say. CoreDNS's names first. */
export function registerReloadMetrics(register: Register, source: Reloads): void {
  register.gauge(
    'coredns_reload_version_info',
    'The files that the running configuration was made from, by their hash.',
    ['hash', 'value'],
    (emit) => emit({ hash: 'sha256', value: source.version }, 1),
  );
  register.counter('coredns_reload_failed_total', 'Reloads that found a bad configuration.', [], (emit) =>
    emit({}, source.failures),
  );
  register.counter(
    'coredns_nodecache_setup_errors_total',
    'What NodeLocal DNSCache counts as well, by its kind: a bad configuration.',
    ['errortype'],
    (emit) => emit({ errortype: 'configmap' }, source.failures),
  );
  register.counter('signpost_config_reloads_total', 'How often flags and files were read again.', [], (emit) =>
    emit({}, source.reloads),
  );
  register.counter('signpost_config_reload_failures_total', 'Reloads that found a bad configuration.', [], (emit) =>
    emit({}, source.failures),
  );
  register.gauge(
    'signpost_config_reload_failed',
    '1 while the last reload failed and the configuration before it is in force.',
    [],
    (emit) => emit({}, source.error === undefined ? 0 : 1),
  );
}
