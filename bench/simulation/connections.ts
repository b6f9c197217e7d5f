import { seededRandom } from '../names.ts';
import { type AgentModel, ANSWER_SECONDS, FLEET } from './assumptions.ts';

const SECONDS = 600;
const NODES_SIMULATED = 50;

/**
 * Connections that a node holds to the cluster DNS, on the average: queries come as Poisson's law has it, each takes a connection that is free, the one used last, or
 * opens one, and one that nobody has used for `idleSeconds` is closed.
 */
export function connectionsOfNode(agent: AgentModel): number {
  if (agent.connections !== undefined) return agent.connections;
  const random = seededRandom();
  let sum = 0;
  for (let node = 0; node < NODES_SIMULATED; node++) sum += simulateNode(agent, random);
  return sum / NODES_SIMULATED;
}

function simulateNode({ idleSeconds, queriesPerThousandLookUps }: AgentModel, random: () => number): number {
  const perSecond = (lookUpsOfNode() * queriesPerThousandLookUps) / 1000;
  const free: number[] = [];
  let busy: number[] = [];
  let held = 0;
  let samples = 0;
  let now = 0;
  for (let nextSample = 1; now < SECONDS; ) {
    now += -Math.log(1 - random()) / perSecond;
    for (const end of busy) if (end <= now) free.push(end);
    busy = busy.filter((end) => end > now);
    while (free.length > 0 && free[0]! < now - idleSeconds) free.shift();
    free.sort((a, b) => a - b);
    free.pop();
    busy.push(now + (random() < ANSWER_SECONDS.slowPart ? ANSWER_SECONDS.slow : ANSWER_SECONDS.usual));
    for (; nextSample < now; nextSample++) {
      held += free.length + busy.length;
      samples++;
    }
  }
  return held / samples;
}

/** Look-ups of a node's pods in a second. */
export function lookUpsOfNode(): number {
  return (FLEET.pods / FLEET.nodes) * FLEET.lookUpsPerPodPerSecond;
}
