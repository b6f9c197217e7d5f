import { RCODE_LABELS, TYPE_LABELS } from './labels.ts';
import type { Register } from './register.ts';
import {
  DNSSEC_OK_AT,
  DURATION_BOUNDS_SECONDS,
  DURATIONS_AT,
  REQUEST_SIZES_AT,
  RESPONSE_SIZES_AT,
  RESPONSES_AT,
  SIZE_BOUNDS,
  SOURCE_LABELS,
  TYPES_AT,
} from './traffic.ts';
import type { Listener, TrafficTable } from './traffic-table.ts';

/** The metrics of queries and answers, under CoreDNS's names with its labels and buckets: dashboards and alerts rest on them. */
export function registerTrafficMetrics(register: Register, table: TrafficTable): void {
  registerRequests(register, table);
  registerResponses(register, table);
  registerSizes(register, table, 'request', REQUEST_SIZES_AT);
  registerSizes(register, table, 'response', RESPONSE_SIZES_AT);
  register.histogram(
    'coredns_dns_request_duration_seconds',
    'Time from reading a query to its answer, in seconds.',
    ['server', 'zone', 'view'],
    DURATION_BOUNDS_SECONDS,
    (emit) => {
      for (const { server, zone, cells } of byServer(table)) {
        const counts = cells.subarray(DURATIONS_AT, DURATIONS_AT + DURATION_BOUNDS_SECONDS.length + 1);
        if (counts.some(isSeen)) emit({ server, zone, view: '' }, counts, cells[DURATIONS_AT + counts.length]! / 1000);
      }
    },
  );
}

function registerRequests(register: Register, table: TrafficTable): void {
  register.counter(
    'coredns_dns_requests_total',
    'Queries by zone, protocol, address family and type.',
    ['server', 'zone', 'view', 'proto', 'family', 'type'],
    (emit) => {
      for (const { listener, zone, cells } of byListener(table)) {
        const labels = { server: listener.server, zone, view: '', proto: listener.proto, family: `${listener.family}` };
        for (const [slot, type] of TYPE_LABELS.entries()) {
          const count = cells[TYPES_AT + slot]!;
          if (count > 0) emit({ ...labels, type }, count);
        }
      }
    },
  );
  register.counter(
    'coredns_dns_do_requests_total',
    'Queries that set the DO bit.',
    ['server', 'zone', 'view'],
    (emit) => {
      for (const { server, zone, cells } of byServer(table)) {
        if (cells[DNSSEC_OK_AT]! > 0) emit({ server, zone, view: '' }, cells[DNSSEC_OK_AT]!);
      }
    },
  );
}

function registerResponses(register: Register, table: TrafficTable): void {
  register.counter(
    'coredns_dns_responses_total',
    'Answers by rcode and by where they came from: cache, forward, or signpost itself.',
    ['server', 'zone', 'view', 'rcode', 'plugin'],
    (emit) => {
      for (const { server, zone, cells } of byServer(table)) {
        for (const [source, plugin] of SOURCE_LABELS.entries()) {
          for (const [slot, rcode] of RCODE_LABELS.entries()) {
            const count = cells[RESPONSES_AT + source * RCODE_LABELS.length + slot]!;
            if (count > 0) emit({ server, zone, view: '', rcode, plugin }, count);
          }
        }
      }
    },
  );
}

function registerSizes(register: Register, table: TrafficTable, what: 'request' | 'response', at: number): void {
  register.histogram(
    `coredns_dns_${what}_size_bytes`,
    `Length of a ${what}'s message in bytes.`,
    ['server', 'zone', 'view', 'proto'],
    SIZE_BOUNDS,
    (emit) => {
      for (const { listener, zone, cells } of byListener(table)) {
        const counts = cells.subarray(at, at + SIZE_BOUNDS.length + 1);
        const labels = { server: listener.server, zone, view: '', proto: listener.proto };
        if (counts.some(isSeen)) emit(labels, counts, cells[at + counts.length]!);
      }
    },
  );
}

function* byListener(table: TrafficTable): Generator<{ listener: Listener; zone: string; cells: Float64Array }> {
  for (const listener of table.listeners()) {
    for (let zone = 0; zone < table.zones.size; zone++) {
      const cells = listener.traffic.cells(zone);
      if (cells) yield { listener, zone: table.zones.name(zone), cells };
    }
  }
}

/** Where CoreDNS has no label for the protocol, UDP and TCP of a server are one. */
function* byServer(table: TrafficTable): Generator<{ server: string; zone: string; cells: Float64Array }> {
  for (const server of new Set(table.listeners().map((listener) => listener.server))) {
    for (let zone = 0; zone < table.zones.size; zone++) {
      const cells = table.sum(zone, (listener) => listener.server === server);
      if (cells) yield { server, zone: table.zones.name(zone), cells };
    }
  }
}

function isSeen(count: number): boolean {
  return count > 0;
}
