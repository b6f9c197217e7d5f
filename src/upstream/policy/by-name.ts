import type { PolicyName } from '../../config/config.ts';
import { Fastest } from './fastest.ts';
import type { Policy } from './policy.ts';
import { RandomPolicy } from './random.ts';
import { RoundRobin } from './round-robin.ts';
import { Sequential } from './sequential.ts';

/** All policies: a new one is a file, a line here and a test. */
const POLICIES: Record<PolicyName, (random: () => number) => Policy> = {
  random: (random) => new RandomPolicy(random),
  'round-robin': (random) => new RoundRobin(random),
  sequential: () => new Sequential(),
  fastest: (random) => new Fastest(random),
};

/** The policy that the configuration names; one for each zone, for some count. `random`: 0 to 1. */
export function policyByName(name: PolicyName, random: () => number): Policy {
  return POLICIES[name](random);
}
