import { formatSocketAddress } from '../../config/socket-address.ts';
import type { Failover } from '../../node-network/wanted-state.ts';
import { type Diagnosis, error, note, ok, warning } from '../diagnosis.ts';
import type { Patient } from '../patient.ts';
import type { Check } from './check.ts';

/** Who answers on each listen address while the agent is gone, a family at a time. */
export const failoverCheck: Check = {
  name: 'fail-over',
  async look(patient: Patient) {
    const { mode, wanted } = await patient.network();
    if ((mode !== 'nftables' && mode !== 'iptables') || wanted === undefined) return [];
    const { listen, failovers } = wanted.rules;
    const led = await Promise.all(failovers.map((failover) => judge(failover, patient)));
    const services = listen.filter(({ host }) => !failovers.some((failover) => failover.listen.host === host));
    return [
      ...led,
      ...services.map((address) =>
        ok(
          'failover-service',
          `${formatSocketAddress(address)} is a Service's: kube-proxy leads it to the cluster DNS`,
        ),
      ),
    ];
  },
};

async function judge({ family, listen, service, targets }: Failover, patient: Patient): Promise<Diagnosis> {
  const place = formatSocketAddress(listen);
  const to = service ?? targets[0];
  if (to === undefined) {
    const message = `${place} has none: no cluster DNS address of IPv${family} is known, so pods that ask there have no DNS while the agent is gone`;
    return warning('failover-none', message, `give one with --cluster-dns, or leave ${place} out`);
  }
  const name = `kubernetes.default.svc.${patient.config?.clusterDomain ?? 'cluster.local'}`;
  try {
    const { rcode } = await patient.ask(to, name, 'A');
    if (rcode === 'NOERROR') return ok('failover', `${place} is led to ${formatSocketAddress(to)}, which answers`);
    return note('failover-answers', `${place} is led to ${formatSocketAddress(to)}, which says ${rcode} to ${name}`);
  } catch (cause) {
    const message = `${place} is led to ${formatSocketAddress(to)}, which does not answer over UDP: ${(cause as Error).message}`;
    return error(
      'failover-silent',
      message,
      'is the cluster DNS up, and is kube-proxy (or what stands in for it) on this node?',
    );
  }
}
