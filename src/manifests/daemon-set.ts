import { dirname } from 'node:path/posix';
import { DEFAULTS } from '../config/flags.ts';
import { formatSocketAddress } from '../config/socket-address.ts';
import { Manifest, type Way } from './manifest.ts';
import type { ManifestPlan } from './manifest-plan.ts';
import { memoryLimitMiB, memoryRequestMiB } from './memory-limit.ts';
import type { Label } from './node-label.ts';

const POD: Way = ['spec', 'template', 'spec'];
const AGENT: Way = [...POD, 'containers', 0];
const CAPABILITIES: Way = [...AGENT, 'securityContext', 'capabilities', 'add'];
const NODE_TERMS: Way = [
  ...POD,
  'affinity',
  'nodeAffinity',
  'requiredDuringSchedulingIgnoredDuringExecution',
  'nodeSelectorTerms',
  0,
  'matchExpressions',
];

/** Which of several DaemonSets, and where it runs. */
interface NodeSet {
  readonly name: string;
  readonly image: string;
  /** Nodes must have these labels, and must not have those. */
  readonly on: readonly Label[];
  readonly notOn: readonly Label[];
}

/** One DaemonSet, or the two that share the nodes while a canary is tried. */
export function daemonSets(plan: ManifestPlan): Manifest[] {
  const { image, canary } = plan;
  const on = plan.nodes === undefined ? [] : [plan.nodes];
  if (canary === undefined) return [daemonSet(plan, { name: 'signpost', image, on, notOn: [] })];
  return [
    daemonSet(plan, { name: 'signpost', image, on, notOn: [canary] }),
    daemonSet(plan, { name: 'signpost-canary', image: canary.image, on: [...on, canary], notOn: [] }),
  ];
}

/** Takes everything of ours out of the network of every node, once, and then does nothing until it is deleted. */
export function teardownDaemonSet(plan: ManifestPlan): Manifest {
  const on = plan.nodes === undefined ? [] : [plan.nodes];
  const manifest = daemonSet(plan, { name: 'signpost-teardown', image: plan.image, on, notOn: [] });
  const { securityContext, volumeMounts } = manifest.valueAt(AGENT) as Record<string, unknown>;
  for (const key of ['args', 'env', 'startupProbe', 'readinessProbe', 'livenessProbe', 'volumeMounts', 'resources']) {
    manifest.remove([...AGENT, key]);
  }
  const resources = { requests: { cpu: '10m', memory: '32Mi' }, limits: { memory: '192Mi' } };
  return (
    manifest
      .comment(
        'To be applied when the DaemonSet of the agent is deleted and no pod needs its addresses any more. Wait for the roll-out, then delete it.',
      )
      // It sees an agent that still runs, and waits until that has gone.
      .set([...POD, 'hostPID'], true)
      .remove(['spec', 'minReadySeconds'])
      .remove(['spec', 'updateStrategy'])
      .remove([...POD, 'serviceAccountName'])
      .set([...POD, 'automountServiceAccountToken'], false)
      .set([...POD, 'terminationGracePeriodSeconds'], 1)
      .remove(['spec', 'template', 'metadata', 'annotations'])
      .removeNamed([...POD, 'volumes'], 'config')
      .set(
        [...POD, 'initContainers'],
        [
          {
            name: 'teardown',
            image: plan.image,
            args: ['teardown', ...teardownArguments(plan)],
            resources,
            securityContext,
            volumeMounts: (volumeMounts as { name: string }[]).filter(({ name }) => name !== 'config'),
          },
        ],
      )
      .set([...AGENT, 'command'], ['sleep', 'infinity'])
      .set([...AGENT, 'resources'], { requests: { cpu: '1m', memory: '4Mi' }, limits: { memory: '16Mi' } })
      .set([...AGENT, 'securityContext'], {
        runAsUser: 0,
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      })
  );
}

function teardownArguments({ serve: { config } }: ManifestPlan): string[] {
  const { interface: link } = config.nodeNetwork;
  return [
    ...(link === DEFAULTS.interface ? [] : [`--interface=${link}`]),
    ...config.listen.map((address) => `--listen=${formatSocketAddress(address)}`),
  ];
}

function daemonSet(plan: ManifestPlan, { name, image, on, notOn }: NodeSet): Manifest {
  const { serve } = plan;
  const { cacheBytes, state } = serve.config;
  const manifest = Manifest.load('daemon-set')
    .set(['metadata', 'name'], name)
    .set(['metadata', 'namespace'], plan.namespace)
    .set([...AGENT, 'image'], image)
    .append([...AGENT, 'args'], ...serve.args)
    .set(['spec', 'updateStrategy', 'rollingUpdate', 'maxSurge'], plan.maxSurge)
    .set([...POD, 'terminationGracePeriodSeconds'], graceSeconds(serve.config.lameduckMs))
    .set([...AGENT, 'resources', 'requests', 'memory'], `${memoryRequestMiB(cacheBytes)}Mi`)
    .set([...AGENT, 'resources', 'limits', 'memory'], `${memoryLimitMiB(cacheBytes, state)}Mi`)
    .append(NODE_TERMS, ...on.map(({ key, value }) => ({ key, operator: 'In', values: [value] })))
    .append(NODE_TERMS, ...notOn.map(({ key, value }) => ({ key, operator: 'NotIn', values: [value] })));
  for (const labels of [
    ['spec', 'selector', 'matchLabels'],
    ['spec', 'template', 'metadata', 'labels'],
  ]) {
    manifest.set([...labels, 'app.kubernetes.io/instance'], name);
  }
  if (plan.proxy === 'cilium') onNetworkOfItsOwn(manifest);
  else onHostNetwork(manifest, plan);
  mountState(manifest, state);
  mountResolvConf(manifest, serve.config.resolvConf);
  if (serve.config.kubernetes === 'off') manifest.set([...POD, 'automountServiceAccountToken'], false);
  // The ServiceMonitor finds the pods; annotations would have them asked twice.
  if (plan.hasMonitoring) manifest.remove(['spec', 'template', 'metadata', 'annotations']);
  else manifest.set(['spec', 'template', 'metadata', 'annotations', 'prometheus.io/port'], metricsPort(plan));
  if (plan.seLinuxType !== undefined) {
    manifest.set([...AGENT, 'securityContext', 'seLinuxOptions'], { type: plan.seLinuxType });
  }
  return manifest;
}

