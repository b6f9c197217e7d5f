import { setTimeout as sleep } from 'node:timers/promises';
import { ask } from '../../test/client/ask.ts';
import { endpoint, endpointSlice, port, service } from '../../test/cluster/fixtures.ts';
import type { Bench } from '../bench.ts';
import { firstAnswer } from '../first-answer.ts';
import { type Measure, OURS } from '../measure.ts';
import type { BenchCluster } from './bench-cluster.ts';
import { LOCAL } from './contestants.ts';
import { NAMESPACES } from './workload.ts';

const CHANGES = 200;
const NEW_SERVICES = 50;
const NAMESPACE = NAMESPACES[0]!;
const HTTP = [port('http', 80)];
const NAME = `moving.${NAMESPACE}.svc.cluster.local`;
/** Between two changes, so that each finds everything at rest: an answer just after a change is not kept long. */
const PAUSE_MS = 100;
/** Longer than any answer lives: the change was never heard of. */
const MOST_MS = 60_000;
/** A name that is asked often is one that a change must reach first. */
const POPULAR = 5;

/** How long after a change in the API pods get the new answer. */
export async function changes(
  bench: Bench,
  { plane, clusterDns, outsidePort: outside }: BenchCluster,
): Promise<Measure[]> {
  for (const object of service(NAMESPACE, 'moving', { clusterIP: 'None', ports: HTTP }, [endpoint(addressAt(0))]))
    await plane.api.create(object);
  const running = await LOCAL.start(bench, { clusterDns: clusterDns[0]!, outside, kubeconfig: plane.kubeconfig });
  try {
    await firstAnswer(running.port, NAME);
    const server = { host: '127.0.0.1', port: running.port };
    const changed: number[] = [];
    for (let change = 1; change <= CHANGES; change++) {
      for (let asked = 0; asked < POPULAR; asked++) await ask(server, { name: NAME, type: 'A' });
      await sleep(PAUSE_MS);
      const begin = performance.now();
      const slice = endpointSlice(NAMESPACE, 'moving', HTTP, [endpoint(addressAt(change))]);
      const patched = plane.api.patch(slice, { endpoints: slice['endpoints'] });
      await until(async () => addressesOf(await ask(server, { name: NAME, type: 'A' })) === hex(addressAt(change)));
      changed.push(performance.now() - begin);
      await patched;
    }
    const appeared: number[] = [];
    for (let index = 0; index < NEW_SERVICES; index++) {
      const name = `${NAMESPACE}-new-${index}`;
      const question = { name: `${name}.${NAMESPACE}.svc.cluster.local`, type: 'A' };
      for (let asked = 0; asked < POPULAR; asked++) await ask(server, question);
      await sleep(PAUSE_MS);
      const begin = performance.now();
      const created = plane.api.create(service(NAMESPACE, name, { ports: HTTP })[0]!);
      await until(async () => (await ask(server, question)).answers.length > 0);
      appeared.push(performance.now() - begin);
      await created;
    }
    return [
      measure(
        'from a PATCH of endpoints to the new answer, cached name, 200 changes: p50',
        percentile(changed, 0.5),
        100,
      ),
      measure('... p99', percentile(changed, 0.99), 300),
      measure('from a new Service to its answer, its NXDOMAIN cached, 50 of them: p50', percentile(appeared, 0.5)),
      measure('... the longest', Math.max(...appeared), 300),
    ];
  } finally {
    await running.stop();
  }
}

function measure(name: string, value: number, goal?: number): Measure {
  const goals = goal === undefined ? [] : [{ against: undefined, bound: 'at most' as const, value: goal }];
  return { name, unit: 'ms', samples: { [OURS]: [value] }, goals };
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  const endMs = performance.now() + MOST_MS;
  while (!(await isSo())) {
    if (performance.now() > endMs) throw new Error(`Cannot measure changes: one is not answered after ${MOST_MS} ms`);
    await sleep(1);
  }
}

function addressAt(change: number): string {
  return `10.244.0.${change + 1}`;
}

function hex(address: string): string {
  return Buffer.from(address.split('.').map(Number)).toString('hex');
}

function addressesOf({ answers }: Awaited<ReturnType<typeof ask>>): string {
  return answers.map(({ data }) => data).join(' ');
}

function percentile(samples: readonly number[], part: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))]!;
}
