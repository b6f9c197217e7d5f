import assert from 'node:assert/strict';
import { after, before, suite, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Status, UpstreamStatus } from '../../src/admin/status.ts';
import { ask, type Server } from '../client/ask.ts';
import type { Message } from '../client/message.ts';
import type { KubernetesObject } from '../cluster/api.ts';
import { CLUSTER_PROGRAMS, type ControlPlane, startControlPlane } from '../cluster/control-plane.ts';
import { type Endpoint, endpoint, endpointSlice, namespace, port, service } from '../cluster/fixtures.ts';
import { type Agent, startAgent } from '../servers/agent.ts';
import { honest, type Liar, type Lie, startLiar } from '../servers/liar.ts';
import { skipWithoutNamespaces } from './namespace.ts';
import { enterOwnNetwork } from './own-network.ts';

const SERVICE = '10.96.0.10';
const PODS = ['10.244.0.2', '10.244.0.3'] as const;
const HOST = '10.0.0.5';
const NODE = 'node-1.example.test';
const PORTS = [port('dns', 53, 'UDP'), port('dns-tcp', 53)];
const SLICE = endpointSlice('kube-system', 'kube-dns', PORTS, []);
const NXDOMAIN = 3;

const skip = skipWithoutNamespaces('unshare', 'mount', ...CLUSTER_PROGRAMS);
if (!skip) enterOwnNetwork({ addresses: [SERVICE, ...PODS, HOST].map((address) => `${address}/32`) });

/** A node as its kubelet has reported it. */
function node(name: string, addresses: readonly (readonly [type: string, address: string])[]): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: { 'topology.kubernetes.io/zone': 'z1' } },
    status: { addresses: addresses.map(([type, address]) => ({ type, address })) },
  };
}

async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await isSo()); tries++) {
    if (tries > 1500) assert.fail(`not ${what}`);
    await sleep(20);
  }
}

const silent = (): void => {};
const at = (host: string): Server => ({ host, port: 53 });

