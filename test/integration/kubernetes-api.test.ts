import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseAllDocuments } from 'yaml';
import { CLUSTER_DNS_SERVICES } from '../../src/config/service-names.ts';
import { monotonicClock } from '../../src/core/clock.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { ApiClient } from '../../src/kubernetes/api-client.ts';
import type { ApiObject } from '../../src/kubernetes/api-objects.ts';
import { Backoff } from '../../src/kubernetes/backoff.ts';
import { ClusterDns } from '../../src/kubernetes/cluster-dns.ts';
import { Collection } from '../../src/kubernetes/collection.ts';
import { inClusterAccess } from '../../src/kubernetes/in-cluster.ts';
import { kubeconfigAccess } from '../../src/kubernetes/kubeconfig.ts';
import { Kubernetes, podAddresses } from '../../src/kubernetes/kubernetes.ts';
import { Watch } from '../../src/kubernetes/watch.ts';
import type { KubernetesObject } from '../cluster/api.ts';
import { CLUSTER_PROGRAMS, type ControlPlane, startControlPlane } from '../cluster/control-plane.ts';
import { endpoint, endpointSlice, port, service } from '../cluster/fixtures.ts';
import { spawnAgent, startAgent } from '../servers/agent.ts';
import { CertificateAuthority } from '../servers/certificate-authority.ts';
import { skipWithout } from '../servers/programs.ts';

const skip = skipWithout(...CLUSTER_PROGRAMS);
const DNS_PORTS = [port('dns', 53, 'UDP'), port('dns-tcp', 53), port('metrics', 9153)];
const KUBE_DNS = { clusterIP: '10.96.0.10', ports: DNS_PORTS };
const ROLE = new URL('../../manifests/role.yaml', import.meta.url);

let cluster: ControlPlane;
let folder: string;

before(async () => {
  if (skip) return;
  folder = await mkdtemp(join(tmpdir(), 'signpost-kubernetes-'));
  const endpoints = [endpoint('10.244.0.2'), endpoint('10.244.0.3', { conditions: { ready: false, serving: false } })];
  cluster = await startControlPlane({ objects: service('kube-system', 'kube-dns', KUBE_DNS, endpoints) });
});

after(async () => {
  await cluster?.stop();
  if (folder) await rm(folder, { recursive: true, force: true });
});

/** A pod's service account, as kubelet mounts it. */
async function serviceAccount(name: string, token: string): Promise<{ path: string; env: Record<string, string> }> {
  const path = await mkdtemp(join(folder, `${name}-`));
  await writeFile(join(path, 'token'), `${token}\n`);
  await writeFile(join(path, 'ca.crt'), await readFile(cluster.caFile));
  const { hostname, port } = new URL(cluster.apiUrl);
  return { path, env: { KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port } };
}

async function clientOf(t: TestContext, account: { path: string; env: Record<string, string> }): Promise<ApiClient> {
  const client = new ApiClient((await inClusterAccess(account.env, account.path))!);
  t.after(() => client.close());
  return client;
}

function follow(t: TestContext, client: ApiClient): ClusterDns {
  const backoff = () => new Backoff({ firstMs: 10, mostMs: 200 });
  const parts = { client, clock: monotonicClock, log: silentLogger, services: CLUSTER_DNS_SERVICES, onChange() {} };
  const clusterDns = new ClusterDns({ ...parts, backoff });
  t.after(() => clusterDns.close());
  clusterDns.start();
  return clusterDns;
}

async function until(what: string, isSo: () => boolean): Promise<void> {
  for (let tries = 0; !isSo(); tries++) {
    if (tries > 3000) assert.fail(`not ${what}`);
    await sleep(10);
  }
}

const hosts = (clusterDns: ClusterDns): string =>
  podAddresses(clusterDns)
    .map(({ host, port }) => `${host}:${port}`)
    .join(' ');

/** Objects of the manifests that give the agent its rights, for the user of the tests. */
async function rights(): Promise<KubernetesObject[]> {
  const [role] = parseAllDocuments(await readFile(ROLE, 'utf8')).map((document) => document.toJS() as KubernetesObject);
  const { name, namespace } = role!.metadata;
  const binding = {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name, namespace: namespace! },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
    subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'signpost' }],
  };
  return [role!, binding];
}

