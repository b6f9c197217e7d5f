import { startFaultyPath } from '../../test/servers/faulty-path.ts';
import type { Bench } from '../bench.ts';
import { firstAnswer } from '../first-answer.ts';
import { type Measure, OURS } from '../measure.ts';
import type { BenchCluster } from './bench-cluster.ts';
import { COMPLETE, type Contestant, NODELOCAL } from './contestants.ts';
import { StubResolver } from './stub-resolver.ts';
import { addressOf, searchOf } from './workload.ts';

/** From the agent to cluster DNS or outside, and back. */
const ROUND_TRIP_MS = 5;
const LOOK_UPS = 300;
const POD = 0;

/** How long a pod waits for an outside name that nobody has looked up before, with 5 ms to whoever is asked. */
export async function coldLookUps(bench: Bench, cluster: BenchCluster): Promise<Measure> {
  const [theirs, ours] = [await meanMs(bench, cluster, NODELOCAL), await meanMs(bench, cluster, COMPLETE)];
  return {
    name: 'mean time of a cold outside look-up, complete',
    unit: 'ms',
    samples: { [OURS]: [ours], coredns: [theirs] },
    goals: [{ against: 'coredns', bound: 'at most', value: 0.35 }],
  };
}

async function meanMs(
  bench: Bench,
  { clusterDns, outsidePort, plane }: BenchCluster,
  contestant: Contestant,
): Promise<number> {
  const behind = [clusterDns[0]!, outsidePort].map((port) => ({ host: '127.0.0.1', port }));
  const [dns, outside] = await Promise.all(behind.map(startFaultyPath));
  dns!.delayMs = outside!.delayMs = ROUND_TRIP_MS;
  const running = await contestant.start(bench, {
    clusterDns: dns!.port,
    outside: outside!.port,
    kubeconfig: plane.kubeconfig,
  });
  try {
    await firstAnswer(running.port, 'kubernetes.default.svc.cluster.local');
    const pod = await StubResolver.open(addressOf(POD), running.port, searchOf(POD));
    return await meanOf(pod).finally(() => pod.close());
  } finally {
    await running.stop();
    dns!.stop();
    outside!.stop();
  }
}

async function meanOf(pod: StubResolver): Promise<number> {
  let sumMs = 0;
  // The first ones find connections and what is learnt of the cluster not yet there.
  for (let index = -LOOK_UPS; index < LOOK_UPS; index++) {
    const { elapsedMs, hasAddress } = await pod.lookUp(`www.cold${index}.com`);
    if (!hasAddress) throw new Error(`Cannot measure cold look-ups: www.cold${index}.com has no address`);
    if (index >= 0) sumMs += elapsedMs;
  }
  return sumMs / LOOK_UPS;
}