function onHostNetwork(manifest: Manifest, { serve: { config }, hasIptablesLegacy }: ManifestPlan): void {
  const { host, port } = config.admin!;
  for (const probe of ['readinessProbe', 'livenessProbe']) {
    manifest.set([...AGENT, probe, 'httpGet', 'host'], host).set([...AGENT, probe, 'httpGet', 'port'], port);
  }
  const script: Way = [...AGENT, 'startupProbe', 'exec', 'command', 2];
  const text = String(manifest.valueAt(script));
  if (formatSocketAddress(config.admin!) !== DEFAULTS.admin) {
    manifest.set(script, text.replace('/dev/tcp/127.0.0.1/9254', `/dev/tcp/${host}/${port}`));
  }
  const { mode } = config.nodeNetwork;
  if (mode === 'off') manifest.set(CAPABILITIES, ['NET_BIND_SERVICE']);
  // The sockets of the older iptables need it; those of nf_tables do not.
  if (hasIptablesLegacy) manifest.append(CAPABILITIES, 'NET_RAW');
  if (mode === 'auto' || mode === 'iptables') return;
  manifest.removeNamed([...AGENT, 'volumeMounts'], 'xtables-lock').removeNamed([...POD, 'volumes'], 'xtables-lock');
}

/**
 * Cilium leads packets to pods of their own network, and not to the host's: no link, no rules, no NET_ADMIN. Every pod has its own address, so that probes need
 * no names, and ports are declared, by which Cilium knows them.
 */
function onNetworkOfItsOwn(manifest: Manifest): void {
  for (const probe of ['readinessProbe', 'livenessProbe']) manifest.remove([...AGENT, probe, 'httpGet', 'host']);
  const field = (name: string, fieldPath: string) => ({ name, valueFrom: { fieldRef: { fieldPath } } });
  manifest
    .remove([...POD, 'hostNetwork'])
    .remove([...AGENT, 'startupProbe'])
    .commentAt(
      ['spec', 'updateStrategy', 'rollingUpdate', 'maxSurge'],
      'The new pod starts beside the old one with a copy of its cache, and both answer until the old one is told to go.',
    )
    .commentAt(
      [...POD, 'terminationGracePeriodSeconds'],
      'The lameduck time is longer than Cilium takes to lead packets elsewhere.',
    )
    .commentAt([...AGENT, 'readinessProbe'], undefined)
    .set(
      [...AGENT, 'ports'],
      [
        { name: 'dns', protocol: 'UDP', containerPort: 53 },
        { name: 'dns-tcp', protocol: 'TCP', containerPort: 53 },
      ],
    )
    .append([...AGENT, 'env'], field('POD_IP', 'status.podIP'), field('POD_IPS', 'status.podIPs'))
    .set(CAPABILITIES, ['NET_BIND_SERVICE'])
    .removeNamed([...AGENT, 'volumeMounts'], 'xtables-lock')
    .removeNamed([...POD, 'volumes'], 'xtables-lock');
}

function mountState(manifest: Manifest, state: string | undefined): void {
  const mounts: Way = [...AGENT, 'volumeMounts'];
  const volumes: Way = [...POD, 'volumes'];
  if (state === undefined) manifest.removeNamed(mounts, 'state').removeNamed(volumes, 'state');
  else manifest.setNamed(mounts, 'state', ['mountPath'], state).setNamed(volumes, 'state', ['hostPath', 'path'], state);
}

/** The folder and not the file: who replaces the file would leave the old one mounted. The pod's own copy needs no mount. */
function mountResolvConf(manifest: Manifest, path: string | undefined): void {
  if (path === undefined || path === DEFAULTS.resolvConf) return;
  const folder = dirname(path);
  manifest
    .append([...AGENT, 'volumeMounts'], { name: 'resolver', mountPath: folder, readOnly: true })
    .append([...POD, 'volumes'], { name: 'resolver', hostPath: { path: folder, type: 'Directory' } });
}

/** Lameduck twice, so that a standby that takes over once more can end as well, and time for TCP clients. */
function graceSeconds(lameduckMs: number): number {
  return Math.max(30, Math.ceil((2 * lameduckMs) / 1000) + 20);
}

function metricsPort({ serve: { config } }: ManifestPlan): string {
  return String(config.metrics?.port ?? '');
}