test('without its Role the agent learns nothing and says so; with it, it wakes by itself; and it may do nothing else', {
  skip,
}, async (t) => {
  const client = await clientOf(t, await serviceAccount('role', cluster.agentToken));
  const clusterDns = follow(t, client);
  await until('refused', () => clusterDns.watch.trouble !== undefined);
  assert.equal(clusterDns.watch.trouble!.trouble, 'forbidden');
  assert.match(clusterDns.watch.trouble!.message, /User "signpost" cannot watch resource "endpointslices"/);
  const granted = await rights();
  for (const object of granted) await cluster.api.create(object);
  t.after(async () => {
    for (const object of granted) await cluster.api.delete(object);
  });
  await until('followed', () => clusterDns.watch.staleMs === 0 && clusterDns.endpoints.length > 0);
  assert.equal(hosts(clusterDns), '10.244.0.2:53');
  await until('known with its address', () => clusterDns.services.length === 1);
  assert.deepEqual(clusterDns.services, [
    { name: 'kube-system/kube-dns', addresses: [{ host: '10.96.0.10', port: 53 }] },
  ]);
  assert.equal(clusterDns.trouble, undefined);
  const forbidden = [
    '/api/v1/pods',
    '/api/v1/services',
    '/api/v1/namespaces/kube-system/services',
    '/api/v1/namespaces/kube-system/secrets',
    '/api/v1/namespaces/kube-system/configmaps/coredns',
    '/apis/discovery.k8s.io/v1/endpointslices',
    '/api/v1/nodes',
  ];
  for (const path of forbidden) {
    await assert.rejects(client.get('look', path), { code: 'ERR_KUBERNETES_FORBIDDEN' }, path);
  }
});

test('pods that come, go and are no longer ready are known as they are', { skip }, async (t) => {
  const clusterDns = follow(t, await clientOf(t, await serviceAccount('pods', cluster.adminToken)));
  await until('listed', () => hosts(clusterDns) === '10.244.0.2:53');
  const slice = (...endpoints: ReturnType<typeof endpoint>[]) =>
    endpointSlice('kube-system', 'kube-dns', DNS_PORTS, endpoints);
  const set = (...endpoints: ReturnType<typeof endpoint>[]) => cluster.api.patch(slice(), { endpoints });
  t.after(() => set(endpoint('10.244.0.2')));
  await set(endpoint('10.244.0.2'), endpoint('10.244.0.4'));
  await until('two', () => hosts(clusterDns) === '10.244.0.2:53 10.244.0.4:53');
  await set(endpoint('10.244.0.4'));
  await until('the other', () => hosts(clusterDns) === '10.244.0.4:53');
  await set(endpoint('10.244.0.4', { conditions: { ready: false, serving: true, terminating: true } }));
  await set();
  await until('gone', () => clusterDns.isEmpty);
  assert.equal(hosts(clusterDns), '10.244.0.4:53');
  assert.equal(clusterDns.watch.lists, 1);
});

test('an API server that goes away changes nothing, and is followed again when it is back', { skip }, async (t) => {
  const client = await clientOf(t, await serviceAccount('restart', cluster.adminToken));
  const clusterDns = follow(t, client);
  await until('listed', () => clusterDns.watch.staleMs === 0 && clusterDns.endpoints.length === 1);
  await cluster.restartApi(async () => {
    await until('missed', () => clusterDns.watch.trouble?.trouble === 'unreachable');
    assert.equal(hosts(clusterDns), '10.244.0.2:53');
    assert.ok(clusterDns.watch.staleMs! > 0);
  });
  const slice = endpointSlice('kube-system', 'kube-dns', DNS_PORTS, []);
  await cluster.api.patch(slice, { endpoints: [endpoint('10.244.0.5')] });
  t.after(() => cluster.api.patch(slice, { endpoints: [endpoint('10.244.0.2')] }));
  await until('followed again', () => clusterDns.watch.staleMs === 0 && hosts(clusterDns) === '10.244.0.5:53');
  assert.equal(clusterDns.trouble, undefined);
});

