import { setTimeout as sleep } from 'node:timers/promises';
import type { Bench } from '../bench.ts';
import { firstAnswer } from '../first-answer.ts';
import { type Measure, OURS } from '../measure.ts';
import type { Running } from '../servers/server.ts';
import type { BenchCluster } from './bench-cluster.ts';
import { COMPLETE_WITH_LEASE, type Contestant, LOCAL, LOCAL_WITHOUT_API, NODELOCAL } from './contestants.ts';
import { StubResolver } from './stub-resolver.ts';
import { addressOf, LOOK_UPS_PER_SECOND, lookUps, PODS, searchOf } from './workload.ts';

const MINUTE_MS = 60_000;

/** What the pods of one node cost the cluster DNS, and themselves: all contestants beside each other, each with a cluster DNS of its own, and the same look-ups. */
export async function searchPath(
  bench: Bench,
  cluster: BenchCluster,
  contestants: readonly Contestant[],
): Promise<Measure[]> {
  const runs = await Promise.all(contestants.map((contestant, index) => Run.start(bench, cluster, contestant, index)));
  try {
    const first = await Promise.all(runs.map((run) => run.minute()));
    const of = (wanted: Contestant): Minute => first[contestants.indexOf(wanted)]!;
    const steady = await runs[contestants.indexOf(COMPLETE_WITH_LEASE)]!.minute();
    const perThousand = ({ queries, lookedUp }: Minute): number => (queries * 1000) / lookedUp;
    const against = (name: string, ours: Minute, value: number): Measure => ({
      name: `queries to the cluster DNS for 1,000 look-ups, ${name}`,
      unit: 'queries',
      samples: { [OURS]: [perThousand(ours)], coredns: [perThousand(of(NODELOCAL))] },
      goals: [{ against: 'coredns', bound: 'at most', value }],
    });
    return [
      against('local, with the watch', of(LOCAL), 0.15),
      against('local, without the API', of(LOCAL_WITHOUT_API), 0.5),
      against('complete with leases, second minute', steady, 0.02),
      {
        name: 'queries of a pod for one look-up, complete',
        unit: 'queries',
        samples: { [OURS]: [steady.sent / steady.lookedUp], coredns: [of(NODELOCAL).sent / of(NODELOCAL).lookedUp] },
        goals: [],
      },
      {
        name: '... for one outside look-up',
        unit: 'queries',
        samples: {
          [OURS]: [steady.sentOutside / steady.lookedUpOutside],
          coredns: [of(NODELOCAL).sentOutside / of(NODELOCAL).lookedUpOutside],
        },
        goals: [{ against: undefined, bound: 'at most', value: 2 }],
      },
      {
        name: '... look-ups without an address',
        unit: 'look-ups',
        samples: { [OURS]: [...first, steady].map(({ failed }) => failed), coredns: [of(NODELOCAL).failed] },
        goals: [{ against: undefined, bound: 'at most', value: 0 }],
      },
    ];
  } finally {
    await Promise.all(runs.map((run) => run.stop()));
  }
}

interface Minute {
  lookedUp: number;
  lookedUpOutside: number;
  sent: number;
  sentOutside: number;
  failed: number;
  /** That the cluster DNS received. */
  queries: number;
}

/** One contestant with its pods. */
class Run {
  readonly #cluster: BenchCluster;
  readonly #clusterDns: number;
  readonly #running: Running;
  readonly #pods: readonly StubResolver[];
  readonly #lookUps = lookUps();

  static async start(bench: Bench, cluster: BenchCluster, contestant: Contestant, index: number): Promise<Run> {
    const clusterDns = cluster.clusterDns[index]!;
    const { outsidePort: outside, plane } = cluster;
    const running = await contestant.start(bench, { clusterDns, outside, kubeconfig: plane.kubeconfig });
    await firstAnswer(running.port, 'kubernetes.default.svc.cluster.local');
    // What it has to learn from the API is there.
    await sleep(SETTLE_MS);
    const pods = await Promise.all(
      Array.from({ length: PODS }, (_, pod) => StubResolver.open(addressOf(pod), running.port, searchOf(pod))),
    );
    return new Run(cluster, clusterDns, running, pods);
  }

  private constructor(cluster: BenchCluster, clusterDns: number, running: Running, pods: readonly StubResolver[]) {
    this.#cluster = cluster;
    this.#clusterDns = clusterDns;
    this.#running = running;
    this.#pods = pods;
  }

  async minute(): Promise<Minute> {
    const minute: Minute = { lookedUp: 0, lookedUpOutside: 0, sent: 0, sentOutside: 0, failed: 0, queries: 0 };
    const before = await this.#cluster.queries(this.#clusterDns);
    const begin = performance.now();
    const underWay: Promise<void>[] = [];
    for (let begun = 0; performance.now() - begin < MINUTE_MS; begun++) {
      await sleep(Math.max(0, begin + (begun * 1000) / LOOK_UPS_PER_SECOND - performance.now()));
      underWay.push(this.#lookUp(minute));
    }
    await Promise.all(underWay);
    minute.queries = (await this.#cluster.queries(this.#clusterDns)) - before;
    return minute;
  }

  async stop(): Promise<void> {
    for (const pod of this.#pods) pod.close();
    await this.#running.stop();
  }

  async #lookUp(minute: Minute): Promise<void> {
    const { pod, name, isOutside } = this.#lookUps.next().value;
    const { packets, hasAddress } = await this.#pods[pod]!.lookUp(name);
    minute.lookedUp++;
    minute.sent += packets;
    if (!hasAddress) minute.failed++;
    if (!isOutside) return;
    minute.lookedUpOutside++;
    minute.sentOutside += packets;
  }
}

const SETTLE_MS = 3000;
