import { setTimeout as sleep } from 'node:timers/promises';
import { type ControlPlane, startControlPlane } from '../../test/cluster/control-plane.ts';
import { endpoint, endpointSlice, namespace, port, service } from '../../test/cluster/fixtures.ts';
import { ENCODINGS, openWatchers } from '../cluster/watchers.ts';
import { type Measure, OURS } from '../measure.ts';
import { childOf, cpuSeconds } from '../processes.ts';

const WATCHERS = 200;
const CHANGES = 300;
const CHANGES_PER_SECOND = 25;
/** What opening 200 connections costs is over by then. */
const SETTLE_MS = 3000;
const SIZES = [10, 100] as const;
const PORTS = [port('http', 80)];
const WEB = ['shop', 'web'] as const;

/** What a node that follows EndpointSlices costs the API server, by what it asks for: CPU and bytes a change, one of the slice's endpoints being ready or not. */
export async function watchers(): Promise<Measure[]> {
  const objects = [namespace('shop'), ...service(...WEB, { clusterIP: 'None', ports: PORTS }, endpointsOf(1, 0))];
  const plane = await startControlPlane({ objects });
  try {
    const measures: Measure[] = [];
    for (const size of SIZES) measures.push(...(await ofSize(plane, size)));
    return measures;
  } finally {
    await plane.stop();
  }
}

async function ofSize(plane: ControlPlane, size: number): Promise<Measure[]> {
  const apiServer = childOf(process.pid, 'kube-apiserver');
  const cpu: Record<string, number[]> = {};
  const bytes: Record<string, number[]> = {};
  const alone = await secondsWhileChanging(plane, apiServer, size);
  for (const [name, accept] of Object.entries(ENCODINGS)) {
    const watchers = await openWatchers(plane, accept, WATCHERS);
    await sleep(SETTLE_MS);
    watchers.bytes = 0;
    const seconds = await secondsWhileChanging(plane, apiServer, size);
    cpu[name] = [((seconds - alone) * 1e6) / CHANGES / WATCHERS];
    bytes[name] = [watchers.bytes / CHANGES / WATCHERS];
    watchers.close();
  }
  const [ours, ...others] = Object.keys(ENCODINGS);
  const samplesOf = (found: Record<string, number[]>) => ({
    [OURS]: found[ours!]!,
    ...Object.fromEntries(others.map((name) => [name, found[name]!])),
  });
  const what = `a change and watcher, slice of ${size} endpoints`;
  return [
    { name: `CPU of the API server ${what}`, unit: 'us', samples: samplesOf(cpu), goals: [] },
    { name: `bytes ${what}`, unit: 'B', samples: samplesOf(bytes), goals: [] },
  ];
}

async function secondsWhileChanging({ api }: ControlPlane, apiServer: number, size: number): Promise<number> {
  const before = cpuSeconds(apiServer);
  const begin = performance.now();
  for (let change = 0; change < CHANGES; change++) {
    await sleep(Math.max(0, begin + (change * 1000) / CHANGES_PER_SECOND - performance.now()));
    const endpoints = endpointsOf(size, change);
    await api.patch(endpointSlice(...WEB, PORTS, endpoints), { endpoints });
  }
  return cpuSeconds(apiServer) - before;
}

/** As a controller makes them, the first one ready in every other change. */
function endpointsOf(size: number, change: number) {
  return Array.from({ length: size }, (_, at) =>
    endpoint(`10.244.1.${at + 1}`, {
      conditions: { ready: at > 0 || change % 2 === 0, serving: true, terminating: false },
      nodeName: `node-with-a-name-${at}`,
      zone: 'zone-a',
      targetRef: { kind: 'Pod', namespace: 'shop', name: `web-5d9f8b7c6-${at}abcd` },
    }),
  );
}