test('a token and an authority that are replaced are in force with the next request', { skip }, async (t) => {
  const account = await serviceAccount('rotation', cluster.adminToken);
  const client = await clientOf(t, account);
  const look = () => client.get<ApiObject>('get a Service', '/api/v1/namespaces/kube-system/services/kube-dns');
  assert.equal((await look()).metadata.name, 'kube-dns');
  await writeFile(join(account.path, 'token'), 'an old one');
  await assert.rejects(look(), { code: 'ERR_KUBERNETES_UNAUTHORIZED' });
  await writeFile(join(account.path, 'token'), cluster.adminToken);
  assert.equal((await look()).metadata.name, 'kube-dns');
  const ca = await readFile(cluster.caFile);
  await writeFile(join(account.path, 'ca.crt'), new CertificateAuthority().cert);
  await assert.rejects(look(), { code: 'ERR_KUBERNETES_UNREACHABLE', message: /certificate|issuer/ });
  await writeFile(join(account.path, 'ca.crt'), ca);
  assert.equal((await look()).metadata.name, 'kube-dns');
  await rm(join(account.path, 'token'));
  await assert.rejects(look(), { code: 'ERR_KUBERNETES_UNAUTHORIZED', message: /ENOENT.*the pod's service account/ });
});

test('a kubeconfig lets in, with its server checked or not', { skip }, async (t) => {
  const path = join(folder, 'kubeconfig');
  const config = {
    'current-context': 'here',
    clusters: [{ name: 'c', cluster: { server: cluster.apiUrl, 'certificate-authority': cluster.caFile } }],
    users: [{ name: 'u', user: { tokenFile: 'kubeconfig.token' } }],
    contexts: [{ name: 'here', context: { cluster: 'c', user: 'u' } }],
  };
  await writeFile(path, JSON.stringify(config));
  await writeFile(join(folder, 'kubeconfig.token'), cluster.adminToken);
  for (const file of [path, cluster.kubeconfig]) {
    const client = new ApiClient(await kubeconfigAccess(file));
    t.after(() => client.close());
    await client.get('get the namespace', '/api/v1/namespaces/default');
  }
});

test('objects can be followed by their metadata alone, in one request or in two', { skip }, async (t) => {
  const client = await clientOf(t, await serviceAccount('metadata', cluster.adminToken));
  const kind = { resource: 'services', path: '/api/v1/services', isMetadataOnly: true };
  const seen = new Set<string>();
  const names = new Collection<ApiObject, string>({
    read: (object) => {
      for (const key of Object.keys(object)) seen.add(key);
      return object.metadata.name;
    },
    onChange() {},
  });
  const watch = new Watch<ApiObject>(kind, names, {
    client,
    clock: monotonicClock,
    log: silentLogger,
    purpose: 'a test',
  });
  t.after(() => watch.close());
  watch.start();
  await until('listed', () => watch.isListed);
  assert.deepEqual([...names.values()].sort(), ['kube-dns', 'kubernetes']);
  const [added] = service('default', 'added', { clusterIP: 'None', ports: [port('http', 80)] });
  await cluster.api.create(added!);
  await until('told of it', () => names.size === 3);
  await cluster.api.delete(added!);
  await until('told that it went', () => names.size === 2);
  assert.deepEqual([...seen].sort(), ['apiVersion', 'kind', 'metadata']);
});

test('where nobody says where the cluster DNS is, the API does', { skip }, async () => {
  const env = { KUBE_DNS_SERVICE_HOST: '', KUBE_DNS_UPSTREAM_SERVICE_HOST: '' };
  const agent = await startAgent(['--kubernetes', cluster.kubeconfig, '--upstream', '127.0.0.1:9'], { env });
  const status = (await (await fetch(`${agent.adminUrl}/api/v1/status`)).json()) as {
    zones: { zone: string; upstreams: { address: string }[] }[];
  };
  await agent.stop();
  const zone = status.zones.find(({ zone }) => zone === 'cluster.local.');
  assert.deepEqual(
    zone!.upstreams.map(({ address }) => address),
    ['tcp://10.96.0.10:53'],
  );
});

test('a start that has nobody to say where the cluster DNS is fails with what the API said', { skip }, async () => {
  const env = { KUBE_DNS_SERVICE_HOST: '', KUBE_DNS_UPSTREAM_SERVICE_HOST: '' };
  const flags = ['--listen', '127.0.0.1:0', '--metrics', 'off', '--admin', 'off', '--kubernetes', cluster.kubeconfig];
  const missing = spawnAgent([...flags, '--cluster-dns-service', 'kube-system/coredns'], { env });
  assert.equal((await missing.exit).code, 2);
  assert.match(missing.output, /no Service kube-system\/coredns has an address \(--cluster-dns-service\)/);
  const text = (await readFile(cluster.kubeconfig, 'utf8')).replace(
    'current-context: admin',
    'current-context: signpost',
  );
  const path = join(folder, 'forbidden');
  await writeFile(path, text);
  const forbidden = spawnAgent([...flags.slice(0, -1), path], { env });
  assert.equal((await forbidden.exit).code, 2);
  assert.match(forbidden.output, /Cannot get the Service kube-system\/kube-dns.*: the API server answers 403/);
  assert.match(forbidden.output, /Cannot tell where the cluster DNS is \(--cluster-dns\)/);
});

test('what is off asks nothing', async () => {
  const parts = { clock: monotonicClock, log: silentLogger, env: {} };
  for (const setting of ['off', 'auto']) {
    const kubernetes = await Kubernetes.open(setting, parts);
    await kubernetes.followClusterDns(CLUSTER_DNS_SERVICES, () => assert.fail('followed'));
    assert.deepEqual(await kubernetes.readClusterDnsServices(CLUSTER_DNS_SERVICES), []);
    assert.deepEqual([kubernetes.isOn, kubernetes.clusterDns, kubernetes.reasons()], [false, undefined, []]);
    await kubernetes.close();
  }
});
