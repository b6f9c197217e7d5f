import type { Emit, Register } from '../metrics/register.ts';
import type { Kubernetes } from './kubernetes.ts';
import type { Watch } from './watch.ts';

/** What is followed of the Kubernetes API, and how that goes. Nothing where nothing is followed. */
export function registerKubernetesMetrics(register: Register, kubernetes: Kubernetes): void {
  const each = (read: (watch: Watch) => number | undefined) => (emit: Emit) => {
    for (const { feature, watches } of kubernetes.followers) {
      for (const watch of watches) {
        const value = read(watch);
        if (value !== undefined) emit({ resource: watch.kind.resource, feature }, value);
      }
    }
  };
  const labels = ['resource', 'feature'];
  const stale =
    'Seconds for which what is known of the Kubernetes API may have been out of date; 0 while it is followed.';
  register.gauge(
    'signpost_kubernetes_stale_seconds',
    stale,
    labels,
    each(({ staleMs }) => staleMs && staleMs / 1000),
  );
  register.gauge(
    'signpost_kubernetes_followed',
    '1 while changes of these objects arrive.',
    labels,
    each(({ staleMs }) => (staleMs === 0 ? 1 : 0)),
  );
  register.counter(
    'signpost_kubernetes_lists_total',
    'Lists that were asked for.',
    labels,
    each(({ lists }) => lists),
  );
  register.counter(
    'signpost_kubernetes_watches_total',
    'Watches that were asked for.',
    labels,
    each(({ watches }) => watches),
  );
  register.counter(
    'signpost_kubernetes_events_total',
    'Objects that came by a watch: with its first list, or as a change.',
    labels,
    each(({ events }) => events),
  );
  register.counter(
    'signpost_kubernetes_errors_total',
    'Requests to the Kubernetes API that failed, by what was wrong.',
    [...labels, 'reason'],
    (emit) => {
      for (const { feature, watches } of kubernetes.followers) {
        for (const { kind, errors } of watches) {
          for (const [reason, count] of errors) emit({ resource: kind.resource, feature, reason }, count);
        }
      }
    },
  );
  register.gauge('signpost_cluster_dns_endpoints', "The DNS pods' addresses that are known.", ['family'], (emit) => {
    const endpoints = kubernetes.clusterDns?.endpoints;
    if (endpoints === undefined) return;
    const six = endpoints.filter(({ family }) => family === 6).length;
    emit({ family: '4' }, endpoints.length - six);
    emit({ family: '6' }, six);
  });
}
