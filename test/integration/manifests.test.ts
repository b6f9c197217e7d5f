import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse, parseAllDocuments } from 'yaml';
import type { ManifestFlags } from '../../src/manifests/manifest-flags.ts';
import { planManifests } from '../../src/manifests/manifest-plan.ts';
import { renderManifests } from '../../src/manifests/manifests.ts';
import { CLUSTER_PROGRAMS, type ControlPlane, startControlPlane } from '../cluster/control-plane.ts';
import { run } from '../servers/child.ts';
import { refuseInCi, skipWithout } from '../servers/programs.ts';

const ROOT = join(import.meta.dirname, '../..');
const BIN = join(ROOT, 'bin/signpost.js');
/** Where `test/cluster/build.sh` puts other projects' published definitions of their kinds. */
const DEFINITIONS = join(ROOT, '.cache/testbed/crds');

// What an API server takes and gives is loosely typed.
// biome-ignore lint/suspicious/noExplicitAny: what is not there shows as a failed assertion
type KubeObject = any;

/** Every kind of cluster and every flag that changes an object. */
const VARIANTS: Readonly<Record<string, ManifestFlags>> = {
  'link-local address alone': {},
  'kube-proxy in iptables mode, Service address': { serviceIp: ['10.96.0.10'] },
  'kube-proxy in nftables mode': { proxy: 'nftables', serviceIp: ['10.96.0.10'], nodeNetwork: 'nftables' },
  'kube-proxy in IPVS mode': { proxy: 'ipvs' },
  'iptables-legacy on SELinux': { nodeNetwork: 'iptables', iptablesLegacy: true, selinuxType: 'spc_t' },
  'IPv6 alone': { families: 'ipv6' },
  'two families': { families: 'dual', serviceIp: ['10.96.0.10', 'fd00:96::a'] },
  'Cilium, by the Service': { proxy: 'cilium' },
  'Cilium, by address, two families': {
    proxy: 'cilium',
    families: 'dual',
    listen: ['169.254.20.10', 'fd00::10'],
    namespace: 'dns-cache',
  },
  'Cilium, IPv6, with alerts': { proxy: 'cilium', families: 'ipv6', monitoring: true },
  Talos: { talos: true },
  'another namespace': { namespace: 'dns-cache' },
  'a cluster DNS elsewhere': { clusterDnsService: 'dns-cache/dns-default' },
  'all that the Kubernetes API has to say': { search: 'complete', nodeNames: true, lease: true },
  'no Kubernetes API': { kubernetes: 'off', clusterDns: ['10.96.0.10'] },
  'systemd-resolved, large cache, snapshot on disk': {
    resolvConf: '/run/systemd/resolve/resolv.conf',
    cacheSize: '256MiB',
    state: '/var/lib/signpost',
  },
  'a canary and alerts': {
    canary: 'example.com/dns=canary',
    canaryImage: 'signpost:next',
    maxSurge: '5%',
    monitoring: true,
  },
  'first nodes': { nodes: 'dns=signpost' },
  'interface alone': { nodeNetwork: 'interface' },
  'nothing of the node': { nodeNetwork: 'off' },
  teardown: { teardown: true },
  'teardown in another namespace': { teardown: true, namespace: 'dns-cache', nodes: 'dns=signpost' },
};

const surroundings = { env: {}, isTerminal: false, readFile: (path: string) => readFileSync(path, 'utf8') };
const render = (flags: ManifestFlags): KubeObject[] =>
  renderManifests(planManifests(flags, surroundings)).map((manifest) => manifest.toJSON());

