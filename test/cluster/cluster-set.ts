import { setTimeout as sleep } from 'node:timers/promises';
import type { KubernetesApi, KubernetesObject } from './api.ts';
import { endpoint, endpointSlice, port } from './fixtures.ts';

const GROUP = 'multicluster.x-k8s.io';
const VERSION = 'v1alpha1';
const PORTS = [port('http', 80)];

/** ServiceImports (KEP-1645) as far as a cluster DNS reads them. */
const SERVICE_IMPORTS: KubernetesObject = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: {
    name: `serviceimports.${GROUP}`,
    annotations: { 'api-approved.kubernetes.io': 'https://github.com/kubernetes/enhancements/pull/1748' },
  },
  spec: {
    group: GROUP,
    scope: 'Namespaced',
    names: { plural: 'serviceimports', singular: 'serviceimport', kind: 'ServiceImport' },
    versions: [
      {
        name: VERSION,
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
};

/** What is imported into namespace `shop`: one with an address of the set, one headless with a pod in each of two clusters. */
const CLUSTER_SET: readonly KubernetesObject[] = [
  serviceImport('shop', 'web', { type: 'ClusterSetIP', ips: ['10.99.0.1', 'fd00:99::1'], ports: PORTS }),
  serviceImport('shop', 'db', { type: 'Headless', ports: PORTS }),
  importedSlice('shop', 'db', 'east', '10.200.1.1'),
  importedSlice('shop', 'db', 'west', '10.201.1.1'),
];

/** Creates the Services that a set of clusters shares, once the API server serves their kind, which it does some time after it has the definition. */
export async function createClusterSet(api: KubernetesApi): Promise<void> {
  await api.create(SERVICE_IMPORTS);
  const endMs = performance.now() + 30_000;
  const isServed = () =>
    api.get(`/apis/${GROUP}/${VERSION}/serviceimports`).then(
      () => true,
      () => false,
    );
  while (!(await isServed())) {
    if (performance.now() > endMs) throw new Error('The API server does not serve ServiceImports');
    await sleep(50);
  }
  for (const object of CLUSTER_SET) await api.create(object);
}

function serviceImport(namespace: string, name: string, spec: object): KubernetesObject {
  return { apiVersion: `${GROUP}/${VERSION}`, kind: 'ServiceImport', metadata: { name, namespace }, spec };
}

/** The slice of one member of the set: labels say of which Service and where. */
function importedSlice(namespace: string, name: string, cluster: string, address: string): KubernetesObject {
  const slice = endpointSlice(namespace, name, PORTS, [endpoint(address, { hostname: `${name}-0` })]);
  const labels = {
    'multicluster.kubernetes.io/service-name': name,
    'multicluster.kubernetes.io/source-cluster': cluster,
  };
  return { ...slice, metadata: { name: `${name}-${cluster}`, namespace, labels } };
}
