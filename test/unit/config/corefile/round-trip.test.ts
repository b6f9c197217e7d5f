import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Complaints } from '../../../../src/config/complaints.ts';
import type { Config, ZoneConfig } from '../../../../src/config/config.ts';
import { corefileReader } from '../../../../src/config/corefile/corefile-reader.ts';
import { importText } from '../../../../src/config/corefile/import-file.ts';
import type { Surroundings } from '../../../../src/config/flags.ts';
import { configFromFlags } from '../../../../src/config/from-flags.ts';
import { settingsYaml } from '../../../../src/config/settings-yaml.ts';
import { formatUpstreamAddress } from '../../../../src/config/upstream-address.ts';
import { yamlReader } from '../../../../src/config/yaml-settings.ts';
import { CONFIG_MAPS, FILES, SHAPES } from './shapes.ts';

const env = { KUBE_DNS_UPSTREAM_SERVICE_HOST: '198.51.100.77' };

function surroundings(files: Readonly<Record<string, string>>): Surroundings {
  const all = { ...FILES, ...files };
  return {
    env,
    isTerminal: false,
    readFile: (path) => all[path] ?? assert.fail(`no such file: ${path}`),
    listFolder: (path) =>
      Object.keys(all)
        .filter((name) => name.startsWith(`${path}/`))
        .map((name) => name.slice(path.length + 1)),
  };
}

function direct(corefile: string): Config {
  return configFromFlags({}, surroundings({ Corefile: corefile }), [corefileReader('Corefile', {})]).config;
}

function byImport(text: string): Config {
  const complaints = new Complaints();
  const { settings } = importText(text, 'FILE', {}, surroundings({}), complaints);
  complaints.throwIfAny();
  const files = surroundings({ 'signpost.yaml': settingsYaml(settings) });
  return configFromFlags({}, files, [yamlReader('signpost.yaml')]).config;
}

for (const [name, corefile] of Object.entries(SHAPES)) {
  test(`a Corefile as of ${name} means the same as the YAML file that it is turned into`, () => {
    assert.deepEqual(byImport(corefile), direct(corefile));
  });
}

test('a Corefile in a ConfigMap means what it means by itself', () => {
  assert.deepEqual(byImport(CONFIG_MAPS['inConfigMap']!), direct(SHAPES['rke2']!));
});

function zone(config: Config, name: string): ZoneConfig {
  return config.zones.find((each) => each.zone === name) ?? assert.fail(`no zone ${name}`);
}

function upstreams(config: Config, name: string): string[] {
  return zone(config, name).upstreams.map(formatUpstreamAddress);
}

const CLUSTER_DNS = ['tcp://198.51.100.77:53'];

test('the add-on: placeholders stand for what the agent is told by the environment and by resolv.conf', () => {
  const config = direct(SHAPES['addon']!);
  assert.deepEqual(config.listen, [{ host: '169.254.20.10', port: 53 }]);
  assert.deepEqual(config.metrics, { host: '0.0.0.0', port: 9253 });
  assert.deepEqual(config.probes, [{ host: '169.254.20.10', port: 8080 }]);
  assert.deepEqual(config.zones.map((each) => each.zone).sort(), ['.', 'cluster.local.', 'in-addr.arpa.', 'ip6.arpa.']);
  for (const name of ['cluster.local.', 'in-addr.arpa.', 'ip6.arpa.'])
    assert.deepEqual(upstreams(config, name), CLUSTER_DNS);
  assert.deepEqual(upstreams(config, '.'), ['udp+tcp://192.0.2.53:53', 'udp+tcp://192.0.2.54:53']);
  assert.equal(config.resolvConf, '/etc/resolv.conf');
  const { positiveMaxSeconds, negativeMaxSeconds } = zone(config, 'cluster.local.').cache;
  assert.deepEqual([positiveMaxSeconds, negativeMaxSeconds], [30, 5]);
});

