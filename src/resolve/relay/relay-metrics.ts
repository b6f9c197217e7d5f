import type { Register } from '../../metrics/register.ts';
import { FLUSH_REASONS, type FlushReason } from '../zone-flush.ts';
import type { RelayCounts } from './relay-counts.ts';
import { RELAY_KINDS } from './relay-kind.ts';
import { RELAY_OUTCOMES } from './relaying.ts';

/** What was passed on untouched, and what it made the cache forget. */
export function registerRelayMetrics(
  register: Register,
  counts: RelayCounts,
  flushes: Readonly<Record<FlushReason, number>>,
): void {
  register.counter(
    'signpost_relays_total',
    'Messages relayed byte for byte, by kind and outcome (see docs/dynamic-updates.md).',
    ['kind', 'outcome'],
    (emit) => {
      for (const kind of RELAY_KINDS) {
        for (const outcome of RELAY_OUTCOMES) emit({ kind, outcome }, counts.ended[kind][outcome]);
      }
    },
  );
  register.gauge('signpost_relays_open', 'Messages being relayed, transfers among them.', ['kind'], (emit) => {
    for (const kind of RELAY_KINDS) emit({ kind }, counts.open[kind]);
  });
  const help =
    'Octets of relayed messages, to the servers (out) and of their answers (back), counted when a relay ends.';
  register.counter('signpost_relay_bytes_total', help, ['kind', 'direction'], (emit) => {
    for (const kind of RELAY_KINDS) {
      emit({ kind, direction: 'out' }, counts.bytesOut[kind]);
      emit({ kind, direction: 'back' }, counts.bytesBack[kind]);
    }
  });
  register.counter('signpost_cache_flushes_total', 'Zones dropped from the cache, by reason.', ['reason'], (emit) => {
    for (const reason of FLUSH_REASONS) emit({ reason }, flushes[reason]);
  });
}
