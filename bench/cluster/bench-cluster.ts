import { type ControlPlane, startControlPlane } from '../../test/cluster/control-plane.ts';
import { namespace, pod, port, service } from '../../test/cluster/fixtures.ts';
import { type CoreDns, startCoreDns } from '../../test/servers/coredns.ts';
import { freePort } from '../servers/server.ts';
import { addressOf, NAMESPACES, namespaceOf, PODS, SERVICES } from './workload.ts';

/** The node that `test/cluster/fixtures.ts` places its pods on. */
export const NODE_NAME = 'node-1';

/** A real API server with the workload's Services and pods, and for each contestant a cluster DNS of its own, so that what each asks can be counted. */
export interface BenchCluster {
  readonly plane: ControlPlane;
  /** Ports of 127.0.0.1, as many as were asked for. */
  readonly clusterDns: readonly number[];
  /** Answers every name outside. */
  readonly outsidePort: number;
  /** Queries that came to one of these ports so far. */
  queries(port: number): Promise<number>;
}

export async function withBenchCluster<T>(contestants: number, use: (cluster: BenchCluster) => Promise<T>): Promise<T> {
  const plane = await startControlPlane({ objects: workloadObjects() });
  let dns: CoreDns | undefined;
  try {
    const [outsidePort, metricsPort] = [await freePort(), await freePort()];
    const clusterDns: number[] = [];
    for (let index = 1; index < contestants; index++) clusterDns.push(await freePort());
    dns = await startCoreDns({
      corefile: (first) => corefile([first, ...clusterDns], outsidePort, metricsPort, plane.kubeconfig),
      readyName: 'kubernetes.default.svc.cluster.local',
    });
    clusterDns.unshift(dns.port);
    const queries = (port: number): Promise<number> => requestsOf(metricsPort, port);
    return await use({ plane, clusterDns, outsidePort, queries });
  } finally {
    await dns?.stop();
    await plane.stop();
  }
}

function workloadObjects() {
  return [
    ...NAMESPACES.map(namespace),
    ...NAMESPACES.flatMap((name) => SERVICES.flatMap((each) => service(name, each, { ports: [port('http', 80)] }))),
    ...Array.from({ length: PODS }, (_, index) => pod(namespaceOf(index), `pod-${index}`, addressOf(index))),
  ];
}

function corefile(ports: readonly number[], outsidePort: number, metricsPort: number, kubeconfig: string): string {
  const cluster = ports.map(
    (port) => `.:${port} {
  bind 127.0.0.1
  prometheus 127.0.0.1:${metricsPort}
  kubernetes cluster.local in-addr.arpa ip6.arpa {
    kubeconfig ${kubeconfig} admin
    pods insecure
    ttl 30
  }
}
`,
  );
  return `${cluster.join('')}.:${outsidePort} {
  bind 127.0.0.1
  template IN A . {
    answer "{{ .Name }} 300 IN A 192.0.2.1"
  }
  template IN ANY . {
    authority "{{ .Zone }} 300 IN SOA ns.invalid. admin.invalid. 1 7200 1800 86400 300"
  }
}
`;
}

async function requestsOf(metricsPort: number, port: number): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
  let sum = 0;
  for (const line of text.split('\n')) {
    if (line.startsWith('coredns_dns_requests_total{') && line.includes(`:${port}"`))
      sum += Number(line.split(' ').at(-1));
  }
  return sum;
}
