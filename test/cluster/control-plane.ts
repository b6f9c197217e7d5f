import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Server } from '../client/ask.ts';
import { Child } from '../servers/child.ts';
import { type CoreDns, startCoreDns } from '../servers/coredns.ts';
import { freePort } from '../servers/free-port.ts';
import { program } from '../servers/programs.ts';
import { KubernetesApi, type KubernetesObject } from './api.ts';
import { createClusterSet } from './cluster-set.ts';

/** What `startControlPlane` runs, for `skipWithout`. */
export const CLUSTER_PROGRAMS = ['etcd', 'kube-apiserver', 'coredns'] as const;

const ADMIN_TOKEN = 'admin-token';

/** User `signpost` may do nothing until a test gives it a role: so a manifest's RBAC can be proved. */
const AGENT_TOKEN = 'agent-token';

export interface ControlPlane {
  readonly apiUrl: string;
  readonly adminToken: string;
  readonly agentToken: string;
  /** A kubeconfig file of the administrator. */
  readonly kubeconfig: string;
  /** A file with the authority that the API server's certificate is from. */
  readonly caFile: string;
  readonly clusterDns: Server;
  /** Calls as administrator. */
  readonly api: KubernetesApi;
  /** Ends the API server as a crash would, and starts it again with the same data; `whileAway` runs in between. */
  restartApi(whileAway: () => Promise<void>): Promise<void>;
  stop(): Promise<void>;
}

export interface ControlPlaneOptions {
  /** Created before CoreDNS starts, so that its first answer knows them. */
  readonly objects?: readonly KubernetesObject[];
  /** Further lines of CoreDNS's server block, such as `forward . 127.0.0.1:5301`. */
  readonly corefileLines?: readonly string[];
  /** A further zone of its kubernetes plugin, that of a set of clusters, with the Services of cluster-set.ts. Namespace `shop` is among `objects`. */
  readonly clusterSetZone?: string;
  /** Where CoreDNS answers besides, on port 53: addresses of a network that the test has for itself. */
  readonly dnsAddresses?: readonly string[];
  /** How long CoreDNS lets its answers live; 30 s where not given. */
  readonly answerSeconds?: number;
  /** Where Services get their addresses; two of two families make a dual-stack cluster. */
  readonly serviceRanges?: readonly string[];
}

/**
 * A real etcd, API server and CoreDNS with the kubernetes plugin, on free ports of loopback, with no data of an earlier run.
 * No controllers and no kubelet: EndpointSlices and pods' states are the test's to write. Takes about 6 s.
 */
export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const { objects = [], clusterSetZone, serviceRanges = ['10.96.0.0/16'] } = options;
  const folder = await mkdtemp(join(tmpdir(), 'signpost-cluster-'));
  const [etcdPort, peerPort, apiPort] = [await freePort(), await freePort(), await freePort()];
  const apiUrl = `https://127.0.0.1:${apiPort}`;
  const kubeconfig = join(folder, 'kubeconfig');
  await writeFile(kubeconfig, kubeconfigOf(apiUrl));
  const etcd = new Child(program('etcd'), etcdArguments(folder, etcdPort, peerPort), { cwd: folder });
  const api = new KubernetesApi(apiUrl, ADMIN_TOKEN);
  await prepareApiServer(folder);
  const startApi = () => startApiServer(folder, etcdPort, apiPort, { serviceRanges, api });
  let apiServer: Child | undefined;
  let dns: CoreDns | undefined;
  const stop = async () => {
    await dns?.stop();
    // Kept data is of no use: no need to wait for an orderly end.
    const children = [...(apiServer ? [apiServer] : []), etcd];
    for (const child of children) child.kill('SIGKILL');
    await Promise.all(children.map(({ exit }) => exit));
    await rm(folder, { recursive: true, force: true });
  };
  try {
    apiServer = await startApi();
    for (const object of objects) await api.create(object);
    if (clusterSetZone !== undefined) await createClusterSet(api);
    dns = await startCoreDns({
      corefile: (port) => corefile(port, kubeconfig, options),
      readyName: 'kubernetes.default.svc.cluster.local',
    });
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    apiUrl,
    kubeconfig,
    api,
    adminToken: ADMIN_TOKEN,
    agentToken: AGENT_TOKEN,
    caFile: join(folder, 'certificates', 'apiserver.crt'),
    clusterDns: { host: dns.host, port: dns.port },
    async restartApi(whileAway) {
      apiServer!.kill('SIGKILL');
      await apiServer!.exit;
      await whileAway();
      apiServer = await startApi();
    },
    stop,
  };
}