test('signpost manifests prints the objects as YAML with their comments, and as one List', async () => {
  const args = [BIN, 'manifests', '--service-ip', '10.96.0.10'];
  const { code, stdout, stderr } = await run(process.execPath, args);
  assert.equal(code, 0, stderr);
  const objects = parseAllDocuments(stdout).map((document) => document.toJS());
  assert.deepEqual(objects, render({ serviceIp: ['10.96.0.10'] }));
  assert.match(stdout, /# No CPU limit: throttling would delay the DNS of every pod on the node\./);
  const list = JSON.parse((await run(process.execPath, [...args, '--json'])).stdout);
  assert.equal(list.kind, 'List');
  assert.deepEqual(list.items, objects);
});

test('what is wrong with the flags is said all at once, with 2', async () => {
  const flags = ['--proxy', 'ipvs', '--service-ip', '10.96.0.10', '--listen', '0.0.0.0', '--canary', 'x'];
  const text = await run(process.execPath, [BIN, 'manifests', ...flags]);
  assert.equal(text.code, 2);
  for (const option of ['--service-ip', '--listen', '--canary']) assert.match(text.stderr, new RegExp(option));
  assert.equal(text.stdout, '');
  const json = await run(process.execPath, [BIN, 'manifests', ...flags, '--json']);
  assert.equal(json.code, 2);
  assert.equal(JSON.parse(json.stdout).errors.length, 3);
});

const whyNot =
  skipWithout(...CLUSTER_PROGRAMS) ||
  (existsSync(DEFINITIONS) ? false : refuseInCi('test/cluster/build.sh has not run'));

suite('a real API server takes the manifests', { skip: whyNot }, () => {
  let controlPlane: ControlPlane;

  before(async () => {
    controlPlane = await startControlPlane({ serviceRanges: ['10.96.0.0/16', 'fd00:96::/112'] });
    // The API server makes its own namespaces one after the other.
    while ((await send('GET', '/api/v1/namespaces/kube-system')).status !== 200) await sleep(50);
    await create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'dns-cache' } });
    for (const file of readdirSync(DEFINITIONS)) {
      const definition = parse(readFileSync(join(DEFINITIONS, file), 'utf8'));
      await create(definition);
      const { group, versions, names } = definition.spec;
      const list = `/apis/${group}/${versions[0].name}/${names.plural}`;
      while ((await send('GET', list)).status !== 200) await sleep(50);
    }
  });
  after(() => controlPlane?.stop());

  /** Unknown fields and doubled ones are errors, as `kubectl --validate=strict` has it. */
  async function send(method: string, path: string, body?: object, query = '') {
    const { promise, resolve, reject } = Promise.withResolvers<{ status: number; text: string }>();
    const headers = { authorization: `Bearer ${controlPlane.adminToken}`, 'content-type': 'application/json' };
    const url = `${controlPlane.apiUrl}${path}?fieldValidation=Strict${query}`;
    const call = request(url, { method, headers, rejectUnauthorized: false, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece: string) => (text += piece));
      response.on('end', () => resolve({ status: response.statusCode!, text }));
    });
    call.on('error', reject).end(body && JSON.stringify(body));
    return promise;
  }

  const create = async (object: KubeObject): Promise<void> => {
    const { status, text } = await send('POST', collectionOf(object), object);
    assert.equal(status, 201, text);
  };
  const dryRun = (object: KubeObject) => send('POST', collectionOf(object), object, '&dryRun=All');

  for (const [name, flags] of Object.entries(VARIANTS)) {
    test(`every object is accepted: ${name}`, async () => {
      for (const object of render(flags)) {
        if (object.kind === 'Namespace') continue;
        const { status, text } = await dryRun(object);
        assert.equal(status, 201, `${object.kind} ${object.metadata.name}: ${text}`);
        if (object.kind !== 'DaemonSet') continue;
        // A pod as the DaemonSet makes it: what only admission sees.
        const { template } = object.spec;
        const { namespace } = object.metadata;
        const pod = {
          apiVersion: 'v1',
          kind: 'Pod',
          metadata: { ...template.metadata, name: 'signpost-1', namespace },
          spec: template.spec,
        };
        const admitted = await dryRun(pod);
        assert.equal(admitted.status, 201, admitted.text);
        assert.equal(JSON.parse(admitted.text).spec.priority, 2_000_001_000);
      }
    });
  }

  test('a namespace of its own is accepted, and admits the pods by its label', async () => {
    const [namespace, ...others] = render({ namespace: 'dns-guarded' });
    await create(namespace);
    const daemonSet = others.find(({ kind }) => kind === 'DaemonSet');
    const { status, text } = await dryRun({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'signpost-1', namespace: 'dns-guarded' },
      spec: daemonSet.spec.template.spec,
    });
    assert.equal(status, 201, text);
  });

  test('what is accepted once is unchanged by applying it again', async () => {
    const [daemonSet] = render({}).filter(({ kind }) => kind === 'DaemonSet');
    const { text } = await dryRun(daemonSet);
    const taken = JSON.parse(text).spec.template.spec.containers[0];
    const [given] = daemonSet.spec.template.spec.containers;
    for (const key of ['args', 'env', 'startupProbe', 'securityContext', 'volumeMounts']) {
      assert.partialDeepStrictEqual(taken[key], given[key]);
    }
  });

  test('a field that Kubernetes, Prometheus or Cilium does not know is refused', async () => {
    const objects = [...render({ monitoring: true }), ...render({ proxy: 'cilium' })];
    for (const kind of ['DaemonSet', 'ServiceMonitor', 'PrometheusRule', 'CiliumLocalRedirectPolicy']) {
      const wrong = structuredClone(objects.find((object) => object.kind === kind));
      wrong.spec.selektor = {};
      const { status, text } = await dryRun(wrong);
      assert.equal(status, 400, kind);
      assert.match(text, /unknown field \\"spec\.selektor\\"/);
    }
  });
});

const PLURALS: Readonly<Record<string, string>> = {
  NetworkPolicy: 'networkpolicies',
  CiliumLocalRedirectPolicy: 'ciliumlocalredirectpolicies',
};

function collectionOf({ apiVersion, kind, metadata }: KubeObject): string {
  const group = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const namespace = metadata.namespace === undefined ? '' : `/namespaces/${metadata.namespace}`;
  return `${group}${namespace}/${PLURALS[kind] ?? `${kind.toLowerCase()}s`}`;
}
