import type { Emit, Register } from '../metrics/register.ts';
import { rcodeToText } from '../wire/type-names.ts';
import { DURATION_BOUNDS, Durations } from './durations.ts';
import type { Protocol, Transport } from './transport.ts';
import type { Upstream } from './upstream.ts';
import type { Upstreams } from './upstreams.ts';

/** The value of the label `proxy_name`: CoreDNS's name for its forward plugin. */
const PROXY_NAME = 'forward';

/** What CoreDNS calls them in the label `proto`. */
const CORE_DNS_PROTOCOLS: Readonly<Record<Protocol, string>> = {
  udp: 'udp',
  tcp: 'tcp',
  tls: 'tcp-tls',
  https: 'https',
};

/** Reasons of bad replies, in the order in which an upstream counts them. */
const BAD_REPLIES = ['malformed', 'id', 'question', 'cookie'];

/** CoreDNS's metrics of the forward plugin, and ours of what it has not. */
export function registerUpstreamMetrics(register: Register, upstreams: Upstreams): void {
  registerDurations(register, upstreams);
  registerCoreDnsCounters(register, upstreams);
  registerStates(register, upstreams);
  registerTroubles(register, upstreams);
}

function registerDurations(register: Register, upstreams: Upstreams): void {
  register.histogram(
    'coredns_proxy_request_duration_seconds',
    'Time the upstream took to answer, by upstream and rcode.',
    ['proxy_name', 'to', 'rcode'],
    DURATION_BOUNDS,
    (emit) => {
      for (const [to, list] of byLabel(upstreams)) {
        const durations = new Durations();
        for (const upstream of list) durations.merge(upstream.durations);
        durations.forEach((rcode, counts, sum) => {
          emit({ proxy_name: PROXY_NAME, to, rcode: rcodeToText(rcode) }, counts, sum);
        });
      }
    },
  );
}

function registerCoreDnsCounters(register: Register, upstreams: Upstreams): void {
  const ofConnections = (count: (transport: Transport) => number) => (emit: Emit) => {
    for (const [to, list] of byLabel(upstreams)) {
      const transports = list.flatMap((upstream) => upstream.transports);
      for (const [proto, same] of Map.groupBy(transports, (transport) => CORE_DNS_PROTOCOLS[transport.proto])) {
        emit({ proxy_name: PROXY_NAME, to, proto }, sum(same, count));
      }
    }
  };
  register.counter(
    'coredns_proxy_conn_cache_hits_total',
    'Questions sent over a connection or socket that was open, by upstream and protocol.',
    ['proxy_name', 'to', 'proto'],
    ofConnections(({ hits }) => hits),
  );
  register.counter(
    'coredns_proxy_conn_cache_misses_total',
    'Questions for which a connection or socket had to be opened, by upstream and protocol.',
    ['proxy_name', 'to', 'proto'],
    ofConnections(({ misses }) => misses),
  );
  register.counter(
    'coredns_proxy_healthcheck_failures_total',
    'Failed health checks, by upstream.',
    ['proxy_name', 'to'],
    (emit) => {
      for (const [to, list] of byLabel(upstreams)) {
        emit(
          { proxy_name: PROXY_NAME, to },
          sum(list, ({ health }) => health.probeFailures),
        );
      }
    },
  );
  register.counter(
    'coredns_forward_healthcheck_broken_total',
    'Questions that came while all upstreams of their zone were down.',
    [],
    (emit) => emit({}, upstreams.counts.allDown),
  );
  register.counter(
    'coredns_forward_max_concurrent_rejects_total',
    'Questions for which no upstream had room.',
    [],
    (emit) => emit({}, upstreams.counts.rejected),
  );
}

