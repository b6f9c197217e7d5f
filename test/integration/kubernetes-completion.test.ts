import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { ask, type Server } from '../client/ask.ts';
import { type Message, TYPES } from '../client/message.ts';
import { clusterRights, writeAgentKubeconfig } from '../cluster/agent-rights.ts';
import type { KubernetesObject } from '../cluster/api.ts';
import { CLUSTER_PROGRAMS, type ControlPlane, startControlPlane } from '../cluster/control-plane.ts';
import { endpoint, namespace, pod, port, service } from '../cluster/fixtures.ts';
import { type Agent, startAgent } from '../servers/agent.ts';
import { NAMED_PROGRAMS, type Named, startNamed } from '../servers/named.ts';
import { skipWithout } from '../servers/programs.ts';

const HTTP = port('http', 80);
const HEADLESS = { clusterIP: 'None', ports: [HTTP] };
const PATIENCE_MS = 20_000;
const NDOTS = 5;

/** Pods are told apart by their address; the agent's clients are on loopback. */
const SHOP_POD = pod('shop', 'client', '127.0.2.1');
const OTHER_POD = pod('other', 'client', '127.0.2.2');
const HOST_POD = hostPod('shop', 'agent', '127.0.2.3');
const PODS = [
  { from: '127.0.2.1', namespace: 'shop' },
  { from: '127.0.2.2', namespace: 'other' },
  // On the host's network, and nobody's: what they search for is their own affair.
  { from: '127.0.2.3', namespace: 'shop' },
  { from: '127.0.2.9', namespace: 'shop' },
];

const OBJECTS = [
  namespace('shop'),
  namespace('other'),
  ...service('shop', 'web', { clusterIP: '10.96.10.1', ports: [HTTP] }),
  ...service('other', 'web', { clusterIP: '10.96.10.2', ports: [HTTP] }),
  ...service('other', 'only', { clusterIP: '10.96.10.3', ports: [HTTP] }),
  ...service('shop', 'db', HEADLESS, [endpoint('10.244.1.21', { hostname: 'db-0' })]),
  ...service('shop', 'nobody', HEADLESS, []),
  ...service('shop', 'outside', { type: 'ExternalName', externalName: 'two.example.test' }),
  ...service('shop', 'inside', { type: 'ExternalName', externalName: 'web.other.svc.cluster.local' }),
  ...service('shop', 'astray', { type: 'ExternalName', externalName: 'nothere.example.test' }),
  SHOP_POD,
  OTHER_POD,
  HOST_POD,
];
const NAMES = [
  ...['web', 'only', 'db', 'db-0.db', 'nobody', 'nothere', 'outside', 'inside', 'astray', 'one', 'v6only'],
  ...[
    'web.other',
    'web.shop',
    'web.other.svc',
    'only.other',
    'only.shop',
    'db-0.db.shop',
    'nothere.other',
    'kubernetes.default',
  ],
  ...[
    'web.other.svc.cluster.local',
    'web.shop.svc.cluster.local',
    'example.test',
    'one.example.test',
    'dual.example.test',
  ],
  ...[
    'v6only.example.test',
    'alias.example.test',
    'nothere.example.test',
    'mx.example.test',
    'WEB.Other',
    'One.Example.test',
  ],
];

