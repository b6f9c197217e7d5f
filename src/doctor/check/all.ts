import { agentCheck } from './agent.ts';
import { answersCheck } from './answers.ts';
import type { Check } from './check.ts';
import { clockCheck } from './clock.ts';
import { configurationCheck } from './configuration.ts';
import { conntrackCheck } from './conntrack.ts';
import { failoverCheck } from './failover.ts';
import { firewallCheck } from './firewall.ts';
import { interfaceCheck } from './interface.ts';
import { kubeletCheck } from './kubelet.ts';
import { limitsCheck } from './limits.ts';
import { nodeResolverCheck } from './node-resolver.ts';
import { nodeLocalCheck } from './nodelocal.ts';
import { podsCheck } from './pods.ts';
import { resourcesCheck } from './resources.ts';
import { rulesCheck } from './rules.ts';
import { stateCheck } from './state.ts';
import { switchCheck } from './switch.ts';
import { upstreamsCheck } from './upstreams.ts';

/** In the order of the report: what pods feel comes first. A new check is a file, and a line here. */
export const CHECKS: readonly Check[] = [
  configurationCheck,
  agentCheck,
  answersCheck,
  interfaceCheck,
  rulesCheck,
  switchCheck,
  failoverCheck,
  firewallCheck,
  nodeLocalCheck,
  upstreamsCheck,
  conntrackCheck,
  kubeletCheck,
  podsCheck,
  nodeResolverCheck,
  stateCheck,
  resourcesCheck,
  limitsCheck,
  clockCheck,
];
