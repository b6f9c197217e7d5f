import assert from 'node:assert/strict';
import { test } from 'node:test';
import { networkPlanLines } from '../../../src/cli/network-plan-text.ts';
import type { NetworkPlan } from '../../../src/doctor/network-plan.ts';

const PLAN: NetworkPlan = {
  mode: 'nftables',
  reason: 'kube-proxy uses nftables',
  link: 'signpost0',
  isTracked: false,
  addresses: [
    { listen: { host: '169.254.20.10', port: 53 }, heldBy: undefined, failover: { host: '10.96.0.11', port: 53 } },
    { listen: { host: 'fd00::10', port: 53 }, heldBy: 'lo', failover: 'none' },
    { listen: { host: '10.96.0.10', port: 53 }, heldBy: undefined, failover: 'service' },
  ],
  unseen: [],
};

test('each address is told with where it goes and who stands in for the agent', () => {
  const lines = networkPlanLines(PLAN);
  assert.equal(lines[0], 'Node network: nftables (kube-proxy uses nftables)');
  assert.match(lines[1]!, /169\.254\.20\.10:53 would be added to signpost0; .* 10\.96\.0\.11:53 answers$/);
  assert.match(lines[2]!, /\[fd00::10\]:53 is on lo; .* nobody answers/);
  assert.match(lines[3]!, /10\.96\.0\.10:53 .* kube-proxy leads it to its Service$/);
  assert.match(lines[4]!, /not tracked \(noTrack: on\)/);
});

test('a mode without rules says that nobody stands in', () => {
  const addresses = PLAN.addresses.map((address) => ({ ...address, failover: undefined }));
  const text = networkPlanLines({ ...PLAN, mode: 'interface', addresses }).join('\n');
  assert.match(text, /no rules.*nobody stands in/);
  assert.doesNotMatch(text, /answers$|tracked/m);
});
