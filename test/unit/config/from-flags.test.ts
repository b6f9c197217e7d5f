import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Config } from '../../../src/config/config.ts';
import { ConfigErrors } from '../../../src/config/config-errors.ts';
import type { Flags, Surroundings } from '../../../src/config/flags.ts';
import { configFromFlags, type LoadedConfig } from '../../../src/config/from-flags.ts';
import type { ClusterDnsUnknown } from '../../../src/config/upstream-sources.ts';

const SURROUNDINGS: Surroundings = {
  env: { KUBE_DNS_UPSTREAM_SERVICE_HOST: '10.96.0.11' },
  isTerminal: false,
  readFile: () => 'nameserver 192.0.2.1\n',
};

const load = (flags: Flags, surroundings: Partial<Surroundings> = {}): LoadedConfig =>
  configFromFlags(flags, { ...SURROUNDINGS, ...surroundings });

const config = (flags: Flags): Config => load(flags).config;

/** The lines of complaint, in order. */
function complaints(flags: Flags, surroundings: Partial<Surroundings> = {}): string[] {
  try {
    load(flags, surroundings);
  } catch (error) {
    if (error instanceof ConfigErrors) return error.errors.map(({ code, message }) => `${code} ${message}`);
    throw error;
  }
  return [];
}

test('without flags the defaults are those of the documentation', () => {
  const { zones, ...rest } = config({});
  assert.deepEqual(rest, {
    listen: [{ host: '169.254.20.10', port: 53 }],
    clusterDomain: 'cluster.local',
    cacheBytes: 32 * 1024 * 1024,
    metrics: { host: '0.0.0.0', port: 9253 },
    admin: { host: '127.0.0.1', port: 9254 },
    probes: [],
    nodeNetwork: { mode: 'off', interface: 'signpost0', hasNoTrack: true },
    state: undefined,
    nodeName: undefined,
    clusterDnsService: { namespace: 'kube-system', names: ['kube-dns-upstream', 'kube-dns'] },
    kubernetes: 'auto',
    search: 'local',
    hasLease: false,
    hasNodeNames: false,
    isClusterDnsDirect: false,
    lameduckMs: 5000,
    resolvConf: '/etc/resolv.conf',
    searchConf: '/etc/resolv.conf',
    logLevel: 'info',
    logFormat: 'json',
    logSample: 0,
  });
  assert.deepEqual(
    zones.map((zone) => zone.zone),
    ['cluster.local.', 'in-addr.arpa.', 'ip6.arpa.', '.'],
  );
});

test('a person at a terminal reads text', () => {
  assert.equal(load({}, { isTerminal: true }).config.logFormat, 'text');
  assert.equal(load({ logFormat: 'json' }, { isTerminal: true }).config.logFormat, 'json');
});

test('each flag changes what it names', () => {
  assert.deepEqual(config({ listen: ['127.0.0.1:5300', '[::1]:0'] }).listen, [
    { host: '127.0.0.1', port: 5300 },
    { host: '::1', port: 0 },
  ]);
  assert.equal(config({ clusterDomain: 'K8s.Example.' }).clusterDomain, 'k8s.example');
  assert.equal(config({ resolvConf: '/run/resolv.conf' }).resolvConf, '/run/resolv.conf');
  assert.equal(config({ cacheSize: '64MiB' }).cacheBytes, 64 * 1024 * 1024);
  assert.deepEqual(config({ metrics: '[::]:9353' }).metrics, { host: '::', port: 9353 });
  assert.equal(config({ metrics: 'off' }).metrics, undefined);
  assert.deepEqual(config({ admin: '127.0.0.1:0' }).admin, { host: '127.0.0.1', port: 0 });
  assert.equal(config({ admin: 'off' }).admin, undefined);
  assert.equal(config({ nodeNetwork: 'nftables' }).nodeNetwork.mode, 'nftables');
  assert.equal(config({ interface: 'dns0' }).nodeNetwork.interface, 'dns0');
  assert.equal(config({ state: '/run/signpost' }).state, '/run/signpost');
  assert.equal(config({ nodeName: 'node-7' }).nodeName, 'node-7');
  assert.equal(config({ kubernetes: 'off' }).kubernetes, 'off');
  assert.equal(config({ search: 'complete' }).search, 'complete');
  assert.equal(config({ lease: true }).hasLease, true);
  assert.equal(config({ nodeNames: true }).hasNodeNames, true);
  assert.equal(config({ lameduck: '250ms' }).lameduckMs, 250);
  assert.equal(config({ logLevel: 'debug' }).logLevel, 'debug');
  assert.equal(config({ logFormat: 'text' }).logFormat, 'text');
  assert.equal(config({ logSample: '100' }).logSample, 100);
  assert.ok(config({ policy: 'round-robin' }).zones.every((zone) => zone.policy === 'round-robin'));
});

