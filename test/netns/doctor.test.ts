import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import type { Child } from '../servers/child.ts';
import { program } from '../servers/programs.ts';
import { Namespace, skipWithoutNamespaces } from './namespace.ts';
import { LINK_LOCAL } from './world/addresses.ts';
import { doctor, networkState, signpost } from './world/command.ts';
import type { ProxyKind } from './world/kube-proxy.ts';
import { WORLD_PROGRAMS, World } from './world/world.ts';

const MODES: readonly { readonly mode: string; readonly proxy: ProxyKind }[] = [
  { mode: 'nftables', proxy: 'nftables' },
  { mode: 'iptables', proxy: 'iptables-legacy' },
];

/** As NodeLocal DNSCache sets up its node, for an address of its own. */
const NODE_LOCAL = `
ip link add nodelocaldns type bridge
ip address add 169.254.25.10/32 dev nodelocaldns
iptables-legacy -t raw -A PREROUTING -d 169.254.25.10/32 -p udp --dport 53 -m comment --comment 'NodeLocal DNS Cache: skip conntrack' -j NOTRACK
iptables-legacy -t raw -A OUTPUT -s 169.254.25.10/32 -p udp --sport 53 -m comment --comment 'NodeLocal DNS Cache: skip conntrack' -j NOTRACK
iptables-legacy -A INPUT -d 169.254.25.10/32 -p udp --dport 53 -m comment --comment 'NodeLocal DNS Cache: allow DNS traffic' -j ACCEPT
iptables-legacy -A OUTPUT -s 169.254.25.10/32 -p udp --sport 53 -m comment --comment 'NodeLocal DNS Cache: allow DNS traffic' -j ACCEPT
`;

const skip = skipWithoutNamespaces(...WORLD_PROGRAMS, 'ipset');

