import { formatSocketAddress } from '../config/socket-address.ts';
import type { NetworkPlan, PlannedAddress } from '../doctor/network-plan.ts';

/** What `serve` would do with the node's network, as lines for a person. */
export function networkPlanLines({ mode, reason, link, isTracked, addresses, unseen }: NetworkPlan): string[] {
  return [
    `Node network: ${mode} (${reason})`,
    ...addresses.map((address) => `  ${addressText(address, link)}`),
    ...(mode === 'interface'
      ? ['  no rules: nothing is led to the agent, and nobody stands in while it is gone']
      : [`  queries are ${isTracked ? '' : 'not '}tracked (noTrack: ${isTracked ? 'off' : 'on'})`]),
    ...unseen.map((why) => `  not seen: ${why}`),
  ];
}

function addressText({ listen, heldBy, failover }: PlannedAddress, link: string): string {
  const where = heldBy === undefined ? `would be added to ${link}` : `is on ${heldBy}`;
  const place = `${formatSocketAddress(listen)} ${where}`;
  return failover === undefined ? place : `${place}; while the agent is gone ${whoAnswers(failover)}`;
}

function whoAnswers(failover: NonNullable<PlannedAddress['failover']>): string {
  if (failover === 'service') return 'kube-proxy leads it to its Service';
  if (failover === 'none') return 'nobody answers, for no address of the cluster DNS of that family is known';
  return `${formatSocketAddress(failover)} answers`;
}