test('an address that is given twice is listened on once, any free port as often as asked', () => {
  assert.equal(config({ listen: ['127.0.0.1', '127.0.0.1:53'] }).listen.length, 1);
  assert.equal(config({ listen: ['127.0.0.1:0', '127.0.0.1:0'] }).listen.length, 2);
});

test('the pods of the cluster DNS are asked; its Service, or who is named beside them, while none is known', () => {
  const env = { KUBE_DNS_SERVICE_HOST: '10.96.0.10' };
  const upstreamsOf = ({ zones }: Config) => zones[0]!.upstreams.map(({ host }) => host);
  const direct = load({ clusterDns: ['endpoints'] }, { env }).config;
  assert.equal(direct.isClusterDnsDirect, true);
  assert.deepEqual(upstreamsOf(direct), ['10.96.0.10']);
  const beside = load({ clusterDns: ['endpoints', '10.96.0.99'] }, { env }).config;
  assert.equal(beside.isClusterDnsDirect, true);
  assert.deepEqual(upstreamsOf(beside), ['10.96.0.99']);
});

test('the search suffixes of the node are those of --resolv-conf, also where its name servers are not asked', () => {
  const { resolvConf, searchConf } = config({
    upstream: ['9.9.9.9'],
    resolvConf: '/run/resolv.conf',
    search: 'complete',
  });
  assert.deepEqual([resolvConf, searchConf], [undefined, '/run/resolv.conf']);
});

test('what only the Kubernetes API can tell is refused where it is not to be asked', () => {
  const because = 'the Kubernetes API is needed for that, and it is not to be asked (--kubernetes off)';
  assert.deepEqual(
    complaints({
      kubernetes: 'off',
      search: 'complete',
      lease: true,
      nodeNames: true,
      clusterDns: ['endpoints', '10.96.0.10'],
    }),
    [
      `ERR_SEARCH Cannot treat search paths as complete (--search): ${because}`,
      `ERR_LEASE Cannot set lease to on (--lease): ${because}`,
      `ERR_NODE_NAMES Cannot set nodeNames to on (--node-names): ${because}`,
      `ERR_CLUSTER_DNS Cannot use endpoints as the cluster DNS (--cluster-dns): ${because}`,
    ],
  );
  assert.deepEqual(complaints({ kubernetes: 'off', search: 'local' }), []);
});

test('the configuration cannot be changed afterwards, at any depth', () => {
  const made = config({});
  assert.ok(
    [made, made.listen, made.listen[0], made.zones[0]!.cache, made.zones[0]!.upstreams[0]].every(Object.isFrozen),
  );
});

