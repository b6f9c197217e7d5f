import type { Register } from '../../metrics/register.ts';
import type { Freshness, ServiceChange } from './freshness.ts';

const CHANGES: readonly ServiceChange[] = ['service', 'endpoints'];

/** What changes of Services did to the cache, and what lives on because there were none. */
export function registerFreshnessMetrics(register: Register, freshness: Freshness): void {
  register.counter('signpost_service_changes_total', 'Changes of Services and EndpointSlices.', ['what'], (emit) => {
    for (const what of CHANGES) emit({ what }, freshness.changes[what]);
  });
  register.counter('signpost_service_dropped_total', 'Entries dropped by changes.', ['kind'], (emit) => {
    emit({ kind: 'positive' }, freshness.dropped.positive);
    emit({ kind: 'negative' }, freshness.dropped.negative);
  });
  const unsettled = 'Answers kept for a second, for their Service had changed just before.';
  register.counter('signpost_service_unsettled_total', unsettled, [], (emit) => emit({}, freshness.unsettled));
  register.gauge('signpost_service_entries', 'Notes of which entry is about which Service.', [], (emit) => {
    emit({}, freshness.notes.size);
  });
  const { reAsking, lease } = freshness;
  register.counter('signpost_reasks_total', 'Questions for popular names whose Service has changed.', [], (emit) => {
    emit({}, reAsking.asked);
  });
  const settled = 'Popular names of a Service that changed, by whether their answer became another one within 5 s.';
  register.counter('signpost_reasked_names_total', settled, ['answer'], (emit) => {
    emit({ answer: 'changed' }, reAsking.changed);
    emit({ answer: 'same' }, reAsking.unchanged);
  });
  if (lease === undefined) return;
  register.counter('signpost_leases_total', 'Answers confirmed, that may live past their TTL.', [], (emit) => {
    emit({}, lease.granted);
  });
  register.counter('signpost_lease_renewals_total', 'Times that a lease let an answer live on for 5 s.', [], (emit) => {
    emit({}, lease.renewed);
  });
}
