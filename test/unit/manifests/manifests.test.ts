import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Command } from 'commander';
import { parseAllDocuments } from 'yaml';
import { addConfigOptions } from '../../../src/cli/config-options.ts';
import { configFromFlags } from '../../../src/config/from-flags.ts';
import { yamlReader } from '../../../src/config/yaml-settings.ts';
import type { ManifestFlags } from '../../../src/manifests/manifest-flags.ts';
import { planManifests } from '../../../src/manifests/manifest-plan.ts';
import { renderManifests } from '../../../src/manifests/manifests.ts';

const FOLDER = join(import.meta.dirname, '../../../manifests');
const SOURCES = join(import.meta.dirname, '../../../src');

// biome-ignore lint/suspicious/noExplicitAny: what is not there shows as a failed assertion
type KubeObject = any;

const surroundings = { env: {}, isTerminal: false, readFile: (path: string) => readFileSync(path, 'utf8') };
const manifests = (flags: ManifestFlags) => renderManifests(planManifests(flags, surroundings));
const render = (flags: ManifestFlags): KubeObject[] => manifests(flags).map((manifest) => manifest.toJSON());
const find = (objects: KubeObject[], kind: string): KubeObject => objects.find((object) => object.kind === kind);
const podOf = (flags: ManifestFlags): KubeObject => find(render(flags), 'DaemonSet').spec.template.spec;
const agentOf = (flags: ManifestFlags): KubeObject => podOf(flags).containers[0];
const volumesOf = (flags: ManifestFlags): string[] => podOf(flags).volumes.map(({ name }: KubeObject) => name);

/** What the agent makes of a pod's arguments and ConfigMap, in a pod with these variables. */
function configIn(flags: ManifestFlags, env: Record<string, string>) {
  const objects = render(flags);
  const [agent] = find(objects, 'DaemonSet').spec.template.spec.containers;
  const [command, ...args] = agent.args.map((arg: string) => arg.replace(/\$\((\w+)\)/g, (_, name) => env[name] ?? ''));
  assert.equal(command, 'serve');
  const read = addConfigOptions(new Command().exitOverride()).parse(args, { from: 'user' }).opts();
  const files: Record<string, string> = { [read['config']]: find(objects, 'ConfigMap').data['signpost.yaml'] };
  const readFile = (path: string): string => files[path] ?? 'nameserver 192.0.2.53\n';
  return configFromFlags(read, { env, isTerminal: false, readFile }, [yamlReader(read['config'])]);
}

const NODE = { KUBE_DNS_UPSTREAM_SERVICE_HOST: '10.96.0.99', KUBE_DNS_UPSTREAM_SERVICE_PORT: '53' };

test('arguments and ConfigMap make a configuration that the agent accepts, with nothing to remark', () => {
  const { config, notes } = configIn({ serviceIp: ['10.96.0.10'] }, NODE);
  assert.deepEqual(
    config.listen.map(({ host }) => host),
    ['169.254.20.10', '10.96.0.10'],
  );
  assert.equal(config.zones[0]?.upstreams[0]?.host, '10.96.0.99');
  assert.equal(config.nodeNetwork.mode, 'auto');
  assert.equal(config.state, '/run/signpost');
  assert.deepEqual(notes, []);
});

test('every template is used, and is one object', () => {
  const used = [...manifests({ namespace: 'dns', monitoring: true }), ...manifests({ proxy: 'cilium' })];
  const kinds = new Set(used.map(({ kind, name }) => `${kind} ${name === 'dns' ? 'kube-system' : name}`));
  for (const file of readdirSync(FOLDER)) {
    const [document, ...others] = parseAllDocuments(readFileSync(join(FOLDER, file), 'utf8'));
    const { kind, metadata } = document!.toJS();
    assert.deepEqual(others, [], file);
    assert.ok(kinds.has(`${kind} ${metadata.name}`), file);
  }
});

test('pods are part of the node: its network and resolver, first in, on every Linux node', () => {
  const pod = podOf({});
  assert.equal(pod.hostNetwork, true);
  assert.equal(pod.dnsPolicy, 'Default');
  assert.equal(pod.priorityClassName, 'system-node-critical');
  assert.deepEqual(pod.tolerations, [{ operator: 'Exists' }]);
  assert.deepEqual(pod.nodeSelector, { 'kubernetes.io/os': 'linux' });
});

test('an update starts the new pod beside the old one, and no port keeps it away', () => {
  const { spec } = find(render({}), 'DaemonSet');
  assert.deepEqual(spec.updateStrategy.rollingUpdate, { maxSurge: 1, maxUnavailable: 0 });
  assert.equal(spec.template.spec.containers[0].ports, undefined);
});