suite('an agent that knows the cluster by its API', { skip }, () => {
  let cluster: ControlPlane;
  let atService: Liar;
  let pods: Liar[];
  let names = 0;

  before(async () => {
    cluster = await startControlPlane({
      objects: [
        namespace('shop'),
        ...service('shop', 'web', { clusterIP: '10.96.10.1', ports: [port('http', 80)] }),
        ...service(
          'kube-system',
          'kube-dns',
          { clusterIP: SERVICE, ports: PORTS },
          PODS.map((pod) => endpoint(pod)),
        ),
        node(NODE, [
          ['InternalIP', HOST],
          ['ExternalIP', '192.0.2.1'],
          ['Hostname', 'node-1'],
        ]),
      ],
      // As many clusters have it: what it does not know is asked of its node.
      corefileLines: [`forward . ${HOST}:53`],
    });
    atService = await startLiar(cluster.clusterDns, at(SERVICE));
    pods = await Promise.all(PODS.map((pod) => startLiar(cluster.clusterDns, at(pod))));
  });
  after(async () => {
    for (const liar of [atService, ...(pods ?? [])]) liar?.stop();
    await cluster?.stop();
  });

  async function start(t: TestContext, ...flags: string[]): Promise<Agent> {
    const agent = await startAgent([
      ...['--kubernetes', cluster.kubeconfig, '--node-name', NODE, '--upstream', '127.0.0.1:9', '--search', 'off'],
      ...['--cluster-dns', SERVICE, ...flags],
    ]);
    t.after(async () => {
      await agent.stop();
      for (const liar of [atService, ...pods]) liar.behave(honest);
      await set(...PODS.map((pod) => endpoint(pod)));
    });
    return agent;
  }

  const set = (...endpoints: Endpoint[]) => cluster.api.patch(SLICE, { endpoints });

  /** A name that nobody has asked for. */
  const askNew = (server: Server): Promise<Message> =>
    ask(server, { name: `absent-${names++}.shop.svc.cluster.local`, type: 'A' });

  async function askMany(server: Server, count: number): Promise<void> {
    for (let i = 0; i < count; i++) assert.equal((await askNew(server)).rcode, NXDOMAIN);
  }

  async function upstreams(agent: Agent): Promise<readonly UpstreamStatus[]> {
    const status = (await (await fetch(`${agent.adminUrl}/api/v1/status`)).json()) as Status;
    return status.zones.find(({ zone }) => zone === 'cluster.local.')!.upstreams;
  }

  async function ranks(agent: Agent): Promise<string> {
    const all = await upstreams(agent);
    return all
      .map(({ address, rank }) => `${rank} ${address}`)
      .toSorted()
      .join(', ');
  }

  const address = async (server: Server) =>
    (await ask(server, { name: 'web.shop.svc.cluster.local', type: 'A' })).answers[0]?.data;

  const BOTH = `0 tcp://${PODS[0]}:53, 0 tcp://${PODS[1]}:53, 1 tcp://${SERVICE}:53`;
  const counts = () => [...pods, atService].map(({ count }) => count);

  test('asks the DNS pods and not their Service, drains one that leaves, keeps its cache, and goes back to the Service when there is none', async (t) => {
    const agent = await start(t, '--cluster-dns', 'endpoints');
    await until('led to both', async () => (await ranks(agent)) === BOTH);
    atService.behave(silent);
    const before = counts();
    await askMany(agent, 40);
    const [first, second] = counts().map((count, i) => count - before[i]!);
    assert.ok(first! > 0 && second! > 0, `${first} ${second}`);
    assert.equal(await address(agent), '0a600a01');

    await set(endpoint(PODS[0]));
    await until('led to one', async () => !(await ranks(agent)).includes(PODS[1]));
    const held: Lie[] = [];
    pods[0]!.behave((lie) => held.push(lie));
    pods[1]!.behave(silent);
    const slow = ask(agent, { name: 'slow.shop.svc.cluster.local', type: 'A' });
    await until('asked', () => held.length > 0);
    await set(endpoint(PODS[1]));
    await until('led to the other', async () => !(await ranks(agent)).includes(PODS[0]));
    for (const lie of held) lie.send(lie.truth);
    assert.equal((await slow).rcode, NXDOMAIN);
    assert.equal(await address(agent), '0a600a01', 'nobody else could tell: the cache is as it was');
    pods[1]!.behave(honest);
    const left = pods[0]!.count;
    await until('answered', async () => (await askNew(agent)).rcode === NXDOMAIN);
    assert.equal(pods[0]!.count, left);

    atService.behave(honest);
    await set();
    await until('led to the Service', async () => (await ranks(agent)) === `0 tcp://${SERVICE}:53`);
    const asked = atService.count;
    await until('answered', async () => (await askNew(agent)).rcode === NXDOMAIN);
    assert.ok(atService.count > asked);
    assert.match(await (await fetch(`${agent.adminUrl}/ready`)).text(), /"cluster-dns-endpoints".*it has no pods/);
    await set(...PODS.map((pod) => endpoint(pod)));
    await until('led to both again', async () => (await ranks(agent)) === BOTH);
    assert.equal((await agent.scrape()).sum('signpost_cluster_dns_direct', { place: 'near' }), 2);
  });

  test('passes over a pod that is silent, and asks the Service where all are', async (t) => {
    const agent = await start(t, '--cluster-dns', 'endpoints');
    await until('led to both', async () => (await ranks(agent)) === BOTH);
    await askMany(agent, 10);
    atService.behave(silent);
    pods[0]!.behave(silent);
    await askMany(agent, 10);
    atService.behave(honest);
    pods[1]!.behave(silent);
    await until('answered by the Service', async () => (await askNew(agent)).rcode === NXDOMAIN);
  });

  test('asks the pods that the cluster means for its zone, the others while these are silent', async (t) => {
    const hinted = (pod: string, zone: string) => endpoint(pod, { hints: { forZones: [{ name: zone }] } });
    await set(hinted(PODS[0], 'z1'), hinted(PODS[1], 'z2'));
    const agent = await start(t, '--cluster-dns', 'endpoints');
    const near = `0 tcp://${PODS[0]}:53, 1 tcp://${PODS[1]}:53, 2 tcp://${SERVICE}:53`;
    await until('led by zone', async () => (await ranks(agent)) === near);
    pods[1]!.behave(silent);
    atService.behave(silent);
    await askMany(agent, 10);
    pods[1]!.behave(honest);
    pods[0]!.behave(silent);
    await until('answered by the other', async () => (await askNew(agent)).rcode === NXDOMAIN);
    assert.match(await (await fetch(`${agent.adminUrl}/ready`)).text(), /this node is in zone z1/);
  });

  test('answers names and addresses of nodes, as they are by the next question, and to a cluster DNS that forwards to it as well', async (t) => {
    const agent = await start(t, '--node-names', '--listen', `${HOST}:53`);
    const say = async (server: Server, name: string, type = 'A') => {
      const { rcode, answers } = await ask(server, { name, type });
      return rcode === 0 ? answers.map(({ ttl, data }) => `${ttl} ${data}`).join() : `rcode ${rcode}`;
    };
    await until('known', async () => (await say(agent, NODE)) === '10 0a000005');
    assert.equal(await say(agent, 'NODE-1'), '10 0a000005');
    assert.equal(await say(agent, NODE, 'AAAA'), '');
    const pointer = `10 ${Buffer.from('\x06node-1\x07example\x04test\0', 'latin1').toString('hex')}`;
    assert.equal(await say(agent, '5.0.0.10.in-addr.arpa', 'PTR'), pointer);
    // By way of the cluster DNS, which asks its node.
    assert.equal(await say(cluster.clusterDns, NODE), '10 0a000005');
    assert.equal(await say(cluster.clusterDns, '5.0.0.10.in-addr.arpa', 'PTR'), pointer);
    assert.equal(await say(agent, 'web.shop.svc.cluster.local'), '30 0a600a01');

    const changed = node(NODE, [
      ['InternalIP', '10.0.0.6'],
      ['InternalIP', 'fd00::6'],
    ]);
    await cluster.api.patchStatus(changed, changed['status']);
    await until('another', async () => (await say(agent, 'node-1')) === '10 0a000006');
    // That there are two families now only the whole object tells.
    await until('of two families', async () => (await say(agent, NODE, 'AAAA')) === `10 fd${'00'.repeat(14)}06`);
    assert.notEqual(await say(agent, '5.0.0.10.in-addr.arpa', 'PTR'), pointer);
    assert.equal(await say(agent, '6.0.0.10.in-addr.arpa', 'PTR'), pointer);

    assert.notEqual(await say(agent, 'node-2'), '10 0a000007');
    const second = node('node-2', [['ExternalIP', '10.0.0.7']]);
    await cluster.api.create(second);
    await until('there', async () => (await say(agent, 'node-2')) === '10 0a000007');
    await cluster.api.delete(second);
    await until('gone', async () => (await say(agent, 'node-2')) !== '10 0a000007');
    assert.equal((await agent.scrape()).sum('signpost_node_names'), 1);
    // What neither knows would go round between them.
    const looped = ['in-addr.arpa.', 'ip6.arpa.'].map((zone) => `"zone":"${zone}"`);
    const lines = () => agent.child.output.split('\n').filter((line) => line.includes('leads back to this agent'));
    await until('found', () => looped.every((zone) => lines().some((line) => line.includes(zone))));
  });
});