/** What a resolver that searches in order ends with: whether there was an answer, and its addresses. */
suite('--search complete finds for every pod what its search finds at the cluster DNS, before and after events', {
  skip: skipWithout(...CLUSTER_PROGRAMS, ...NAMED_PROGRAMS),
}, () => {
  let folder: string;
  let named: Named;
  let cluster: ControlPlane;
  let agent: Agent;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'signpost-completion-'));
    named = await startNamed();
    const outside = `${named.host}:${named.port}`;
    const objects = [...OBJECTS, ...clusterRights({ search: 'complete' })];
    cluster = await startControlPlane({ objects, corefileLines: [`forward . ${outside}`] });
    await writeAgentKubeconfig(join(folder, 'kubeconfig'), cluster);
    await writeFile(join(folder, 'resolv.conf'), `nameserver ${named.host}\nsearch example.test\n`);
    const clusterDns = `tcp://${cluster.clusterDns.host}:${cluster.clusterDns.port}`;
    const asked = ['--cluster-dns', clusterDns, '--upstream', outside, '--node-name', 'node-1'];
    const knowing = ['--kubernetes', join(folder, 'kubeconfig'), '--resolv-conf', join(folder, 'resolv.conf')];
    agent = await startAgent([...asked, ...knowing, '--search', 'complete', '--lease']);
    await agent.child.waitUntil('following', async () => {
      const metrics = await agent.scrape();
      const followed = (feature: string) => metrics.count('signpost_kubernetes_followed', { feature });
      return followed('services') === 2 && followed('pods') === 1;
    });
  });
  after(async () => {
    await agent?.stop();
    await cluster?.stop();
    await named?.stop();
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  const completed = async () => (await agent.scrape()).count('coredns_autopath_success_total');

  async function assertSameSearch(names: readonly string[], pods = PODS): Promise<void> {
    for (const pod of pods) {
      for (const name of names) {
        const label = `${name} for ${pod.from} of ${pod.namespace}`;
        assert.deepEqual(await search(agent, name, pod), await search(cluster.clusterDns, name, pod), label);
      }
    }
  }

  /** The cluster DNS, then the agent, come to find this for the pod of `shop`. */
  async function find(name: string, addresses: readonly string[], pod = PODS[0]!): Promise<void> {
    for (const server of [cluster.clusterDns, agent]) {
      await agent.child.waitUntil(
        `reached: ${name} is not ${addresses} at ${server === agent ? 'the agent' : 'the cluster DNS'}`,
        async () => (await search(server, name, pod)).addresses.join() === addresses.join(),
        PATIENCE_MS,
      );
    }
  }

  test('for pods of two namespaces, on the host network, and for strangers: first, and from what is known', async () => {
    await assertSameSearch(NAMES);
    assert.ok((await completed()) > 0);
    await assertSameSearch(NAMES.toReversed());
  });

  test('one round of questions is enough for a known pod', async () => {
    const { rounds } = await searchCounted(agent, 'one.example.test', PODS[0]!);
    assert.equal(rounds, 1);
    assert.equal((await searchCounted(agent, 'one.example.test', PODS[3]!)).rounds, 5);
  });

  test('a Service that comes where the search looks first is found first', async () => {
    await find('web.other', ['0a600a02']);
    for (const object of service('shop', 'other', HEADLESS, [endpoint('10.244.1.31', { hostname: 'web' })])) {
      await cluster.api.create(object);
    }
    await find('web.other', ['0af4011f']);
    await assertSameSearch(['web.other', 'only.other']);
  });

  test('a Service that comes after its name was found elsewhere, or nowhere, is found', async () => {
    await find('one', ['c000020a']);
    await find('late', []);
    for (const [name, clusterIP] of [
      ['one', '10.96.10.11'],
      ['late', '10.96.10.12'],
    ] as const) {
      for (const object of service('shop', name, { clusterIP, ports: [HTTP] })) await cluster.api.create(object);
    }
    await find('one', ['0a600a0b']);
    await find('late', ['0a600a0c']);
    await assertSameSearch(['one', 'late']);
  });

  test('where a Service goes the search goes on', async () => {
    await find('one', ['0a600a0b']);
    await cluster.api.delete(service('shop', 'one', {})[0]!);
    await find('one', ['c000020a']);
    await cluster.api.delete(service('other', 'only', {})[0]!);
    await find('only.other', []);
    await assertSameSearch(['one', 'only.other']);
  });

  test('the address of a pod that is gone is searched for in the namespace of the pod that has it next, never in the old one', async () => {
    const { from } = PODS[0]!;
    await find('db', ['0af40115']);
    await cluster.api.delete(SHOP_POD);
    const next = pod('other', 'next', from);
    await cluster.api.create(next);
    await find('only', [], { from, namespace: 'other' });
    await find('web', ['0a600a02'], { from, namespace: 'other' });
    const roundsOf = async (namespace: string) =>
      (await searchCounted(agent, 'one.example.test', { from, namespace })).rounds;
    await agent.child.waitUntil('told of the next pod', async () => (await roundsOf('other')) === 1, PATIENCE_MS);
    assert.equal(await roundsOf('shop'), 5);
    await assertSameSearch(['web', 'db', 'db-0.db', 'one.example.test'], [{ from, namespace: 'other' }]);
  });
});

interface Searcher {
  readonly from: string;
  readonly namespace: string;
}

async function search(
  server: Server,
  name: string,
  searcher: Searcher,
): Promise<{ addresses: string[]; rcodes: number[] }> {
  const { addresses, rcodes } = await searchCounted(server, name, searcher);
  return { addresses, rcodes };
}

/** As glibc searches: both families of each name in turn, until one has an address. A name that exists without any does not end it. */
async function searchCounted(server: Server, name: string, { from, namespace: own }: Searcher) {
  const suffixes = [`${own}.svc.cluster.local`, 'svc.cluster.local', 'cluster.local', 'example.test'];
  const searched = suffixes.map((suffix) => `${name}.${suffix}`);
  const inOrder = name.split('.').length - 1 < NDOTS ? [...searched, name] : [name, ...searched];
  let rcodes: number[] = [];
  for (const [at, candidate] of inOrder.entries()) {
    const replies = await Promise.all(['A', 'AAAA'].map((type) => ask(server, { name: candidate, type, from })));
    rcodes = replies.map(({ rcode }) => rcode);
    const addresses = replies.flatMap(addressesOf);
    if (addresses.length > 0) return { addresses, rcodes: [], rounds: at + 1 };
  }
  return { addresses: [], rcodes, rounds: inOrder.length };
}

function addressesOf({ answers }: Message): string[] {
  const own = answers.filter(({ type }) => type === TYPES['A'] || type === TYPES['AAAA']);
  return own.map(({ data }) => data).sort();
}

function hostPod(inNamespace: string, name: string, ip: string): KubernetesObject {
  const made = pod(inNamespace, name, ip);
  return { ...made, spec: { ...(made['spec'] as object), hostNetwork: true } };
}