test('all capabilities are dropped but those that the mode needs', () => {
  for (const [flags, added] of [
    [{}, ['NET_ADMIN', 'NET_BIND_SERVICE']],
    [{ nodeNetwork: 'nftables' }, ['NET_ADMIN', 'NET_BIND_SERVICE']],
    [{ iptablesLegacy: true }, ['NET_ADMIN', 'NET_BIND_SERVICE', 'NET_RAW']],
    [{ nodeNetwork: 'off' }, ['NET_BIND_SERVICE']],
    [{ proxy: 'cilium' }, ['NET_BIND_SERVICE']],
  ] as const) {
    const { securityContext } = agentOf(flags);
    assert.deepEqual(securityContext.capabilities, { drop: ['ALL'], add: added });
    assert.equal(securityContext.runAsUser, 0);
    assert.equal(securityContext.readOnlyRootFilesystem, true);
    assert.equal(securityContext.allowPrivilegeEscalation, false);
  }
  assert.equal(podOf({}).securityContext.seccompProfile.type, 'RuntimeDefault');
});

test('of the node, pods see the state folder, the lock of iptables and the folder of the resolver, no more', () => {
  assert.deepEqual(volumesOf({}), ['config', 'state', 'xtables-lock']);
  assert.deepEqual(volumesOf({ nodeNetwork: 'nftables' }), ['config', 'state']);
  const flags = { resolvConf: '/run/systemd/resolve/resolv.conf', state: '/var/lib/signpost' };
  const { volumes, containers } = podOf(flags);
  const paths = volumes.flatMap(({ hostPath }: KubeObject) => hostPath?.path ?? []);
  assert.deepEqual(paths, ['/var/lib/signpost', '/run/xtables.lock', '/run/systemd/resolve']);
  // The folder and not the file: a file that is replaced would stay the old one in the pod.
  assert.partialDeepStrictEqual(containers[0].volumeMounts.at(-1), {
    mountPath: '/run/systemd/resolve',
    readOnly: true,
  });
  assert.equal(configIn(flags, NODE).config.resolvConf, flags.resolvConf);
});

test('the lameduck time lies within what kubelet grants', () => {
  for (const flags of [{}, { proxy: 'cilium' }] as const) {
    const { lameduckMs } = configIn(flags, { ...NODE, POD_IP: '10.1.2.3', POD_IPS: '10.1.2.3' }).config;
    assert.ok(podOf(flags).terminationGracePeriodSeconds * 1000 >= 2 * lameduckMs + 20_000);
  }
});

test('memory is bounded by what the cache asks for, processor time is not', () => {
  const { resources } = agentOf({ cacheSize: '256MiB', state: '/var/lib/signpost' });
  assert.deepEqual(resources, { requests: { cpu: '25m', memory: '320Mi' }, limits: { memory: '736Mi' } });
});

test('the pod counts as started when its own process has answered by name, and only that probe is a program', () => {
  const { startupProbe, readinessProbe, livenessProbe, env } = agentOf({});
  assert.match(startupProbe.exec.command[2], /\/health\?pod=%s.*"\$POD_UID"/s);
  assert.ok(env.some(({ name }: KubeObject) => name === 'POD_UID'));
  assert.partialDeepStrictEqual(readinessProbe.httpGet, { host: '127.0.0.1', port: 9254, path: '/ready' });
  assert.partialDeepStrictEqual(livenessProbe.httpGet, { host: '127.0.0.1', port: 9254, path: '/health' });
});

test('probes go where the file has the admin port', (t) => {
  const readFile = t.mock.fn(() => 'admin: 127.0.0.2:9300\n');
  const [agent] = (
    renderManifests(planManifests({ config: 'a.yaml' }, { ...surroundings, readFile }))
      .map((manifest) => manifest.toJSON())
      .at(-1) as KubeObject
  ).spec.template.spec.containers;
  assert.partialDeepStrictEqual(agent.livenessProbe.httpGet, { host: '127.0.0.2', port: 9300 });
  assert.match(agent.startupProbe.exec.command[2], /\/dev\/tcp\/127\.0\.0\.2\/9300/);
});

