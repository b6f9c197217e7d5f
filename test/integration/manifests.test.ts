import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { Command } from 'commander';
import { parse } from 'yaml';
import { addConfigOptions } from '../../src/cli/config-options.ts';
import { parseByteSize } from '../../src/config/byte-size.ts';
import { parseDuration } from '../../src/config/duration.ts';
import { DEFAULTS } from '../../src/config/flags.ts';
import { configFromFlags, type LoadedConfig } from '../../src/config/from-flags.ts';
import { CLUSTER_PROGRAMS, type ControlPlane, startControlPlane } from '../cluster/control-plane.ts';
import { skipWithout } from '../servers/programs.ts';

const root = join(import.meta.dirname, '../..');
// Manifests are read as a user's tools read them: loosely typed.
// biome-ignore lint/suspicious/noExplicitAny: what is not there shows as a failed assertion
type Manifest = any;

const read = (path: string): Manifest => parse(readFileSync(join(root, 'manifests', path), 'utf8'));

const kustomization = read('base/kustomization.yaml');
const daemonSet = read('base/daemon-set.yaml');
const { data: settings } = read('base/config-map.yaml');
const resolved = {
  daemonSet: read('systemd-resolved/daemon-set.yaml'),
  configMap: read('systemd-resolved/config-map.yaml'),
};
const pod = daemonSet.spec.template.spec;
const [agent] = pod.containers;
const [address] = pod.initContainers;

const mebibytes = (text: string) => Number(/^(\d+)Mi$/.exec(text)?.[1]);

/** `$(NAME)` as kubelet replaces it. */
const expand = (text: string, values: Record<string, string>) =>
  text.replace(/\$\((\w+)\)/g, (_, name: string) => values[name] ?? assert.fail(`${name} is not in the ConfigMap`));

function configWith(values: Record<string, string>): LoadedConfig {
  const [command, ...args] = agent.args.map((argument: string) => expand(argument, values));
  assert.equal(command, 'serve');
  const flags = addConfigOptions(new Command().exitOverride()).parse(args, { from: 'user' }).opts();
  return configFromFlags(flags, {
    env: { KUBE_DNS_UPSTREAM_SERVICE_HOST: '10.96.0.99', KUBE_DNS_UPSTREAM_SERVICE_PORT: '53' },
    isTerminal: false,
    readFile: () => 'nameserver 192.0.2.53\n',
  });
}

test('the kustomization names every file of its folder', () => {
  const files = readdirSync(join(root, 'manifests/base')).filter((name) => name !== 'kustomization.yaml');
  assert.deepEqual([...kustomization.resources].sort(), files.sort());
  const patches = read('systemd-resolved/kustomization.yaml').patches.map(({ path }: { path: string }) => path);
  const others = readdirSync(join(root, 'manifests/systemd-resolved')).filter((name) => name !== 'kustomization.yaml');
  assert.deepEqual(patches.sort(), others.sort());
});

test('the image has the version of the package', () => {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  assert.equal(kustomization.images[0].newTag, version);
  for (const { image } of [agent, address]) assert.equal(image, kustomization.images[0].name);
});

test('the arguments and the ConfigMap make a configuration that the agent accepts', () => {
  const { config, notes } = configWith(settings);
  assert.deepEqual(config.listen, [{ host: '169.254.20.10', port: 53 }]);
  assert.equal(config.zones[0]?.upstreams[0]?.host, '10.96.0.99');
  assert.deepEqual(notes, []);
  const { config: followed } = configWith({ ...settings, ...resolved.configMap.data });
  assert.equal(followed.resolvConf, '/run/systemd/resolve/resolv.conf');
});

test('every setting of the ConfigMap is used', () => {
  const texts = [...agent.args, ...address.command].join(' ');
  for (const name of Object.keys(settings)) assert.ok(texts.includes(`$(${name})`), name);
  for (const name of Object.keys(resolved.configMap.data)) assert.ok(name in settings, name);
});

test('the file of name servers lies in a folder that is mounted, never mounted by itself', () => {
  const [mount] = resolved.daemonSet.spec.template.spec.containers[0].volumeMounts;
  const [volume] = resolved.daemonSet.spec.template.spec.volumes;
  assert.equal(join(mount.mountPath, 'resolv.conf'), resolved.configMap.data.SIGNPOST_RESOLV_CONF);
  assert.equal(volume.hostPath.path, mount.mountPath);
  assert.equal(volume.hostPath.type, 'Directory');
  assert.equal(mount.readOnly, true);
});

test('the pod is part of the node: its network and resolver, first in, on every node', () => {
  assert.equal(pod.hostNetwork, true);
  assert.equal(pod.dnsPolicy, 'Default');
  assert.equal(pod.priorityClassName, 'system-node-critical');
  assert.deepEqual(pod.tolerations, [{ operator: 'Exists' }]);
});

test('all capabilities are dropped but the two that are named, each where it is needed', () => {
  const added = [agent, address].flatMap(({ securityContext }) => securityContext.capabilities.add);
  assert.deepEqual(added.sort(), ['NET_ADMIN', 'NET_BIND_SERVICE']);
  for (const { securityContext } of [agent, address]) {
    assert.deepEqual(securityContext.capabilities.drop, ['ALL']);
    assert.equal(securityContext.runAsUser, 0);
    assert.equal(securityContext.readOnlyRootFilesystem, true);
    assert.equal(securityContext.allowPrivilegeEscalation, false);
    assert.equal(securityContext.privileged, undefined);
  }
  assert.equal(pod.securityContext.seccompProfile.type, 'RuntimeDefault');
  assert.equal(pod.automountServiceAccountToken, false);
  assert.equal(read('base/service-account.yaml').automountServiceAccountToken, false);
});

