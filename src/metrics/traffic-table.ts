import { RCODE_LABELS, TYPE_LABELS } from './labels.ts';
import {
  BLOCK_CELLS,
  DURATION_BOUNDS_SECONDS,
  DURATIONS_AT,
  RESPONSES_AT,
  SOURCE_LABELS,
  Traffic,
  TYPES_AT,
} from './traffic.ts';
import type { ZoneIds } from './zone-ids.ts';

/** One address and protocol that is listened on, and its counters. */
export interface Listener {
  /** As CoreDNS names a server: `dns://127.0.0.1:5300`. */
  readonly server: string;
  readonly proto: 'udp' | 'tcp';
  /** 1: IPv4, 2: IPv6, as CoreDNS numbers them. */
  readonly family: 1 | 2;
  readonly traffic: Traffic;
}

/** All listeners and zones summed up, since the process began: for the status page. */
export interface TrafficTotals {
  readonly requests: number;
  /** Responses by where they came from: `cache`, `forward`, `signpost`. */
  readonly responsesBySource: Record<string, number>;
  /** Responses by rcode, those that occurred. */
  readonly responsesByRcode: Record<string, number>;
  /** Responses by duration: one bucket for each bound, and one for what is above. Not cumulative. */
  readonly durations: { readonly boundsSeconds: readonly number[]; readonly counts: readonly number[] };
}

/** The counters of every listener. A listener that is closed keeps its figures, for a counter must not go back. */
export class TrafficTable {
  readonly zones: ZoneIds;
  readonly #listeners: Listener[] = [];

  constructor(zones: ZoneIds) {
    this.zones = zones;
  }

  /** The counters of a listener: new ones, or those it had when it was opened before. */
  open(server: string, proto: 'udp' | 'tcp', family: 1 | 2): Traffic {
    const known = this.#listeners.find((listener) => listener.server === server && listener.proto === proto);
    if (known) return known.traffic;
    const traffic = new Traffic();
    this.#listeners.push({ server, proto, family, traffic });
    return traffic;
  }

  listeners(): readonly Listener[] {
    return this.#listeners;
  }

  /** The cells of a zone summed up over all listeners that `isIncluded` names; undefined where none of them was asked about it. */
  sum(zone: number, isIncluded: (listener: Listener) => boolean): Float64Array | undefined {
    let total: Float64Array | undefined;
    for (const listener of this.#listeners) {
      const cells = isIncluded(listener) ? listener.traffic.cells(zone) : undefined;
      if (cells === undefined) continue;
      total ??= new Float64Array(BLOCK_CELLS);
      for (let i = 0; i < BLOCK_CELLS; i++) total[i]! += cells[i]!;
    }
    return total;
  }

  /** Queries for names of a zone, by its id. */
  requests(zone: number): number {
    return requestsIn(this.sum(zone, () => true));
  }

  totals(): TrafficTotals {
    const all = new Float64Array(BLOCK_CELLS);
    for (let zone = 0; zone < this.zones.size; zone++) {
      const cells = this.sum(zone, () => true);
      if (cells) for (let i = 0; i < BLOCK_CELLS; i++) all[i]! += cells[i]!;
    }
    const responsesBySource: Record<string, number> = {};
    const responsesByRcode: Record<string, number> = {};
    for (const [source, plugin] of SOURCE_LABELS.entries()) {
      responsesBySource[plugin] = 0;
      for (const [rcode, label] of RCODE_LABELS.entries()) {
        const count = all[RESPONSES_AT + source * RCODE_LABELS.length + rcode]!;
        responsesBySource[plugin]! += count;
        if (count > 0) responsesByRcode[label] = (responsesByRcode[label] ?? 0) + count;
      }
    }
    const counts = Array.from(all.subarray(DURATIONS_AT, DURATIONS_AT + DURATION_BOUNDS_SECONDS.length + 1));
    return {
      requests: requestsIn(all),
      responsesBySource,
      responsesByRcode,
      durations: { boundsSeconds: DURATION_BOUNDS_SECONDS, counts },
    };
  }
}

function requestsIn(cells: Float64Array | undefined): number {
  let sum = 0;
  for (let slot = 0; slot < TYPE_LABELS.length; slot++) sum += cells?.[TYPES_AT + slot] ?? 0;
  return sum;
}
