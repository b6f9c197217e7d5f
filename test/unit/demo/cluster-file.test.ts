import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigError } from '../../../src/core/errors.ts';
import { parseCluster, readClusterFile } from '../../../src/demo/cluster-file.ts';

/** What the file is refused for, a line each. */
function complaints(text: string): string[] {
  try {
    parseCluster(text, 'mine.yaml');
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    assert.equal(error.code, 'ERR_CLUSTER_FILE');
    return error.message.split('\n');
  }
  return [];
}

test('the cluster that comes with the demo has a Service of each kind and an outside world', () => {
  const { domain, namespaces, outside } = readClusterFile();
  const services = [...namespaces.values()].flatMap((inIt) => [...inIt.values()]);
  assert.equal(domain, 'cluster.local');
  assert.ok(services.some(({ clusterIPs }) => clusterIPs.length === 2));
  assert.ok(services.some(({ clusterIPs, endpoints }) => clusterIPs.length === 0 && endpoints.length > 1));
  assert.ok(services.some(({ externalName }) => externalName !== undefined && outside.has(externalName)));
});

test('what a file leaves out has a default', () => {
  assert.deepEqual(parseCluster('', 'mine.yaml'), {
    domain: 'cluster.local',
    ttlSeconds: 30,
    namespaces: new Map(),
    outside: new Map(),
  });
  const { namespaces } = parseCluster(
    'namespaces: {a: {b: {ports: [{name: x, port: 1}], endpoints: [{ip: 10.0.0.1}]}}}',
    'f',
  );
  assert.deepEqual(namespaces.get('a')?.get('b'), {
    clusterIPs: [],
    externalName: undefined,
    ports: [{ name: 'x', port: 1, protocol: 'TCP' }],
    endpoints: [{ ip: '10.0.0.1', hostname: undefined, ready: true }],
  });
});

test('addresses and names are brought to the one form in which they are compared', () => {
  const { domain, namespaces, outside } = parseCluster(
    'domain: Cluster.Example.\nnamespaces: {a: {B: {clusterIPs: ["FD00:0:0::1"]}}}\noutside: {WWW.Example.com: API.example.com.}',
    'mine.yaml',
  );
  assert.equal(domain, 'cluster.example');
  assert.deepEqual(namespaces.get('a')?.get('b')?.clusterIPs, ['fd00::1']);
  assert.equal(outside.get('www.example.com'), 'api.example.com');
});

test('everything that is wrong is said at once, with the place, what came and what is allowed', () => {
  const lines = complaints(`
domain: not_a_domain
ttl: soon
namespace: {}
namespaces:
  default:
    web: { clusterIPs: [10.96.0.300], ports: [{ name: http, port: 70000, protocol: HTTP }] }
    db: { endpoints: [{ ip: 10.0.0.1, ready: maybe }] }
`);
  const prefix = 'Cannot use mine.yaml (--cluster): ';
  assert.deepEqual(lines, [
    `${prefix}'namespace' is not known: expected domain, ttl, namespaces, outside`,
    `${prefix}domain: expected a domain name, got "not_a_domain"`,
    `${prefix}ttl: expected a whole number from 0 to 3600, got "soon"`,
    `${prefix}namespaces.default.web.clusterIPs[0]: expected an IP address, got "10.96.0.300"`,
    `${prefix}namespaces.default.web.ports[0].port: expected a whole number from 1 to 65535, got 70000`,
    `${prefix}namespaces.default.web.ports[0].protocol: expected TCP, UDP, SCTP, got "HTTP"`,
    `${prefix}namespaces.default.db.endpoints[0].ready: expected true or false, got "maybe"`,
  ]);
});

for (const [what, text] of [
  ['a list', '[]'],
  ['a list of namespaces', 'namespaces: [default]'],
  ['a word for a list', 'namespaces: {default: {web: {ports: http}}}'],
  ['an address for a name', 'namespaces: {default: {web: {externalName: 10.0.0.1}}}'],
  ['a missing port number', 'namespaces: {default: {web: {ports: [{name: http}]}}}'],
  ['a namespace with a dot', 'namespaces: {a.b: {}}'],
]) {
  test(`${what} in the wrong place is refused`, () => {
    assert.equal(complaints(text!).length, 1);
  });
}

test('text that is no YAML is refused with the line', () => {
  assert.match(complaints('domain: [').join(' '), /^Cannot use mine\.yaml \(--cluster\): .*line 1/);
});

test('a file that is not there is named', () => {
  assert.throws(
    () => readClusterFile('no/such/file.yaml'),
    /^ConfigError: Cannot read no\/such\/file\.yaml \(--cluster\): ENOENT/,
  );
});
