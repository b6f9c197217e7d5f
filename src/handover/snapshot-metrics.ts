import type { Register } from '../metrics/register.ts';
import type { Snapshot } from './snapshot.ts';

/** What became of the cache's snapshot. */
export function registerSnapshotMetrics(register: Register, snapshot: Snapshot): void {
  register.counter('signpost_snapshot_saves_total', 'Snapshots of the cache written, or not.', ['result'], (emit) => {
    emit({ result: 'saved' }, snapshot.saved);
    emit({ result: 'failed' }, snapshot.failed);
  });
  const latest = (name: string, help: string, value: () => number): void => {
    register.gauge(name, help, [], (emit) => {
      if (snapshot.saved > 0) emit({}, value());
    });
  };
  latest('signpost_snapshot_timestamp_seconds', 'When the latest one was written.', () => snapshot.savedAtMs / 1000);
  latest('signpost_snapshot_bytes', 'Size of the latest one.', () => snapshot.bytes);
  latest('signpost_snapshot_entries', 'Entries of the latest one.', () => snapshot.entries);
  register.gauge('signpost_snapshot_loaded_entries', 'Entries that the start took from one.', [], (emit) => {
    emit({}, snapshot.loaded);
  });
}