test('kubelet probes on loopback, at the port where the agent serves them', () => {
  const port = configWith(settings).config.admin?.port;
  for (const [probe, path] of [
    [agent.livenessProbe, '/health'],
    [agent.readinessProbe, '/ready'],
  ]) {
    assert.equal(probe.httpGet.host, '127.0.0.1');
    assert.equal(probe.httpGet.port, port);
    assert.equal(probe.httpGet.path, path);
  }
  const { metrics } = configWith(settings).config;
  assert.equal(agent.ports[0].containerPort, metrics?.port);
  assert.equal(daemonSet.spec.template.metadata.annotations['prometheus.io/port'], String(metrics?.port));
});

test('the pod has the time for its lameduck', () => {
  assert.ok(pod.terminationGracePeriodSeconds * 1000 > 2 * parseDuration(DEFAULTS.lameduck, 0, 3_600_000));
});

test('memory is bounded by more than cache and heap, processor time is not', () => {
  const cache = parseByteSize(settings.SIGNPOST_CACHE_SIZE, 0, 2 ** 40) / 2 ** 20;
  // 64 MiB of heap, 45 MiB of Node.js itself, 20 MiB of questions in flight and socket buffers: the comment beside the limit.
  assert.ok(mebibytes(agent.resources.limits.memory) >= cache + 64 + 65);
  assert.equal(agent.resources.limits.cpu, undefined);
  assert.equal(agent.resources.requests.cpu, '25m');
});

test('the agent learns its node and its pod', () => {
  const fields = Object.fromEntries(
    agent.env.map((variable: Manifest) => [variable.name, variable.valueFrom.fieldRef.fieldPath]),
  );
  assert.deepEqual(fields, { NODE_NAME: 'spec.nodeName', POD_UID: 'metadata.uid' });
});

test('the second Service of the cluster DNS has UDP and TCP', () => {
  const { metadata, spec } = read('base/kube-dns-upstream.yaml');
  assert.equal(metadata.name, 'kube-dns-upstream');
  assert.deepEqual(spec.selector, { 'k8s-app': 'kube-dns' });
  assert.deepEqual(
    spec.ports.map(({ protocol, port }: Manifest) => [protocol, port]),
    [
      ['UDP', 53],
      ['TCP', 53],
    ],
  );
});

suite('a real API server takes the manifests', { skip: skipWithout(...CLUSTER_PROGRAMS) }, () => {
  const paths = {
    ServiceAccount: '/api/v1/namespaces/kube-system/serviceaccounts',
    ConfigMap: '/api/v1/namespaces/kube-system/configmaps',
    Service: '/api/v1/namespaces/kube-system/services',
    DaemonSet: '/apis/apps/v1/namespaces/kube-system/daemonsets',
    Pod: '/api/v1/namespaces/kube-system/pods',
  };
  const pathOf = ({ kind }: Manifest) => paths[kind as keyof typeof paths];
  let controlPlane: ControlPlane;

  before(async () => {
    controlPlane = await startControlPlane();
    // The API server makes its own namespaces one after the other.
    while ((await send('GET', '/api/v1/namespaces/kube-system')).status !== 200) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  });
  after(() => controlPlane?.stop());

  /** Unknown fields and doubled ones are errors, as `kubectl --validate=strict` has it. */
  async function send(method: string, path: string, body?: object, type = 'application/json') {
    const { promise, resolve, reject } = Promise.withResolvers<{ status: number; text: string }>();
    const headers = { authorization: `Bearer ${controlPlane.adminToken}`, 'content-type': type };
    const url = `${controlPlane.apiUrl}${path}?fieldValidation=Strict`;
    const call = request(url, { method, headers, rejectUnauthorized: false, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece: string) => (text += piece));
      response.on('end', () => resolve({ status: response.statusCode!, text }));
    });
    call.on('error', reject).end(body && JSON.stringify(body));
    return promise;
  }

  test('every object is created under strict validation', async () => {
    for (const file of kustomization.resources) {
      const object = read(`base/${file}`);
      const { status, text } = await send('POST', pathOf(object), object);
      assert.equal(status, 201, `${file}: ${text}`);
    }
  });

  test('the patches for systemd-resolved fit the objects', async () => {
    for (const patch of [resolved.configMap, resolved.daemonSet]) {
      const path = `${pathOf(patch)}/${patch.metadata.name}`;
      const { status, text } = await send('PATCH', path, patch, 'application/strategic-merge-patch+json');
      assert.equal(status, 200, text);
      if (patch.kind !== 'DaemonSet') continue;
      const [container] = JSON.parse(text).spec.template.spec.containers;
      assert.deepEqual(container.args, agent.args);
      assert.equal(container.volumeMounts.length, 1);
    }
  });

  test('a pod of the DaemonSet is admitted', async () => {
    const body = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'signpost-1', labels: daemonSet.spec.template.metadata.labels },
      spec: pod,
    };
    const { status, text } = await send('POST', paths.Pod, body);
    assert.equal(status, 201, text);
    assert.equal(JSON.parse(text).spec.priority, 2_000_001_000);
  });

  test('a field that Kubernetes does not know is refused', async () => {
    const wrong = structuredClone(daemonSet);
    wrong.metadata.name = 'wrong';
    wrong.spec.template.spec.dnsPolicies = 'Default';
    const { status, text } = await send('POST', paths.DaemonSet, wrong);
    assert.equal(status, 400);
    assert.match(text, /unknown field \\"spec\.template\.spec\.dnsPolicies\\"/);
  });
});
