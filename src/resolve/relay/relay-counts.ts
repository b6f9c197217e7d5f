import { RELAY_KINDS, type RelayKind } from './relay-kind.ts';
import { RELAY_OUTCOMES, type RelayOutcome } from './relaying.ts';

/** What was relayed, by kind; read by the metrics. */
export class RelayCounts {
  readonly ended: Record<RelayKind, Record<RelayOutcome, number>> = perKind(perOutcome);
  readonly open: Record<RelayKind, number> = perKind(() => 0);
  /** Octets of whole messages, to the servers and back. */
  readonly bytesOut: Record<RelayKind, number> = perKind(() => 0);
  readonly bytesBack: Record<RelayKind, number> = perKind(() => 0);
}

function perKind<T>(make: () => T): Record<RelayKind, T> {
  return Object.fromEntries(RELAY_KINDS.map((kind) => [kind, make()])) as Record<RelayKind, T>;
}

function perOutcome(): Record<RelayOutcome, number> {
  return Object.fromEntries(RELAY_OUTCOMES.map((outcome) => [outcome, 0])) as Record<RelayOutcome, number>;
}
