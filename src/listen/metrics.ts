import { formatSocketAddress } from '../config/socket-address.ts';
import type { Register } from '../metrics/register.ts';
import type { Listeners } from './listeners.ts';
import type { TcpListener } from './tcp.ts';
import type { UdpListener } from './udp-listener.ts';

/** Everything that the listeners count beside queries, by `server` as in the CoreDNS metrics. */
export function registerListenMetrics(register: Register, listeners: Listeners): void {
  registerTcp(register, listeners);
  registerUdp(register, listeners);
}

function registerTcp(register: Register, { tcp, counts, buffers }: Listeners): void {
  register.gauge('signpost_tcp_connections', 'TCP connections of clients that are open.', ['server'], (emit) => {
    for (const listener of tcp) emit({ server: serverOf(listener) }, listener.connections);
  });
  register.counter('signpost_tcp_accepted_total', 'TCP connections of clients since the start.', ['server'], (emit) => {
    for (const listener of tcp) emit({ server: serverOf(listener) }, listener.accepted);
  });
  register.counter(
    'signpost_tcp_refused_total',
    'TCP connections closed at once: too many of one client (client) or in all (total), or lost before they were taken (error).',
    ['server', 'reason'],
    (emit) => {
      for (const listener of tcp) {
        const server = serverOf(listener);
        emit({ server, reason: 'client' }, listener.refused.client);
        emit({ server, reason: 'total' }, listener.refused.total);
        emit({ server, reason: 'error' }, listener.acceptErrors);
      }
    },
  );
  register.counter('signpost_tcp_closed_total', 'TCP connections by how they ended.', ['server', 'reason'], (emit) => {
    for (const listener of tcp) {
      for (const [reason, count] of Object.entries(listener.closed))
        emit({ server: serverOf(listener), reason }, count);
    }
  });
  register.gauge(
    'signpost_tcp_paused',
    'TCP connections not read for now, since their answers are not taken.',
    [],
    (emit) => emit({}, counts.paused),
  );
  register.gauge('signpost_tcp_clients', 'Addresses that have a TCP connection open.', [], (emit) =>
    emit({}, counts.clients),
  );
  register.counter('signpost_tcp_writes_total', 'Writes to TCP clients, each of one answer or more.', [], (emit) =>
    emit({}, buffers.writes),
  );
}

function registerUdp(register: Register, { udp }: Listeners): void {
  register.counter(
    'signpost_udp_backlog_drops_total',
    'UDP answers dropped because the kernel took none and too many were waiting.',
    ['server'],
    (emit) => {
      for (const listener of udp) emit({ server: serverOf(listener) }, listener.backlogDrops);
    },
  );
  register.counter(
    'signpost_udp_receive_errors_total',
    'Errors that the kernel gave in place of a datagram.',
    ['server'],
    (emit) => {
      for (const listener of udp) emit({ server: serverOf(listener) }, listener.receiveErrors);
    },
  );
  register.counter(
    'signpost_udp_send_errors_total',
    'UDP answers that the kernel refused for good.',
    ['server'],
    (emit) => {
      for (const listener of udp) emit({ server: serverOf(listener) }, listener.sendErrors);
    },
  );
  register.counter(
    'signpost_udp_segmented_total',
    'UDP answers that left in one piece with others to the same client, cut by the kernel (see docs/architecture.md).',
    ['server'],
    (emit) => {
      for (const listener of udp) emit({ server: serverOf(listener) }, listener.segmented);
    },
  );
  register.counter(
    'signpost_udp_kernel_drops_total',
    'Datagrams that the kernel threw away because they were not read in time; absent where it is not known.',
    ['server'],
    (emit) => {
      for (const listener of udp) {
        if (listener.kernelDrops !== undefined) emit({ server: serverOf(listener) }, listener.kernelDrops);
      }
    },
  );
  register.gauge(
    'signpost_udp_listener_info',
    'How datagrams are read: batched, batched-dgram or portable (see docs/architecture.md).',
    ['server', 'kind'],
    (emit) => {
      for (const listener of udp) emit({ server: serverOf(listener), kind: listener.kind }, 1);
    },
  );
  register.gauge(
    'signpost_udp_receive_buffer_bytes',
    'What the kernel granted for datagrams that wait to be read, its own bookkeeping included.',
    ['server'],
    (emit) => {
      for (const listener of udp) emit({ server: serverOf(listener) }, listener.receiveBufferBytes);
    },
  );
}

function serverOf(listener: TcpListener | UdpListener): string {
  return `dns://${formatSocketAddress(listener.address)}`;
}