test('with Cilium a pod has its own network, listens on its own addresses and declares its ports by the names of the policy', () => {
  const objects = render({ proxy: 'cilium', families: 'dual' });
  const pod = find(objects, 'DaemonSet').spec.template.spec;
  const policy = find(objects, 'CiliumLocalRedirectPolicy').spec;
  assert.equal(pod.hostNetwork, undefined);
  assert.deepEqual(
    pod.containers[0].ports.map(({ name, protocol, containerPort }: KubeObject) => [
      name,
      protocol,
      `${containerPort}`,
    ]),
    policy.redirectBackend.toPorts.map(({ name, protocol, port }: KubeObject) => [name, protocol, port]),
  );
  assert.partialDeepStrictEqual(
    find(objects, 'DaemonSet').spec.template.metadata.labels,
    policy.redirectBackend.localEndpointSelector.matchLabels,
  );
  const { config } = configIn(
    { proxy: 'cilium', families: 'dual' },
    { ...NODE, POD_IP: '10.1.2.3', POD_IPS: '10.1.2.3,fd00:1::3' },
  );
  assert.deepEqual(
    config.listen.map(({ host }) => host),
    ['10.1.2.3', 'fd00:1::3'],
  );
  assert.deepEqual(config.probes, [{ host: '10.1.2.3', port: pod.containers[0].readinessProbe.httpGet.port }]);
  assert.equal(pod.containers[0].readinessProbe.httpGet.host, undefined);
  assert.equal(config.nodeNetwork.mode, 'off');
});

test('Cilium leads the Service, or the addresses that are given, to the pods', () => {
  const policies = (flags: ManifestFlags) =>
    render({ ...flags, proxy: 'cilium' }).filter(({ kind }) => kind === 'CiliumLocalRedirectPolicy');
  assert.deepEqual(policies({})[0].spec.redirectFrontend, {
    serviceMatcher: { serviceName: 'kube-dns', namespace: 'kube-system' },
  });
  const both = policies({ listen: ['169.254.20.10', 'fd00::10'] });
  assert.deepEqual(
    both.map(({ metadata, spec }) => [metadata.name, spec.redirectFrontend.addressMatcher.ip]),
    [
      ['signpost-ipv4', '169.254.20.10'],
      ['signpost-ipv6', 'fd00::10'],
    ],
  );
});

test('the second Service of the cluster DNS has the families of the cluster, and is left out where the cluster DNS is named', () => {
  const service = (flags: ManifestFlags) => find(render(flags), 'Service')?.spec;
  assert.partialDeepStrictEqual(service({}), { ipFamilies: ['IPv4'], selector: { 'k8s-app': 'kube-dns' } });
  assert.deepEqual(service({ families: 'ipv6' }).ipFamilies, ['IPv6']);
  assert.partialDeepStrictEqual(service({ families: 'dual' }), { ipFamilyPolicy: 'RequireDualStack' });
  assert.deepEqual(service({ clusterDnsSelector: 'app=dns' }).selector, { app: 'dns' });
  assert.equal(service({ clusterDns: ['10.96.0.10'] }), undefined);
});

test('the Kubernetes API is read with the least rights, in one namespace, and not at all when it is off', () => {
  const objects = render({ namespace: 'dns' });
  const role = find(objects, 'Role');
  assert.equal(role.metadata.namespace, 'kube-system');
  assert.deepEqual(
    role.rules.map(({ resources, resourceNames, verbs }: KubeObject) => [resources, resourceNames, verbs]),
    [
      [['services'], ['kube-dns-upstream', 'kube-dns'], ['get']],
      [['endpointslices'], undefined, ['list', 'watch']],
    ],
  );
  assert.equal(find(objects, 'RoleBinding').subjects[0].namespace, 'dns');
  assert.equal(find(objects, 'ServiceAccount').automountServiceAccountToken, true);
  const elsewhere = render({ clusterDnsService: 'openshift-dns/dns-default' });
  assert.partialDeepStrictEqual(find(elsewhere, 'Role'), {
    metadata: { namespace: 'openshift-dns' },
    rules: [{ resourceNames: ['dns-default'] }],
  });
  assert.equal(find(elsewhere, 'Service'), undefined);
  const none = render({ kubernetes: 'off' });
  assert.equal(find(none, 'Role'), undefined);
  assert.equal(find(none, 'ServiceAccount').automountServiceAccountToken, false);
  assert.equal(find(none, 'DaemonSet').spec.template.spec.automountServiceAccountToken, false);
});

test('of the whole cluster the API gives Services and EndpointSlices, pods and nodes only to those who ask for them', () => {
  const rules = (flags: ManifestFlags) =>
    find(render(flags), 'ClusterRole')?.rules.map(
      ({ resources, verbs }: KubeObject) => `${verbs.join(', ')} ${resources.join(', ')}`,
    );
  const always = ['list, watch services', 'list, watch endpointslices'];
  assert.deepEqual(rules({}), always);
  assert.deepEqual(rules({ search: 'complete' }), [...always, 'list, watch pods']);
  assert.deepEqual(rules({ nodeNames: true, lease: true }), [...always, 'list, watch nodes']);
  assert.deepEqual(rules({ clusterDns: ['endpoints'] }), [...always, 'list, watch nodes']);
  assert.deepEqual(rules({ search: 'complete', nodeNames: true }), [
    ...always,
    'list, watch pods',
    'list, watch nodes',
  ]);
  assert.equal(rules({ kubernetes: 'off' }), undefined);
  assert.equal(find(render({ namespace: 'dns' }), 'ClusterRoleBinding').subjects[0].namespace, 'dns');
});

