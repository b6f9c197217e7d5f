import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { skipWithoutNamespaces } from './namespace.ts';
import { DNS_PODS, KUBE_DNS, KUBE_DNS_UPSTREAM, LINK_LOCAL } from './world/addresses.ts';
import { type ApiState, ClusterApi } from './world/cluster-api.ts';
import { WORLD_PROGRAMS, World } from './world/world.ts';

const STATE: ApiState = {
  services: {
    'kube-dns': [KUBE_DNS[4], KUBE_DNS[6]],
    'kube-dns-upstream': [KUBE_DNS_UPSTREAM[4], KUBE_DNS_UPSTREAM[6]],
  },
  endpoints: { 'kube-dns': [DNS_PODS[4][0], DNS_PODS[6][0]] },
};

suite('what the API says of the cluster DNS', { skip: skipWithoutNamespaces(...WORLD_PROGRAMS, 'ipset') }, () => {
  let world: World;
  before(async () => {
    world = await World.create('iptables-nft');
  });
  after(() => world?.delete());

  async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
    for (let tries = 0; !(await isSo()); tries++) {
      if (tries > 200) assert.fail(`not ${what}`);
      await sleep(50);
    }
  }

  /** Where the fail-over of iptables leads to, in order. */
  async function targets(): Promise<string> {
    const dumps = await Promise.all(
      ['iptables-nft-save', 'ip6tables-nft-save'].map((save) => world.node.run(save, '-t', 'nat')),
    );
    const ours = dumps.flatMap(({ stdout }) => stdout.split('\n').filter((line) => line.startsWith('-A SIGNPOST')));
    const hosts = ours.flatMap((line) => /--to-destination \[?([0-9a-f:.]+?)\]?:53$/.exec(line)?.[1] ?? []);
    return [...new Set(hosts)].sort().join(' ');
  }

  async function answerers(): Promise<string[]> {
    return Promise.all([LINK_LOCAL[4], LINK_LOCAL[6]].map((host) => world.answerer(world.pods[0], host)));
  }

  test('in iptables the fail-over leads to the pods that the API knows, follows them, and keeps them when it is gone', async () => {
    const api = await ClusterApi.start(world, STATE);
    // The configuration has the Service's address of one family; that of the other is the API's to say.
    const flags = ['--cluster-dns', KUBE_DNS_UPSTREAM[4], '--kubernetes', api.kubeconfig];
    const agent = world.startAgent([...flags, '--node-network', 'iptables']);
    await world.untilReady(agent);
    await until('led to the pods', async () => (await targets()) === [DNS_PODS[4][0], DNS_PODS[6][0]].sort().join(' '));
    await api.set({ ...STATE, endpoints: { 'kube-dns': [DNS_PODS[4][1], DNS_PODS[6][1]] } });
    const others = [DNS_PODS[4][1], DNS_PODS[6][1]].sort().join(' ');
    await until('led to the other pods', async () => (await targets()) === others);
    const metrics = await world.scrape();
    assert.equal(metrics.sum('signpost_cluster_dns_endpoints', { family: '4' }), 1);
    assert.equal(metrics.sum('signpost_kubernetes_followed', { feature: 'cluster-dns' }), 1);
    await api.end();
    await until('said to be stale', async () =>
      /"name":"kubernetes","ok":true,"warning":true,.*2 known of kube-system\/kube-dns/.test(
        await world.http('http://127.0.0.1:9254/ready'),
      ),
    );
    assert.equal(await targets(), others);
    assert.match(await world.http('http://127.0.0.1:9254/ready'), /^200/);
    agent.kill('SIGKILL');
    await until('answered by the cluster DNS', async () => (await answerers()).every((name) => name === 'cluster-dns'));
  });

  test('in nftables a family that the configuration has no cluster DNS of fails over to where the API says', async () => {
    const api = await ClusterApi.start(world, STATE);
    const flags = ['--cluster-dns', KUBE_DNS_UPSTREAM[4], '--kubernetes', api.kubeconfig];
    const agent = world.startAgent([...flags, '--node-network', 'nftables']);
    await world.untilReady(agent);
    const table = () => world.node.run('nft', 'list', 'table', 'inet', 'signpost');
    await until('led to the Service', async () => (await table()).stdout.includes(KUBE_DNS_UPSTREAM[6]));
    agent.kill('SIGKILL');
    await until('answered by the cluster DNS', async () => (await answerers()).every((name) => name === 'cluster-dns'));
  });

  test('where the configuration names both families the API is not asked for the DNS pods', async () => {
    const api = await ClusterApi.start(world, STATE);
    const agent = world.startAgent(['--kubernetes', api.kubeconfig, '--node-network', 'nftables']);
    await world.untilReady(agent);
    assert.doesNotMatch(await world.http('http://127.0.0.1:9254/ready'), /"name":"kubernetes"/);
    assert.equal((await world.scrape()).count('signpost_kubernetes_watches_total', { feature: 'cluster-dns' }), 0);
    await agent.stop();
  });
});