function etcdArguments(folder: string, port: number, peerPort: number): string[] {
  const [client, peer] = [`http://127.0.0.1:${port}`, `http://127.0.0.1:${peerPort}`];
  return [
    `--data-dir=${join(folder, 'etcd')}`,
    '--unsafe-no-fsync',
    '--log-level=error',
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=default=${peer}`,
  ];
}

/** Where the API server finds its key for service accounts, and who has which token. */
const KEY_FILE = 'service-account.key';
const TOKENS_FILE = 'tokens.csv';

async function prepareApiServer(folder: string): Promise<void> {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  await writeFile(join(folder, KEY_FILE), privateKey.export({ type: 'pkcs1', format: 'pem' }));
  const tokens = `${ADMIN_TOKEN},admin,admin,system:masters\n${AGENT_TOKEN},signpost,signpost,\n`;
  await writeFile(join(folder, TOKENS_FILE), tokens);
}

interface ApiServerOptions {
  readonly serviceRanges: readonly string[];
  /** Calls of the administrator. */
  readonly api: KubernetesApi;
}

/** Resolves when it serves. */
async function startApiServer(
  folder: string,
  etcdPort: number,
  port: number,
  { serviceRanges, api }: ApiServerOptions,
): Promise<Child> {
  const args = [
    `--etcd-servers=http://127.0.0.1:${etcdPort}`,
    '--bind-address=127.0.0.1',
    '--advertise-address=127.0.0.1',
    `--secure-port=${port}`,
    `--cert-dir=${join(folder, 'certificates')}`,
    `--service-cluster-ip-range=${serviceRanges.join(',')}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${join(folder, KEY_FILE)}`,
    `--service-account-signing-key-file=${join(folder, KEY_FILE)}`,
    `--token-auth-file=${join(folder, TOKENS_FILE)}`,
    '--authorization-mode=RBAC',
    // Pods are made without the controller that makes their service accounts.
    '--disable-admission-plugins=ServiceAccount',
  ];
  const apiServer = new Child(program('kube-apiserver'), args, { cwd: folder });
  await apiServer.waitUntil('ready', () => api.isReady(), 60_000);
  await apiServer.waitUntil('serving the default namespace', () =>
    api.get('/api/v1/namespaces/default').then(
      () => true,
      () => false,
    ),
  );
  return apiServer;
}

function kubeconfigOf(apiUrl: string): string {
  return `apiVersion: v1
kind: Config
clusters: [{name: tests, cluster: {server: "${apiUrl}", insecure-skip-tls-verify: true}}]
users: [{name: admin, user: {token: ${ADMIN_TOKEN}}}, {name: signpost, user: {token: ${AGENT_TOKEN}}}]
contexts: [{name: admin, context: {cluster: tests, user: admin}}, {name: signpost, context: {cluster: tests, user: signpost}}]
current-context: admin
`;
}

function corefile(port: number, kubeconfig: string, options: ControlPlaneOptions): string {
  const { corefileLines = [], dnsAddresses = [], clusterSetZone, answerSeconds = 30 } = options;
  const zones = ['cluster.local', ...(clusterSetZone ? [clusterSetZone] : []), 'in-addr.arpa', 'ip6.arpa'];
  return `.:${port}${dnsAddresses.length > 0 ? ' .:53' : ''} {
  bind ${['127.0.0.1', ...dnsAddresses].join(' ')}
  errors
  kubernetes ${zones.join(' ')} {
    kubeconfig ${kubeconfig} admin
    pods insecure
    fallthrough in-addr.arpa ip6.arpa
    ttl ${answerSeconds}
${clusterSetZone ? `    multicluster ${clusterSetZone}\n` : ''}  }
${corefileLines.map((line) => `  ${line}\n`).join('')}}
`;
}