test('what the API is asked for stands in the arguments, also where the file says it', () => {
  const { config } = configIn({ search: 'complete', lease: true, nodeNames: true }, NODE);
  assert.deepEqual([config.search, config.hasLease, config.hasNodeNames], ['complete', true, true]);
  const readFile = () => 'search: off\nlease: true\n';
  const objects = renderManifests(planManifests({ config: 'a.yaml' }, { ...surroundings, readFile }));
  const [agent] = (objects.at(-1)!.toJSON() as KubeObject).spec.template.spec.containers;
  assert.ok(agent.args.includes('--search=off') && agent.args.includes('--lease'), agent.args.join(' '));
});

test('where the pods of the cluster DNS are to be asked, its second Service is there all the same', () => {
  assert.equal(find(render({ clusterDns: ['endpoints'] }), 'Service').metadata.name, 'kube-dns-upstream');
});

test('a canary and the others divide the nodes between them, and their selectors do not meet', () => {
  const [rest, canary] = render({ canary: 'dns=canary', canaryImage: 'signpost:next', nodes: 'pool=a' }).filter(
    ({ kind }) => kind === 'DaemonSet',
  );
  const terms = ({ spec }: KubeObject) =>
    spec.template.spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions.slice(
      2,
    );
  const pool = { key: 'pool', operator: 'In', values: ['a'] };
  assert.deepEqual(terms(rest), [pool, { key: 'dns', operator: 'NotIn', values: ['canary'] }]);
  assert.deepEqual(terms(canary), [pool, { key: 'dns', operator: 'In', values: ['canary'] }]);
  assert.notDeepEqual(rest.spec.selector, canary.spec.selector);
  for (const { spec } of [rest, canary])
    assert.partialDeepStrictEqual(spec.template.metadata.labels, spec.selector.matchLabels);
  assert.equal(canary.spec.template.spec.containers[0].image, 'signpost:next');
  // Selectors cannot change: a cluster that begins without a canary can have one later.
  assert.deepEqual(find(render({}), 'DaemonSet').spec.selector, rest.spec.selector);
});

test('metrics are found by a Service with a number, or by annotations, never by both', () => {
  const annotations = (flags: ManifestFlags) => find(render(flags), 'DaemonSet').spec.template.metadata.annotations;
  assert.equal(annotations({})['prometheus.io/port'], '9253');
  assert.equal(annotations({ monitoring: true }), undefined);
  const objects = render({ monitoring: true, kubernetes: 'off', clusterDns: ['10.96.0.10'] });
  const { spec, metadata } = find(objects, 'Service');
  assert.deepEqual(spec.ports, [{ name: 'metrics', protocol: 'TCP', port: 9253, targetPort: 9253 }]);
  assert.equal(spec.clusterIP, 'None');
  const monitor = find(objects, 'ServiceMonitor').spec;
  assert.partialDeepStrictEqual(metadata.labels, monitor.selector.matchLabels);
  assert.equal(monitor.endpoints[0].port, spec.ports[0].name);
});

test('every metric that an alert asks for is one of ours', () => {
  const sources = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => readFileSync(join(SOURCES, file), 'utf8'))
    .join('\n');
  const [group] = find(render({ monitoring: true }), 'PrometheusRule').spec.groups;
  for (const { alert, expr } of group.rules) {
    for (const [name] of (expr as string).matchAll(/\b(?:coredns|signpost)_\w+/g)) {
      assert.ok(sources.includes(`'${name.replace(/_bucket$/, '')}'`), `${alert}: ${name}`);
    }
  }
});

test('teardown runs once on every node with the rights to do it, asks the API nothing and waits to be deleted', () => {
  const objects = render({ teardown: true });
  assert.deepEqual(
    objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`),
    ['DaemonSet signpost-teardown'],
  );
  const { initContainers, containers, hostNetwork } = objects[0].spec.template.spec;
  assert.equal(hostNetwork, true);
  assert.deepEqual(initContainers[0].args, ['teardown', '--listen=169.254.20.10:53']);
  assert.ok(initContainers[0].securityContext.capabilities.add.includes('NET_ADMIN'));
  assert.deepEqual(containers[0].command, ['sleep', 'infinity']);
  assert.equal(containers[0].securityContext.capabilities.add, undefined);
});