function registerStates(register: Register, upstreams: Upstreams): void {
  const gauge = (name: string, help: string, fold: Fold, value: (upstream: Upstream) => number) =>
    register.gauge(`signpost_upstream_${name}`, help, ['to', 'transport'], ofEach(upstreams, value, fold));
  gauge('up', 'Whether the upstream is asked: 0 while it is down.', Math.min, ({ isDown }) => (isDown ? 0 : 1));
  gauge('doubtful', 'Whether the upstream has failed since its last reply, and is probed.', Math.max, ({ health }) =>
    health.isDoubtful ? 1 : 0,
  );
  gauge('waiting', 'Questions of clients that wait for the upstream.', add, ({ waiting }) => waiting);
  gauge(
    'in_flight',
    'Questions sent and not answered, those that nobody waits for any more included.',
    add,
    ({ inFlight }) => inFlight,
  );
  gauge('round_trip_seconds', 'Moving mean of the time to answer.', Math.max, ({ roundTrips }) => {
    return roundTrips.smoothedMs / 1000;
  });
  gauge('round_trip_p95_seconds', 'Of recent replies, 95 in 100 took no longer.', Math.max, ({ roundTrips }) => {
    return roundTrips.p95Ms / 1000;
  });
  register.gauge(
    'signpost_upstream_looped',
    'Upstreams that lead back to this agent, and are not asked for that zone.',
    ['zone', 'to', 'transport'],
    (emit) => {
      const found = [...upstreams.loops.found];
      for (const ofZone of Map.groupBy(found, ({ zone }) => zone).values()) {
        const { zone } = ofZone[0]!;
        for (const [first] of alike(ofZone.map(({ upstream }) => upstream))) emit({ zone, ...labelsOf(first!) }, 1);
      }
    },
  );
  register.gauge(
    'signpost_upstream_connections',
    'Open connections and sockets, by protocol.',
    ['to', 'transport', 'proto'],
    (emit) => {
      for (const list of alike(upstreams.list())) {
        const transports = list.flatMap((upstream) => upstream.transports);
        for (const [proto, same] of Map.groupBy(transports, (transport) => transport.proto)) {
          emit(
            { ...labelsOf(list[0]!), proto },
            sum(same, ({ size }) => size),
          );
        }
      }
    },
  );
}

function registerTroubles(register: Register, upstreams: Upstreams): void {
  const counter = (name: string, help: string, value: (upstream: Upstream) => number) =>
    register.counter(`signpost_upstream_${name}_total`, help, ['to', 'transport'], ofEach(upstreams, value, add));
  counter('stalls', 'Connections that owed a reply and gave none for too long.', ({ stream }) => stream.stalls);
  counter('reasked', 'Questions asked elsewhere for a stalled or closed connection.', ({ stream }) => stream.reasked);
  counter('handshakes', 'TLS handshakes.', ({ stream }) => stream.handshakes);
  counter(
    'resumed',
    'TLS handshakes that a ticket of an earlier connection made short.',
    ({ stream }) => stream.resumed,
  );
  counter('retries', 'Questions asked again of the same upstream.', ({ retries }) => retries);
  counter('truncated', 'Answers that UDP cut short, asked again over TCP.', ({ truncated }) => truncated);
  counter(
    'distrusted',
    'Answers over UDP with another spelling or without the cookie, asked again over TCP.',
    (upstream) => {
      return upstream.doubtful;
    },
  );
  counter('rejected', 'Questions for which the upstream had no room.', ({ rejected }) => rejected);
  register.counter('signpost_upstream_hedges_total', 'Questions asked of a second upstream too.', [], (emit) =>
    emit({}, upstreams.counts.hedges),
  );
  register.counter(
    'signpost_upstream_moved_total',
    'Questions taken to another upstream because theirs stopped answering.',
    [],
    (emit) => emit({}, upstreams.counts.moved),
  );
  register.counter(
    'signpost_upstream_bad_replies_total',
    'Messages that were no reply to what was asked, by reason.',
    ['to', 'transport', 'reason'],
    (emit) => {
      for (const list of alike(upstreams.list())) {
        for (const [index, reason] of BAD_REPLIES.entries()) {
          emit(
            { ...labelsOf(list[0]!), reason },
            sum(list, ({ badReplies }) => badReplies[index]!),
          );
        }
      }
    },
  );
}

/** Makes one value of those of two upstreams. */
type Fold = (a: number, b: number) => number;

function ofEach(upstreams: Upstreams, value: (upstream: Upstream) => number, fold: Fold): (emit: Emit) => void {
  return (emit) => {
    for (const list of alike(upstreams.list())) {
      const values = list.map(value);
      emit(
        labelsOf(list[0]!),
        values.reduce((a, b) => fold(a, b)),
      );
    }
  };
}

/** Upstreams with the same labels, such as a server that two zones want other certificates of. A page may not have a series twice. */
function alike(upstreams: Iterable<Upstream>): Iterable<Upstream[]> {
  return Map.groupBy(upstreams, ({ label, transport }) => `${transport} ${label}`).values();
}

function add(a: number, b: number): number {
  return a + b;
}

function labelsOf({ label, transport }: Upstream): { to: string; transport: string } {
  return { to: label, transport };
}

/** One server may be asked over UDP for one zone and TCP for another: CoreDNS's labels do not tell the two apart. */
function byLabel(upstreams: Upstreams): Map<string, Upstream[]> {
  return Map.groupBy(upstreams.list(), ({ label }) => label);
}

function sum<T>(list: readonly T[], value: (each: T) => number): number {
  return list.map(value).reduce(add, 0);
}
