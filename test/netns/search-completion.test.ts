import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import type { KubernetesObject } from '../cluster/api.ts';
import { CLUSTER_PROGRAMS } from '../cluster/control-plane.ts';
import { pod as podObject } from '../cluster/fixtures.ts';
import { ANSWERED, Comparison, FAILING, SOME } from '../resolvers/comparison.ts';
import { textOf } from '../resolvers/difference.ts';
import { NODE_SUFFIX } from '../resolvers/names.ts';
import { POD_NETWORK_PROGRAMS, type Pod, type PodSettings } from '../resolvers/pod-network.ts';
import { installResolvers, type Resolver, skipWithoutResolvers } from '../resolvers/resolvers.ts';
import { PLAIN, ResolverWorld, SEARCHES } from '../resolvers/world.ts';
import { type Agent, startAgent } from '../servers/agent.ts';
import { NAMED_PROGRAMS } from '../servers/named.ts';
import { skipWithoutNamespaces } from './namespace.ts';
import { enterOwnNetwork } from './own-network.ts';

const skip =
  skipWithoutNamespaces(...POD_NETWORK_PROGRAMS, ...CLUSTER_PROGRAMS, ...NAMED_PROGRAMS) || skipWithoutResolvers();
if (!skip) {
  // Here, for in a network of its own there is no mirror to take anything from.
  await installResolvers();
  enterOwnNetwork({});
}

/** An agent for each level of `--search`. */
const AGENTS = { off: '10.244.9.2', local: '10.244.9.3', complete: '10.244.9.4' } as const;
type Level = keyof typeof AGENTS;

/** Pods as resolvers see them, and what the API says of them besides; nothing where it does not know them. */
const PODS: Readonly<Record<string, PodSettings & { readonly spec?: object }>> = {
  usual: { address: '10.244.9.11', searches: SEARCHES, ndots: 5, spec: {} },
  'with ndots:2': {
    address: '10.244.9.12',
    searches: SEARCHES,
    ndots: 2,
    spec: { dnsConfig: { options: [{ name: 'ndots', value: '2' }] } },
  },
  'with ndots:1': {
    address: '10.244.9.13',
    searches: SEARCHES,
    ndots: 1,
    spec: { dnsConfig: { options: [{ name: 'ndots', value: '1' }] } },
  },
  'with a search path of its own': {
    address: '10.244.9.14',
    searches: ['default.svc.cluster.local', NODE_SUFFIX],
    ndots: 3,
    spec: {
      dnsPolicy: 'None',
      dnsConfig: {
        nameservers: [AGENTS.complete],
        searches: ['default.svc.cluster.local', NODE_SUFFIX],
        options: [{ name: 'ndots', value: '3' }],
      },
    },
  },
  'that the API does not know': { address: '10.244.9.15', searches: SEARCHES, ndots: 5 },
};

suite('resolvers find with the agent what they find with plain DNS', { skip }, () => {
  const folder = skip ? '' : mkdtempSync(join(tmpdir(), 'signpost-search-'));
  const agents = new Map<Level, Agent>();
  const pods = new Map<string, Pod>();
  let world: ResolverWorld;
  let resolvers: readonly Resolver[];

  before(async () => {
    resolvers = await installResolvers();
    world = await ResolverWorld.start(Object.values(AGENTS));
    const { api } = world.cluster;
    for (const [name, settings] of Object.entries(PODS)) {
      pods.set(name, await world.pods.addPod(settings));
      if (settings.spec) await api.create(withSpec(podObject('shop', podName(name), settings.address), settings.spec));
    }
    const resolvConf = join(folder, 'resolv.conf');
    writeFileSync(resolvConf, `nameserver ${PLAIN}\nsearch ${NODE_SUFFIX}\n`);
    const upstreams = [
      '--cluster-dns',
      `tcp://127.0.0.1:${world.cluster.clusterDns.port}`,
      '--resolv-conf',
      resolvConf,
    ];
    for (const [level, address] of Object.entries(AGENTS) as [Level, string][]) {
      const knowing = ['--kubernetes', world.cluster.kubeconfig, '--node-name', 'node-1'];
      const flags = ['--listen', `${address}:53`, '--search', level, ...(level === 'off' ? [] : knowing), ...upstreams];
      agents.set(level, await startAgent(flags));
    }
    await agents.get('complete')!.child.waitUntil('told of pods', async () => (await queriesOf('usual')) === 2);
  });
  after(async () => {
    for (const agent of agents.values()) await agent.stop();
    await world?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  test('in the usual pod, with every level of --search', async () => {
    const comparison = new Comparison(resolvers, pods.get('usual')!);
    const compared = Object.entries(AGENTS).map(async ([level, address]) => {
      const found = await comparison.differences(address, [ANSWERED, FAILING]);
      return found.map((one) => `${level}: ${textOf(one)}`);
    });
    assert.deepEqual((await Promise.all(compared)).flat(), []);
  });

  for (const pod of Object.keys(PODS).slice(1)) {
    test(`in a pod ${pod}, with completion`, async () => {
      const found = await new Comparison(resolvers, pods.get(pod)!).differences(AGENTS.complete, [SOME]);
      assert.deepEqual(found.map(textOf), []);
    });
  }

  test('a search whose last name is the one that exists is a query for each family where the API knows the pod', async () => {
    const counts = [];
    for (const name of Object.keys(PODS)) counts.push([name, await queriesOf(name)]);
    assert.deepEqual(counts, [
      ['usual', 2],
      ['with ndots:2', 2],
      ['with ndots:1', 2],
      ['with a search path of its own', 2],
      ['that the API does not know', 2 * SEARCHES.length],
    ]);
  });

  /** What glibc asks the agent for `dual.example.test`, by the node's suffix. */
  async function queriesOf(name: string): Promise<number> {
    const glibc = resolvers.find((resolver) => resolver.name === 'glibc')!;
    const count = async () => (await agents.get('complete')!.scrape()).count('coredns_dns_requests_total');
    const start = await count();
    const [found] = await pods.get(name)!.lookUp(glibc, AGENTS.complete, [{ kind: 'BOTH', name: 'dual' }], 15);
    assert.equal(found!.canonical, `dual.${NODE_SUFFIX}`);
    return (await count()) - start;
  }
});

function withSpec(object: KubernetesObject, spec: object): KubernetesObject {
  return { ...object, spec: { ...(object['spec'] as object), ...spec } };
}

function podName(text: string): string {
  return text.replaceAll(/\W+/g, '-');
}