test('kubespray: written addresses, the zone that goes where reverse names go, hosts, and no AAAA', () => {
  const config = direct(SHAPES['kubespray']!);
  assert.equal(config.clusterDomain, 'k8s.example');
  assert.deepEqual(upstreams(config, 'k8s.example.'), ['tcp://198.51.100.3:53']);
  assert.deepEqual(upstreams(config, 'lab.example.'), ['udp+tcp://192.0.2.3:53', 'udp+tcp://192.0.2.4:53']);
  const corp = zone(config, 'corp.example.');
  assert.deepEqual([corp.policy, corp.logSample, corp.refuse], ['sequential', 1, ['old.corp.example.']]);
  const root = zone(config, '.');
  assert.equal(root.hasAaaa, false);
  assert.deepEqual(
    root.hosts.map(({ address, names }) => [address, ...names]),
    [
      ['192.0.2.80', 'mirror.example.', 'mirror2.example.'],
      ['2001:db8::80', 'mirror.example.'],
    ],
  );
  assert.deepEqual(upstreams(config, '.'), ['udp+tcp://192.0.2.55:53']);
  assert.equal(config.resolvConf, '/run/systemd/resolve/resolv.conf');
});

test('kops: everything goes to the cluster DNS', () => {
  const config = direct(SHAPES['kops']!);
  for (const { zone: name } of config.zones) assert.deepEqual(upstreams(config, name), CLUSTER_DNS);
});

test('RKE2: both addresses are listened on, and the lameduck time is kept', () => {
  const config = direct(SHAPES['rke2']!);
  assert.deepEqual(
    config.listen.map(({ host }) => host),
    ['169.254.20.10', '203.0.113.10'],
  );
  assert.equal(config.lameduckMs, 10_000);
});

test('EKS: the zones of the kubernetes plugin go to the cluster DNS, the others to their forward', () => {
  const config = direct(SHAPES['eks']!);
  assert.deepEqual(upstreams(config, 'cluster.local.'), CLUSTER_DNS);
  assert.deepEqual(upstreams(config, 'in-addr.arpa.'), CLUSTER_DNS);
  assert.deepEqual(upstreams(config, '.'), ['udp+tcp://169.254.169.253:53']);
  assert.deepEqual(upstreams(config, 'corp.example.'), [
    'tls://192.0.2.3:853#dns.corp.example',
    'tls://[2001:db8::3]:8853#dns.corp.example',
  ]);
  assert.equal(zone(config, '.').cache.prefetchHits, 10);
  assert.equal(zone(config, 'cluster.local.').cache.negativeMaxSeconds, 0);
  assert.deepEqual(
    config.probes.map(({ port }) => port),
    [8080, 8181],
  );
});

test('AKS: stale answers, files of the user, a zone that is refused', () => {
  const config = direct(SHAPES['aks']!);
  const root = zone(config, '.');
  assert.deepEqual(
    [root.cache.positiveMaxSeconds, root.cache.staleSeconds, root.cache.staleAfterMs],
    [3600, 3600, 100],
  );
  assert.equal(zone(config, 'cluster.local.').cache.staleAfterMs, 500);
  assert.deepEqual(zone(config, 'wpad.example.').refuse, ['wpad.example.']);
  assert.deepEqual(
    zone(config, 'db.example.').hosts.map(({ address }) => address),
    ['192.0.2.9', '192.0.2.10'],
  );
  assert.deepEqual(upstreams(config, 'stub.example.'), ['udp+tcp://192.0.2.7:53']);
  assert.equal(zone(config, 'stub.example.').cache.positiveMaxSeconds, 0);
  assert.deepEqual(upstreams(config, '.'), ['tcp://168.63.129.16:53']);
});

test('GKE: stub domains and name servers of the kube-dns ConfigMap', () => {
  const config = byImport(CONFIG_MAPS['gke']!);
  assert.deepEqual(upstreams(config, 'corp.example.'), ['udp+tcp://192.0.2.3:53', 'udp+tcp://192.0.2.4:5353']);
  assert.deepEqual(upstreams(config, 'lab.example.'), ['udp+tcp://192.0.2.5:53']);
  assert.deepEqual(upstreams(config, '.'), ['udp+tcp://192.0.2.1:53', 'udp+tcp://192.0.2.2:53']);
});
