import { ok, warning } from '../diagnosis.ts';
import { statusOf } from '../patient.ts';
import type { Check } from './check.ts';

/** Of bounds that a person can widen, or whose cause lies elsewhere. The comments in core/limits.ts have the rest. */
const REMEDIES: Readonly<Record<string, string>> = {
  in_flight: 'upstreams are slow or silent: see upstreams',
  waiters: 'upstreams are slow or silent: see upstreams',
  upstream_in_flight: 'one upstream is slow or silent: see upstreams',
  connections: 'the cluster DNS answers one connection slowly: see upstreams, and its own load',
  udp_backlog: 'clients do not take their answers, or the node is out of CPU',
  tcp_connections: 'raise the limit of open files, or see which pod holds them: ss --tcp state established sport = :53',
  tcp_connections_per_client: 'one pod holds a thousand connections: ss --tcp state established sport = :53',
  admin_connections: 'something opens many connections to --admin or --metrics',
};

/** Bounds that were hit since the agent began. */
export const limitsCheck: Check = {
  name: 'limits',
  async look(patient) {
    const status = statusOf(patient);
    if (status === undefined) return [];
    const hit = status.limits.filter(({ hits }) => hits > 0);
    if (hit.length === 0) return [ok('limits-free', 'none was hit')];
    // These pace the work of a turn: to reach them is what they are for.
    const telling = hit.filter(({ name }) => !/_a_turn$|_read_bytes$|^udp_batch$|^metrics_pages|^spares$/.test(name));
    if (telling.length === 0) return [ok('limits-free', 'none was hit but those that pace the work of a turn')];
    return telling.map(({ name, value, hits }) =>
      warning('limit-hit', `${name} (${value}) was hit ${hits} times since the agent began`, REMEDIES[name]),
    );
  },
};
