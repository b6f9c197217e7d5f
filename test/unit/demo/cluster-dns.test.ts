import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClusterDns } from '../../../src/demo/cluster-dns.ts';
import { parseCluster, readClusterFile } from '../../../src/demo/cluster-file.ts';
import { OutsideDns } from '../../../src/demo/outside-dns.ts';

// Every shape of name is compared with a real CoreDNS in test/integration/demo-cluster.test.ts. Here is what that one cannot have.

const whole = readClusterFile();
const dns = new ClusterDns(whole, new OutsideDns(whole));

function ask(name: string, type: string, of = dns): string {
  const { rcode, answers } = of.answer(name, type);
  const texts = answers.map(({ data }) =>
    typeof data === 'string' ? data : 'target' in data ? data.target : data.mname,
  );
  return [rcode, ...texts].join(' ');
}

test('a Service of two families has both, and its port names the host once', () => {
  assert.equal(ask('web.default.svc.cluster.local', 'A'), '0 10.96.12.80');
  assert.equal(ask('web.default.svc.cluster.local', 'AAAA'), '0 fd00:10:96::c50');
  const { answers, additionals } = dns.answer('_http._tcp.web.default.svc.cluster.local', 'SRV');
  assert.equal(answers.length, 1);
  assert.deepEqual(
    additionals.map(({ type }) => type),
    ['A', 'AAAA'],
  );
});

test('IPv6 endpoints and pods are found by their address with hyphens, and back', () => {
  assert.equal(ask('fd00-10-244-3--31.peers.shop.svc.cluster.local', 'AAAA'), '0 fd00:10:244:3::31');
  assert.equal(ask('fd00-10-244-3--31.shop.pod.cluster.local', 'AAAA'), '0 fd00:10:244:3::31');
  assert.equal(ask('fd00-10-244-3--31.shop.pod.cluster.local', 'A'), '0');
  const reverse = '1.3.0.0.0.0.0.0.0.0.0.0.0.0.0.0.3.0.0.0.4.4.2.0.0.1.0.0.0.0.d.f.ip6.arpa';
  assert.equal(ask(reverse, 'PTR'), '0 fd00-10-244-3--31.peers.shop.svc.cluster.local');
});

test('the zone names its server, and the server is the kube-dns Service', () => {
  assert.equal(ask('cluster.local', 'NS'), '0 ns.dns.cluster.local');
  assert.equal(ask('cluster.local', 'SOA'), '0 ns.dns.cluster.local');
  assert.equal(ask('ns.dns.cluster.local', 'A'), '0 10.96.0.10');
  assert.equal(ask('dns.cluster.local', 'A'), '3');
});

test('the schema version can be asked for', () => {
  assert.equal(ask('dns-version.cluster.local', 'TXT'), '0 1.1.0');
});

test('another domain is served as this one is, and cluster.local is then unknown', () => {
  const cluster = parseCluster('domain: corp.example\nnamespaces: {a: {b: {clusterIPs: [10.96.0.5]}}}', 'mine.yaml');
  const other = new ClusterDns(cluster, new OutsideDns(cluster));
  assert.equal(ask('b.a.svc.corp.example', 'A', other), '0 10.96.0.5');
  assert.equal(ask('b.a.svc.cluster.local', 'A', other), '3');
  assert.equal(ask('ns.dns.corp.example', 'A', other), '3');
});

test('ExternalNames that point at each other end', () => {
  const cluster = parseCluster(
    'namespaces: {a: {b: {externalName: c.a.svc.cluster.local}, c: {externalName: b.a.svc.cluster.local}}}',
    'mine.yaml',
  );
  const loop = new ClusterDns(cluster, new OutsideDns(cluster));
  assert.equal(loop.answer('b.a.svc.cluster.local', 'A').answers.length, 8);
});

test('a "no" lives as long as the file says', () => {
  const [soa] = dns.answer('nobody.default.svc.cluster.local', 'A').authorities;
  assert.equal(soa?.name, 'cluster.local');
  assert.equal(soa?.ttl, 30);
  assert.equal(soa?.type === 'SOA' && soa.data.minimum, 30);
});
