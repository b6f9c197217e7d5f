import type { Register } from '../metrics/register.ts';
import type { Delivery } from './delivery.ts';
import type { Flights } from './flights.ts';

/** What is being asked just now, and what came of it. */
export function registerResolveMetrics(register: Register, flights: Flights, delivery: Delivery): void {
  register.gauge('signpost_questions_in_flight', 'Distinct questions being asked upstream.', [], (emit) => {
    emit({}, flights.count);
  });
  register.gauge('signpost_clients_waiting', 'Queries that wait for an answer from upstream.', [], (emit) => {
    emit({}, flights.waiters);
  });
  register.counter('signpost_queries_coalesced_total', 'Queries that joined a question in flight.', [], (emit) => {
    emit({}, flights.coalesced);
  });
  register.counter('signpost_malformed_replies_total', 'Replies from upstreams that could not be read.', [], (emit) => {
    emit({}, delivery.malformed);
  });
}