const BAD: [flags: Flags, complaint: RegExp][] = [
  [
    { listen: ['foo'] },
    /^ERR_LISTEN_ADDRESS Cannot listen on foo \(--listen\): expected IP or IP:PORT, such as 169\.254\.20\.10 or \[fd00::10\]:53$/,
  ],
  [
    { listen: ['0.0.0.0'] },
    /^ERR_LISTEN_ADDRESS Cannot listen on 0\.0\.0\.0 \(--listen\): a reply has to come from the address that was asked/,
  ],
  [{ listen: ['[::]:53'] }, /^ERR_LISTEN_ADDRESS .*give each address itself/],
  [{ listen: ['224.0.0.1'] }, /^ERR_LISTEN_ADDRESS .*address of this machine/],
  [{ listen: [''] }, /^ERR_LISTEN_ADDRESS Cannot listen on "" \(--listen\)/],
  [{ listen: ['127.0.0.1:66000'] }, /^ERR_LISTEN_ADDRESS .*the port is 66000, expected 0 to 65535/],
  [
    { clusterDns: ['kube-dns'] },
    /^ERR_CLUSTER_DNS Cannot use kube-dns as the cluster DNS \(--cluster-dns\): expected IP/,
  ],
  [{ upstream: ['endpoints'] }, /^ERR_UPSTREAM Cannot forward to endpoints \(--upstream\): expected IP/],
  [{ clusterDomain: '.' }, /^ERR_CLUSTER_DOMAIN Cannot use \. \(--cluster-domain\): expected a domain name/],
  [{ clusterDomain: 'a b' }, /^ERR_CLUSTER_DOMAIN Cannot use "a b" \(--cluster-domain\)/],
  [
    { upstream: ['tls://dns.example'] },
    /^ERR_UPSTREAM Cannot forward to tls:\/\/dns\.example \(--upstream\): dns\.example would have to be looked up/,
  ],
  [
    { upstream: ['169.254.20.10'] },
    /^ERR_UPSTREAM .*this agent's own listen address, so .*; give the server that knows/,
  ],
  [
    { upstream: Array.from({ length: 16 }, (_, n) => `192.0.2.${n}`) },
    /^ERR_UPSTREAM Cannot use 16 addresses \(--upstream\): expected at most 15$/,
  ],
  [
    { route: ['corp.example'] },
    /^ERR_ROUTE Cannot route corp\.example \(--route\): expected ZONE=UPSTREAM\[,UPSTREAM\]/,
  ],
  [{ route: ['=10.0.0.1'] }, /^ERR_ROUTE .*expected ZONE=/],
  [{ route: ['corp.example='] }, /^ERR_ROUTE .*expected ZONE=/],
  [{ route: ['co rp=10.0.0.1'] }, /^ERR_ROUTE .*expected a domain name/],
  [{ route: ['corp.example=10.0.0.1,foo'] }, /^ERR_ROUTE Cannot route corp\.example\. to foo \(--route\): expected IP/],
  [{ route: ['.=10.0.0.1'] }, /^ERR_ROUTE .*give --upstream/],
  [{ route: ['Cluster.Local=10.0.0.1'] }, /^ERR_ROUTE .*give --cluster-dns/],
  [{ route: ['a.example=10.0.0.1', 'A.example.=10.0.0.2'] }, /^ERR_ROUTE .*a\.example\. has a route already/],
  [{ route: ['a.example=169.254.20.10'] }, /^ERR_ROUTE .*own listen address/],
  [
    { policy: 'quickest' },
    /^ERR_POLICY Cannot choose upstreams by quickest \(--policy\): expected random, round-robin, sequential, fastest$/,
  ],
  [
    { nodeNetwork: 'ebpf' },
    /^ERR_NODE_NETWORK Cannot set up the node's network by ebpf \(--node-network\): expected off, auto, nftables, iptables, interface$/,
  ],
  [
    { interface: 'much-too-long-name' },
    /^ERR_INTERFACE Cannot name the link much-too-long-name \(--interface\): expected a name of 1 to 15 letters/,
  ],
  [
    { state: 'run' },
    /^ERR_STATE Cannot keep state in run \(--state\): expected the absolute path of a folder, such as \/run\/signpost$/,
  ],
  [
    { nodeName: 'Node 7' },
    /^ERR_NODE_NAME Cannot take "?Node 7"? for this node \(--node-name\): expected the name of a Kubernetes node/,
  ],
  [{ search: 'path' }, /^ERR_SEARCH Cannot treat search paths as path \(--search\): expected off, local, complete$/],
  [
    { kubernetes: 'on' },
    /^ERR_KUBERNETES Cannot use on for the Kubernetes API \(--kubernetes\): expected off, auto, or the absolute path of a kubeconfig/,
  ],
  [
    { cacheSize: 'big' },
    /^ERR_CACHE_SIZE Cannot size the cache to big \(--cache-size\): expected a size from 1MiB to 1GiB, such as 32MiB$/,
  ],
  [{ metrics: '9253' }, /^ERR_METRICS_ADDRESS Cannot serve metrics on 9253 \(--metrics\): expected IP:PORT or off/],
  [{ metrics: '127.0.0.1' }, /^ERR_METRICS_ADDRESS .*the port is missing/],
  [{ admin: ':9254' }, /^ERR_ADMIN_ADDRESS Cannot serve the admin API on :9254 \(--admin\): expected IP:PORT or off/],
  [{ admin: '127.0.0.1:9253' }, /^ERR_ADMIN_ADDRESS Cannot serve both .* on port 9253 \(--metrics, --admin\)/],
  [
    { lameduck: '5' },
    /^ERR_LAMEDUCK Cannot go on for 5 after SIGTERM \(--lameduck\): expected a duration from 0 to 1h/,
  ],
  [{ logLevel: 'loud' }, /^ERR_LOG_LEVEL Cannot log at loud \(--log-level\): expected debug, info, warn, error$/],
  [{ logFormat: 'xml' }, /^ERR_LOG_FORMAT Cannot log as xml \(--log-format\): expected text, json$/],
  [{ logSample: '-1' }, /^ERR_LOG_SAMPLE Cannot log one query in -1 \(--log-sample\): expected a whole number/],
];

