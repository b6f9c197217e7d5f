import type { Register } from '../../metrics/register.ts';
import type { PodClients } from '../../search/pod-clients.ts';
import { COMPLETION_OUTCOMES, type CompletionCounts } from './completion-counts.ts';

export interface CompletionMetricsParts {
  counts: CompletionCounts;
  pods: PodClients;
  /** The label `server` of CoreDNS's metrics. */
  server: string;
}

/** What became of the searches of pods. */
export function registerCompletionMetrics(register: Register, { counts, pods, server }: CompletionMetricsParts): void {
  const searches = 'First queries of searches by pods: completed, or why they were answered as they were asked.';
  register.counter('signpost_search_completions_total', searches, ['outcome'], (emit) => {
    for (const outcome of COMPLETION_OUTCOMES) emit({ outcome }, counts.read(outcome));
  });
  register.gauge('signpost_search_pods', 'Pods of this node that the Kubernetes API has told of.', [], (emit) => {
    emit({}, pods.size);
  });
  const known =
    'Addresses of pods whose searches are completed: each has one live pod, with a search path that all resolvers read alike.';
  register.gauge('signpost_search_addresses', known, [], (emit) => emit({}, pods.known));
  register.counter('coredns_autopath_success_total', 'Queries whose search path was completed.', ['server'], (emit) => {
    emit({ server }, counts.read('completed'));
  });
}
