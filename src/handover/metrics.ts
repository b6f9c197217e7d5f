import type { Register } from '../metrics/register.ts';
import type { Succession } from './succession.ts';

const ROLES = ['starting', 'waiting', 'serving', 'standby'] as const;

/** What the hand-over counts. */
export function registerHandoverMetrics(register: Register, succession: Succession): void {
  register.counter(
    'signpost_handovers_total',
    'Hand-overs since the start: taken from another process, given to one, addresses yielded to one, failed, and taken back when a successor was gone.',
    ['kind'],
    (emit) => {
      const { taken, given, yielded, failed, takenBack } = succession.counts;
      emit({ kind: 'taken' }, taken);
      emit({ kind: 'given' }, given);
      emit({ kind: 'yielded' }, yielded);
      emit({ kind: 'failed' }, failed);
      emit({ kind: 'taken-back' }, takenBack);
    },
  );
  register.gauge(
    'signpost_handover_role',
    'What this process does for the node: 1 for what it does now.',
    ['role'],
    (emit) => {
      for (const role of ROLES) emit({ role }, succession.role === role ? 1 : 0);
    },
  );
  register.gauge('signpost_handover_generation', 'Of this pod on its node: the higher one serves.', [], (emit) =>
    emit({}, succession.self.generation),
  );
  register.gauge('signpost_handover_standbys', 'Processes that stand by behind this one.', [], (emit) =>
    emit({}, succession.standbys.length),
  );
  register.gauge('signpost_handover_inherited_entries', 'Cached answers that the process before gave.', [], (emit) =>
    emit({}, succession.inherited),
  );
}