for (const [flags, complaint] of BAD) {
  test(`${JSON.stringify(flags).slice(0, 80)} is refused with option, value and what is allowed`, () => {
    const [first, ...others] = complaints(flags);
    assert.match(first ?? 'no complaint', complaint);
    assert.deepEqual(others, []);
  });
}

test('several errors are all said at once, one a line', () => {
  const flags: Flags = {
    listen: ['foo', 'bar'],
    clusterDns: ['x'],
    lameduck: 'soon',
    cacheSize: '1',
    route: ['nonsense'],
  };
  assert.deepEqual(
    complaints(flags).map((line) => line.split(' ', 1)[0]),
    ['ERR_ROUTE', 'ERR_LISTEN_ADDRESS', 'ERR_LISTEN_ADDRESS', 'ERR_CLUSTER_DNS', 'ERR_CACHE_SIZE', 'ERR_LAMEDUCK'],
  );
  assert.throws(
    () => load(flags),
    (error) => error instanceof ConfigErrors && error.code === 'ERR_CONFIG' && error.message.split('\n').length === 6,
  );
});

test('a Service of another name is looked for by its own variables, and no others', () => {
  const env = {
    KUBE_DNS_SERVICE_HOST: '10.96.0.10',
    CORE_DNS_SERVICE_HOST: '10.96.0.12',
    CORE_DNS_SERVICE_PORT: '5353',
  };
  const [cluster] = load({ clusterDnsService: 'dns/core-dns' }, { env }).config.zones;
  assert.deepEqual(cluster!.upstreams, [{ host: '10.96.0.12', port: 5353, transport: 'tcp' }]);
  assert.throws(
    () => load({ clusterDnsService: 'dns/other', kubernetes: '/etc/kubeconfig' }, { env }),
    ({ errors: [error] }: ConfigErrors) => {
      assert.match(error!.message, /not given, and OTHER_SERVICE_HOST of the environment gives no address/);
      const lookup = { services: { namespace: 'dns', names: ['other'] }, kubernetes: '/etc/kubeconfig' };
      assert.deepEqual((error as ClusterDnsUnknown).lookup, lookup);
      return true;
    },
  );
  assert.throws(() => load({ clusterDnsService: 'core-dns' }, { env }), /expected NAMESPACE\/NAME of a Service/);
});
