import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { ClusterDnsDirect, type DnsPods } from '../../../src/agent/cluster-dns-direct.ts';
import type { Config } from '../../../src/config/config.ts';
import { configFromFlags } from '../../../src/config/from-flags.ts';
import { CLUSTER_DNS_DIRECT } from '../../../src/core/limits.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import type { RankedAddresses } from '../../../src/upstream/upstreams.ts';

const SURROUNDINGS = { env: { KUBE_DNS_SERVICE_HOST: '10.96.0.10' }, isTerminal: false, readFile: () => '' };

function config(clusterDns = ['endpoints'], more: { route?: string[] } = {}): Config {
  return configFromFlags({ clusterDns, upstream: ['192.0.2.1'], ...more }, SURROUNDINGS).config;
}

const pods = (host = '10.244.0.2', forZones: readonly string[] = []): DnsPods => ({
  endpoints: [
    { host, family: 4, udpPort: 53, tcpPort: 53, zone: undefined, nodeName: undefined, forZones, forNodes: [] },
  ],
  isEmpty: false,
  staleMs: 0,
});

function set(t: TestContext, first = config()) {
  const redirected: (readonly [zone: string, hosts: string])[][] = [];
  const known: { pods: DnsPods | undefined } = { pods: undefined };
  let asked = 0;
  const direct = new ClusterDnsDirect({
    config: first,
    upstreams: {
      redirect: (zones: ReadonlyMap<string, RankedAddresses>) => {
        const text = (ranks: RankedAddresses) =>
          ranks.map((list) => list.map(({ host }) => host).join(' ')).join(' | ');
        redirected.push([...zones].map(([zone, ranks]) => [zone, text(ranks)] as const));
      },
    },
    pods: () => known.pods,
    place: () => ({ nodeName: 'node-1', zone: 'z1' }),
    onZoneNeeded: () => asked++,
    log: silentLogger,
  });
  t.after(() => direct.close());
  const become = (next: DnsPods | undefined) => {
    known.pods = next;
    direct.update();
  };
  const reason = () => `${direct.reason.ok} ${direct.reason.warning} ${direct.reason.message}`;
  return { direct, redirected, become, reason, asked: () => asked };
}

const ZONES = ['cluster.local.', 'in-addr.arpa.', 'ip6.arpa.'];

test('all zones of the cluster DNS are asked of its pods, once for each change', (t) => {
  const { redirected, become, reason } = set(t);
  become(pods());
  become(pods());
  assert.deepEqual(redirected, [ZONES.map((zone) => [zone, '10.244.0.2 | 10.96.0.10'])]);
  assert.equal(reason(), 'true false 1 DNS pods are asked directly');
  become(pods('10.244.0.3'));
  assert.deepEqual(
    redirected[1],
    ZONES.map((zone) => [zone, '10.244.0.3 | 10.96.0.10']),
  );
});

test("the Service's address is asked while pods are not known, have not been followed for a minute, or are none", (t) => {
  const { redirected, become, reason } = set(t);
  become(undefined);
  assert.equal(redirected.length, 0);
  assert.equal(reason(), "true true the Service's address is asked: its pods are not known yet");
  become(pods());
  become({ ...pods(), staleMs: 59_000 });
  assert.equal(redirected.length, 1, 'a short pause changes nothing');
  become({ ...pods(), staleMs: 61_000 });
  assert.deepEqual(redirected[1], []);
  assert.match(reason(), /^true true .* has not been followed for 61 s$/);
  become(pods());
  assert.equal(redirected[2]!.length, 3);
  become({ ...pods(), isEmpty: true });
  assert.deepEqual(redirected[3], []);
  assert.match(reason(), /it has no pods$/);
});

test('that there are more pods than one node asks is counted with each change, not with each look', (t) => {
  const { become } = set(t);
  const many = (count: number): DnsPods => ({
    ...pods(),
    endpoints: Array.from({ length: count }, (_, i) => pods(`10.244.0.${i}`).endpoints[0]!),
  });
  const before = CLUSTER_DNS_DIRECT.hits;
  for (let look = 0; look < 10; look++) become(many(CLUSTER_DNS_DIRECT.value));
  assert.equal(CLUSTER_DNS_DIRECT.hits, before);
  for (let look = 0; look < 10; look++) become(many(100));
  assert.equal(CLUSTER_DNS_DIRECT.hits, before + 1);
});

test('a reverse zone with servers of its own keeps them', (t) => {
  const { redirected, become } = set(t, config(['endpoints'], { route: ['in-addr.arpa=192.0.2.9'] }));
  become(pods());
  assert.deepEqual(
    redirected[0]!.map(([zone]) => zone),
    ['cluster.local.', 'ip6.arpa.'],
  );
});

test('while another configuration comes nothing is redirected, and then as that one asks', async (t) => {
  const { direct, redirected, become } = set(t);
  become(pods());
  await direct.during(config(['endpoints', '10.96.0.11']), async () => become(pods('10.244.0.3')));
  assert.deepEqual(redirected[1]![0], ['cluster.local.', '10.244.0.3 | 10.96.0.11']);
  assert.equal(redirected.length, 2);
  const next = config(['endpoints', '10.96.0.12']);
  await assert.rejects(direct.during(next, () => Promise.reject(new Error('not this time'))));
  assert.deepEqual(redirected[2]![0], ['cluster.local.', '10.244.0.3 | 10.96.0.11']);
  await direct.during(next, async () => become(undefined));
  assert.deepEqual(redirected[3], []);
  become(pods('10.244.0.4'));
  assert.deepEqual(redirected[4]![0], ['cluster.local.', '10.244.0.4 | 10.96.0.12']);
});

test('where this node is matters once the cluster gives hints for zones', (t) => {
  const { become, asked } = set(t);
  become(pods());
  assert.equal(asked(), 0);
  become(pods('10.244.0.2', ['z1']));
  become(pods('10.244.0.3', ['z1']));
  assert.equal(asked(), 1);
});

test('an encrypted cluster DNS is asked by its Service, and it is said why', (t) => {
  const { redirected, become, reason } = set(t, config(['endpoints', 'tls://10.96.0.10#dns.example']));
  become(pods());
  assert.deepEqual(redirected, []);
  assert.match(reason(), /transport/);
});
