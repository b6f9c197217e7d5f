import { type CacheTraffic, FROM_HOSTS, NO_AAAA, REFUSED, TRIMMED } from '../cache/cache-traffic.ts';
import type { Register } from '../metrics/register.ts';
import type { ZoneIds } from '../metrics/zone-ids.ts';
import type { Delivery } from './delivery.ts';
import type { Flights } from './flights.ts';
import type { NodeNames } from './node-names.ts';

export interface ResolveMetricsParts {
  flights: Flights;
  delivery: Delivery;
  traffic: CacheTraffic;
  zones: ZoneIds;
}

const RULES: readonly (readonly [rule: string, event: number])[] = [
  ['refuse', REFUSED],
  ['hosts', FROM_HOSTS],
  ['aaaa-off', NO_AAAA],
];

/** What is being asked just now, and what came of it. */
export function registerResolveMetrics(
  register: Register,
  { flights, delivery, traffic, zones }: ResolveMetricsParts,
): void {
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
  registerRules(register, traffic, zones);
}

/** Names of nodes, where they are answered. */
export function registerNodeNameMetrics(register: Register, nodeNames: NodeNames): void {
  register.gauge('signpost_node_names', 'Nodes of the cluster whose names are answered.', [], (emit) => {
    emit({}, nodeNames.size);
  });
  register.counter('signpost_node_name_answers_total', 'Queries answered with what is known of a node.', [], (emit) => {
    emit({}, nodeNames.answers);
  });
}

function registerRules(register: Register, traffic: CacheTraffic, zones: ZoneIds): void {
  const help = "Queries answered by a zone's rules, which ask no upstream.";
  register.counter('signpost_rule_answers_total', help, ['zone', 'rule'], (emit) => {
    for (let zone = 0; zone < zones.size; zone++) {
      for (const [rule, event] of RULES) {
        const count = traffic.read(zone, event);
        if (count > 0) emit({ zone: zones.name(zone), rule }, count);
      }
    }
  });
  const trimmed = "Upstreams' replies with records that did not belong to the question, and were left out.";
  register.counter('signpost_upstream_trimmed_total', trimmed, ['zone'], (emit) => {
    for (let zone = 0; zone < zones.size; zone++) {
      const count = traffic.read(zone, TRIMMED);
      if (count > 0) emit({ zone: zones.name(zone) }, count);
    }
  });
}