suite('signpost doctor and teardown', { skip, concurrency: true }, () => {
  for (const { mode, proxy } of MODES) {
    suite(`${mode} beside kube-proxy with ${proxy}`, { concurrency: 1 }, () => {
      let world: World;
      let agent: Child;
      let untouched: string;
      before(async () => {
        world = await World.create(proxy);
        untouched = await networkState(world.node);
        agent = world.startAgent(['--node-network', mode, '--state', world.folder]);
        await world.untilReady(agent);
      });
      after(() => world?.delete());

      const sh = async (script: string) => {
        const { code, stderr } = await world.node.run('sh', '-ec', script);
        assert.equal(code, 0, stderr);
      };

      test('a sound node: no error, exit 0, and what it looked at is told', async () => {
        const { code, examination, codes } = await doctor(world.node);
        assert.equal(code, 0, JSON.stringify(examination, undefined, 1));
        assert.ok(examination.healthy);
        for (const wanted of [
          'agent-ready',
          'answers-agent',
          'cluster-name',
          'rules',
          'switch-armed',
          'failover',
          'state-writable',
        ]) {
          assert.ok(codes().includes(`ok ${wanted}`), `${wanted}: ${codes().join(', ')}`);
        }
        const { stdout } = await signpost(world.node, 'doctor');
        assert.match(stdout, /^agent +ok +version .*ready$/m);
        assert.match(stdout, /^no errors, /m);
      });

      test('it reads only: the node is as before', async () => {
        const before = await networkState(world.node);
        await doctor(world.node);
        assert.equal(await networkState(world.node), before);
      });

      test('the agent hangs: it is stopped, silent, and the switch is off, while the cluster DNS answers', async () => {
        const before = await networkState(world.node);
        await agent.pause();
        await untilFailedOver(world);
        const { code, codes, said } = await doctor(world.node);
        assert.equal(code, 1);
        assert.match(said('agent-stopped'), new RegExp(`process ${agent.pid} is stopped.*kill -CONT ${agent.pid}`));
        assert.ok(codes('agent').includes('error agent-silent'), codes('agent').join(', '));
        assert.match(
          said('answers-failover'),
          /answered by cluster-dns over UDP and TCP: queries are led past the agent/,
        );
        // Nobody mends it now.
        await sh(mode === 'nftables' ? 'nft delete table inet signpost' : 'iptables-legacy -t raw -F PREROUTING');
        const { codes: worse } = await doctor(world.node);
        assert.ok(worse('rules').includes('error rules-missing'), worse('rules').join(', '));
        agent.kill('SIGCONT');
        await agent.waitUntil('mended', async () => (await networkState(world.node)) === before);
      });

      test('a firewall of the host that drops DNS: the rule is named, with what to do', async () => {
        await sh(
          "nft 'table inet strict { chain input { type filter hook input priority 0; policy accept; udp dport 53 drop; }; }'",
        );
        const { code, said } = await doctor(world.node);
        await sh('nft delete table inet strict');
        assert.equal(code, 1);
        assert.match(
          said('host-drops'),
          /table inet strict, chain input: rule .* drops UDP queries to 169\.254\.20\.10:53/,
        );
      });

      test('what NodeLocal DNSCache has left is named, and taken away by --nodelocal alone while the agent goes on', async () => {
        const before = await networkState(world.node);
        await sh(NODE_LOCAL);
        const { codes, said } = await doctor(world.node);
        assert.ok(codes('nodelocal').includes('warning nodelocal-left'), codes('nodelocal').join(', '));
        assert.match(said('nodelocal-left'), /the link nodelocaldns, 4 rules in iptables-legacy.*teardown --nodelocal/);
        const dry = await signpost(world.node, 'teardown', '--nodelocal', '--dry-run');
        assert.match(dry.stdout, /^would be removed: the link nodelocaldns/);
        const { code, stdout } = await signpost(world.node, 'teardown', '--nodelocal');
        assert.equal(code, 0, stdout);
        assert.equal(await networkState(world.node), before);
        await agent.waitUntil('answering', async () =>
          (await world.answerer(world.pods[0], LINK_LOCAL[4])).startsWith('signpost '),
        );
      });

      test('teardown refuses while an agent runs, and says what it would remove', async () => {
        const refused = await signpost(world.node, 'teardown');
        assert.equal(refused.code, 1);
        assert.match(refused.stderr, new RegExp(`process ${agent.pid} is an agent`));
        const before = await networkState(world.node);
        const dry = await signpost(world.node, 'teardown', '--dry-run');
        assert.match(
          dry.stdout,
          mode === 'nftables'
            ? /would be removed: nftables table inet signpost/
            : /would be removed: chains SIGNPOST-\*/,
        );
        assert.match(dry.stdout, new RegExp(LINK_LOCAL[4].replaceAll('.', '\\.')));
        assert.equal(await networkState(world.node), before);
      });

      test('no agent: who answers instead, and that nobody renews the switch', async () => {
        agent.kill('SIGKILL');
        await agent.exit;
        await untilFailedOver(world);
        const flags = ['--listen', LINK_LOCAL[4], '--cluster-dns', '10.96.0.11', '--upstream', '10.96.0.11'];
        const { code, codes, said } = await doctor(world.node, ...flags, '--node-network', mode);
        assert.equal(code, 1);
        assert.ok(codes('agent').includes('error agent-missing'), codes('agent').join(', '));
        assert.match(said('answers-failover'), /answered by cluster-dns over UDP and TCP: the cluster DNS stands in/);
        assert.ok(codes('switch').includes('warning switch-off'), codes('switch').join(', '));
      });

      test('teardown leaves the network as it was before the first start', async () => {
        const { code, stdout } = await signpost(world.node, 'teardown', '--json');
        assert.equal(code, 0, stdout);
        assert.equal(await networkState(world.node), untouched);
        const again = await signpost(world.node, 'teardown');
        assert.equal(again.stdout, 'nothing to remove is in this network\n');
        assert.equal(again.code, 0);
      });

      test('teardown leaves what others have put beside ours', async () => {
        await sh(
          'ip link add signpost0 type bridge; ip address add 192.0.2.77/32 dev signpost0; ip address add 169.254.20.10/32 dev lo',
        );
        const { stdout } = await signpost(world.node, 'teardown');
        assert.match(stdout, /link signpost0 itself stays/);
        const { stdout: left } = await world.node.run(program('ip'), '-o', 'address', 'show');
        assert.match(left, /192\.0\.2\.77/);
        assert.doesNotMatch(left, /169\.254\.20\.10/);
      });
    });
  }
});

test('teardown takes an address that nobody has named only where it is ours to see', { skip }, async (t) => {
  const node = await Namespace.create('169.254.20.10/32');
  t.after(() => node.delete());
  const addresses = async () => (await node.run(program('ip'), '-o', 'address', 'show')).stdout;
  const { stdout } = await signpost(node, 'teardown');
  assert.equal(stdout, 'nothing to remove is in this network\n');
  assert.match(await addresses(), /169\.254\.20\.10/);
  const said = await signpost(node, 'teardown', '--listen', '169.254.20.10');
  assert.match(said.stdout, /^removed: addresses on lo: 169\.254\.20\.10\n/);
  assert.doesNotMatch(await addresses(), /169\.254\.20\.10/);
  // As serve writes it where the kernel has no dummy links, in mode interface.
  await node.run('ip', 'address', 'add', '169.254.20.10/32', 'dev', 'lo', 'scope', 'host', 'preferred_lft', '0');
  const ours = await signpost(node, 'teardown');
  assert.match(ours.stdout, /^removed: addresses on lo: 169\.254\.20\.10\n/);
});

async function untilFailedOver(world: World): Promise<void> {
  await world.clusterDns.waitUntil(
    'standing in',
    async () => (await world.answerer(world.node, LINK_LOCAL[4])) === 'cluster-dns',
  );
}
