import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigErrors } from '../../../src/config/config-errors.ts';
import type { ManifestFlags } from '../../../src/manifests/manifest-flags.ts';
import { planManifests } from '../../../src/manifests/manifest-plan.ts';

const plan = (flags: ManifestFlags, files: Record<string, string> = {}) =>
  planManifests(flags, {
    env: {},
    isTerminal: false,
    readFile: (path) => {
      if (files[path] === undefined) throw new Error(`ENOENT: no such file, open '${path}'`);
      return files[path];
    },
  });
const refused = (flags: ManifestFlags, message: RegExp, files: Record<string, string> = {}) =>
  assert.throws(
    () => plan(flags, files),
    (error) => error instanceof ConfigErrors && message.test(error.message),
  );

test('families follow the addresses where nobody says them', () => {
  assert.equal(plan({}).families, 'ipv4');
  assert.equal(plan({ serviceIp: ['fd00:96::a'] }).families, 'ipv6');
  assert.equal(plan({ listen: ['169.254.20.10', '[fd00::10]:53'] }).families, 'dual');
  assert.equal(plan({ families: 'dual' }).families, 'dual');
});

test('the Service address is answered beside the one for kubelet', () => {
  const { args } = plan({ serviceIp: ['10.96.0.10'] }).serve;
  assert.deepEqual(
    args.filter((arg) => arg.startsWith('--listen')),
    ['--listen=169.254.20.10', '--listen=10.96.0.10'],
  );
});

test('in IPVS mode the Service address is refused, for kube-proxy has it on the node already', () => {
  refused(
    { proxy: 'ipvs', serviceIp: ['10.96.0.10'] },
    /Cannot listen on 10\.96\.0\.10 \(--service-ip\) with --proxy ipvs: .*clusterDNS/,
  );
  refused({ proxy: 'cilium', serviceIp: ['10.96.0.10'] }, /Cilium finds the Service kube-dns by its name/);
});

test('Cilium wants the Service and the pods in one namespace, or an address', () => {
  refused({ proxy: 'cilium', namespace: 'dns' }, /--namespace dns/);
  assert.deepEqual(plan({ proxy: 'cilium', namespace: 'dns', listen: ['169.254.20.10'] }).frontends, ['169.254.20.10']);
});

test('without the API, a pod of another namespace cannot learn where the cluster DNS is', () => {
  refused({ namespace: 'dns', kubernetes: 'off' }, /Cannot learn where the cluster DNS is .*--cluster-dns/);
  plan({ namespace: 'dns', kubernetes: 'off', clusterDns: ['10.96.0.10'] });
});

test('what is wrong is said all at once, whoever reads it', () => {
  refused(
    {
      proxy: 'x',
      families: 'y',
      image: 'a b',
      namespace: 'A',
      maxSurge: '0',
      nodes: 'n',
      listen: ['0.0.0.0'],
      cacheSize: '1',
    },
    /--proxy[\s\S]*--families[\s\S]*--max-surge[\s\S]*--image[\s\S]*--namespace[\s\S]*--nodes[\s\S]*--listen[\s\S]*--cache-size/,
  );
  refused({ canaryImage: 'signpost:2' }, /--canary-image alone/);
  refused({ maxSurge: '101%' }, /--max-surge/);
});

test('a file is read as serve would, and refused with its line', () => {
  refused({ config: 'a.yaml' }, /a\.yaml:2: .*polici/, { 'a.yaml': 'cacheSize: 64MiB\npolici: random\n' });
  refused({ config: 'gone.yaml' }, /Cannot read gone\.yaml \(--config\)/);
});

test('what of a file takes a restart goes to the arguments, and the rest stays as it was written', () => {
  const text =
    '# Ours.\ncacheSize: 64MiB # large\nlisten: [169.254.20.11]\nadmin: 127.0.0.1:9260\nzones:\n  # Short.\n  corp.example:\n    upstreams: [10.1.2.3]\n';
  const { args, file } = plan({ config: 'a.yaml' }, { 'a.yaml': text }).serve;
  assert.partialDeepStrictEqual(args, ['--listen=169.254.20.11', '--admin=127.0.0.1:9260', '--cache-size=64MiB']);
  assert.doesNotMatch(file, /cacheSize|listen|admin/);
  assert.match(file, /zones:\n {2}# Short\.\n {2}corp\.example:\n {4}upstreams: \[ ?10\.1\.2\.3 ?\]/);
});

test('a flag beats the file', () => {
  const { file } = plan(
    { config: 'a.yaml', clusterDomain: 'k8s.example' },
    { 'a.yaml': 'clusterDomain: other.example\n' },
  ).serve;
  assert.match(file, /^clusterDomain: k8s\.example$/m);
});

test('pods that nothing can probe are refused', () => {
  refused({ config: 'a.yaml' }, /Cannot probe the pods/, { 'a.yaml': 'admin: off\n' });
});

test('on Talos outside names go to the resolver of the host, unless others are named', () => {
  assert.match(plan({ talos: true }).serve.file, /upstreams:\n {2}- 169\.254\.116\.108/);
  assert.match(plan({ talos: true, upstream: ['9.9.9.9'] }).serve.file, /upstreams:\n {2}- 9\.9\.9\.9/);
});
