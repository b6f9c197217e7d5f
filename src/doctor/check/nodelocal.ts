import { ok, warning } from '../diagnosis.ts';
import { findNodeLocalService } from '../nodelocal-service.ts';
import type { Check } from './check.ts';

/** NodeLocal DNSCache: what it left on the node, or that it still runs. */
export const nodeLocalCheck: Check = {
  name: 'nodelocal',
  async look({ agents }) {
    const service = await findNodeLocalService(agents);
    if (service === undefined) return [ok('nodelocal-none', 'nothing of NodeLocal DNSCache is on this node')];
    const { holder } = service;
    const things = service.things.join(', ');
    if (holder !== undefined) {
      const remedy =
        'end it first (kubectl --namespace kube-system delete daemonset node-local-dns), then signpost teardown --nodelocal';
      return [
        warning('nodelocal-runs', `NodeLocal DNSCache has ${things}, and ${holder} has port 53 there open`, remedy),
      ];
    }
    const message = `NodeLocal DNSCache has left ${things}`;
    return [
      warning(
        'nodelocal-left',
        message,
        'signpost teardown --nodelocal removes them; with --dry-run it only says what',
      ),
    ];
  },
};
