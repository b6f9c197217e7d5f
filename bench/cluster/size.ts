import { setTimeout as sleep } from 'node:timers/promises';
import type { KubernetesApi, KubernetesObject } from '../../test/cluster/api.ts';
import { endpoint, endpointSlice, namespace, port, service } from '../../test/cluster/fixtures.ts';
import type { Bench } from '../bench.ts';
import { firstAnswer } from '../first-answer.ts';
import { type Measure, OURS } from '../measure.ts';
import { anonymousMegabytes, cpuSeconds } from '../processes.ts';
import type { BenchCluster } from './bench-cluster.ts';
import { COMPLETE_WITH_LEASE, type Contestant, LOCAL_WITHOUT_API } from './contestants.ts';

const SERVICES = 10_000;
const ENDPOINTS_A_SERVICE = 10;
const SERVICES_A_NAMESPACE = 100;
const AT_ONCE = 16;
const EVENTS_PER_SECOND = 50;
const EVENT_SECONDS = 20;
const SETTLE_MS = 20_000;
const HTTP = [port('http', 80)];

/** What a large cluster costs an agent that knows it: memory, and CPU while it changes. */
export async function size(bench: Bench, cluster: BenchCluster): Promise<Measure[]> {
  const { api } = cluster.plane;
  await fill(api);
  const without = await atRest(bench, cluster, LOCAL_WITHOUT_API, async () => 0);
  const withApi = await atRest(bench, cluster, COMPLETE_WITH_LEASE, (pid) => percentWhileChanging(api, pid));
  return [
    {
      name: `memory for ${SERVICES} Services with ${SERVICES * ENDPOINTS_A_SERVICE} endpoints`,
      unit: 'MB',
      samples: { [OURS]: [withApi.megabytes - without.megabytes] },
      goals: [{ against: undefined, bound: 'at most', value: 25 }],
    },
    {
      name: `CPU at ${EVENTS_PER_SECOND} changes a second`,
      unit: '% of a core',
      samples: { [OURS]: [withApi.percent] },
      goals: [{ against: undefined, bound: 'at most', value: 2 }],
    },
  ];
}

async function fill(api: KubernetesApi): Promise<void> {
  const indexes = Array.from({ length: SERVICES }, (_, index) => index);
  await inParallel(
    indexes.filter((index) => index % SERVICES_A_NAMESPACE === 0),
    (index) => api.create(namespace(namespaceOf(index))),
  );
  await inParallel(indexes, async (index) => {
    await api.create(service(namespaceOf(index), `service-${index}`, { ports: HTTP })[0]!);
    await api.create(sliceOf(index, 0));
  });
}

async function atRest(
  bench: Bench,
  { plane, clusterDns, outsidePort: outside }: BenchCluster,
  contestant: Contestant,
  then: (pid: number) => Promise<number>,
) {
  const running = await contestant.start(bench, { clusterDns: clusterDns[0]!, outside, kubeconfig: plane.kubeconfig });
  try {
    await firstAnswer(running.port, 'kubernetes.default.svc.cluster.local', 60_000);
    await sleep(SETTLE_MS);
    const megabytes = anonymousMegabytes(running.pid);
    return { megabytes, percent: await then(running.pid) };
  } finally {
    await running.stop();
  }
}

async function percentWhileChanging(api: KubernetesApi, pid: number): Promise<number> {
  const before = cpuSeconds(pid);
  const begin = performance.now();
  const underWay: Promise<void>[] = [];
  for (let event = 0; event < EVENTS_PER_SECOND * EVENT_SECONDS; event++) {
    await sleep(Math.max(0, begin + (event * 1000) / EVENTS_PER_SECOND - performance.now()));
    const slice = sliceOf(event % SERVICES, event + 1);
    underWay.push(api.patch(slice, { endpoints: slice['endpoints'] }));
  }
  await Promise.all(underWay);
  return ((cpuSeconds(pid) - before) * 100) / ((performance.now() - begin) / 1000);
}

function sliceOf(index: number, change: number): KubernetesObject {
  const endpoints = Array.from({ length: ENDPOINTS_A_SERVICE }, (_, at) => {
    const number = index * ENDPOINTS_A_SERVICE + at;
    const address = `10.${128 + (number >> 16)}.${(number >> 8) & 255}.${number & 255}`;
    return endpoint(address, { hostname: `pod-${at}-${change}`, nodeName: `node-${number % 500}` });
  });
  return endpointSlice(namespaceOf(index), `service-${index}`, HTTP, endpoints);
}

function namespaceOf(index: number): string {
  return `large-${Math.floor(index / SERVICES_A_NAMESPACE)}`;
}

async function inParallel(indexes: readonly number[], make: (index: number) => Promise<void>): Promise<void> {
  const left = indexes.values();
  const work = async (): Promise<void> => {
    for (const index of left) await make(index);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}
