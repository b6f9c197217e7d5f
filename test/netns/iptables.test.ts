import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { WantedRules } from '../../src/node-network/wanted-state.ts';
import { Child } from '../servers/child.ts';
import { program } from '../servers/programs.ts';
import { IptablesNode } from './iptables-node.ts';
import { largeCluster } from './large-cluster.ts';
import { Namespace, skipWithoutNamespaces } from './namespace.ts';
import { DNS_PODS, KUBE_DNS, KUBE_DNS_UPSTREAM, LINK_LOCAL } from './world/addresses.ts';
import type { ProxyKind } from './world/kube-proxy.ts';
import { lanesTo, QueryClient } from './world/query-client.ts';
import { WORLD_PROGRAMS, World } from './world/world.ts';

const skip = skipWithoutNamespaces(...WORLD_PROGRAMS, 'ipset', 'conntrack', 'flock');

const HOSTS = [LINK_LOCAL[4], KUBE_DNS[4], LINK_LOCAL[6], KUBE_DNS[6]];
const at = (host: string) => ({ host, port: 53 });
const wanted = (hasNoTrack: boolean, hosts: readonly string[] = HOSTS): WantedRules => ({
  listen: hosts.map(at),
  hasNoTrack,
  failovers: ([4, 6] as const)
    .filter((family) => hosts.includes(LINK_LOCAL[family]))
    .map((family) => ({
      family,
      listen: at(LINK_LOCAL[family]),
      service: at(KUBE_DNS_UPSTREAM[family]),
      targets: [],
    })),
});

/** A world with the listen addresses on the node, deleted after the test. */
async function create(
  t: TestContext,
  variant: 'nft' | 'legacy',
  proxy: ProxyKind = `iptables-${variant}`,
): Promise<World> {
  const world = await World.create(proxy);
  t.after(() => world.delete());
  const lines = HOSTS.map((host) => `address add ${host}/${host.includes(':') ? 128 : 32} dev lo nodad\n`).join('');
  const { code, stderr } = await world.node.run('sh', '-c', `printf '${lines}' | ip -batch -`);
  assert.equal(code, 0, stderr);
  return world;
}

function start(
  world: World,
  ...args: ConstructorParameters<typeof IptablesNode> extends [unknown, ...infer R] ? R : never
) {
  const node = new IptablesNode(world.node, ...args);
  world.own(node.child);
  return node;
}

/** Who answers a client that uses one port all the time, as a long-lived socket does. */
async function askFrom(from: Namespace, host: string, port: number): Promise<string | undefined> {
  const source = `${host.includes(':') ? '::' : '0.0.0.0'}#${port}`;
  const question = ['version.bind', 'CH', 'TXT', '+short', '+time=2', '+tries=4'];
  const { stdout } = await from.run(program('dig'), '-b', source, `@${host}`, ...question);
  return /^"(.*)"$/m.exec(stdout)?.[1];
}

/** What the tools print, without dates, counters, and the places of chains among each other. */
async function shape(node: IptablesNode): Promise<string[]> {
  return (await node.saved()).split('\n').filter((line) => line.startsWith('-A'));
}

suite('Rules by iptables', { skip, concurrency: 3 }, () => {
  for (const { variant, switchKind, hasNoTrack } of [
    { variant: 'nft', switchKind: 'ipset', hasNoTrack: true },
    { variant: 'legacy', switchKind: 'xt_recent', hasNoTrack: true },
    { variant: 'nft', switchKind: 'ipset', hasNoTrack: false },
  ] as const) {
    const title = `iptables-${variant}, ${switchKind}, NOTRACK ${hasNoTrack ? 'on' : 'off'}`;
    test(`queries come to the agent while it renews the switch, and go to the cluster DNS else (${title})`, async (t) => {
      const world = await create(t, variant);
      const rules = start(world, { variant, switchKind }, wanted(hasNoTrack));
      const untouched = await shape(rules);
      await rules.call('apply');
      const places = [world.node, ...world.pods];
      const clients = places.map((place) => QueryClient.start(place, lanesTo(HOSTS, 100)));
      for (const { child } of clients) world.own(child);
      const until = (who: string) => Promise.all(clients.map((client) => client.untilAnsweredBy(who)));
      const fixed = () =>
        Promise.all(places.slice(0, 2).flatMap((place) => HOSTS.map((host, n) => askFrom(place, host, 30_000 + n))));

      await until('cluster-dns');
      const agent = world.startAgent(['--node-network', 'off', ...HOSTS.flatMap((host) => ['--listen', host])]);
      await world.untilReady(agent);
      await rules.call('renewing', 1);
      await until('signpost');
      assert.deepEqual(new Set((await fixed()).map((name) => name?.split(' ')[0]?.slice(0, 8))), new Set(['signpost']));
      for (const family of ['ipv4', 'ipv6']) {
        const tracked = await world.node.run(program('conntrack'), '-L', '-f', family, '-p', 'udp');
        assert.equal(/ sport=3000\d dport=53 /.test(tracked.stdout), !hasNoTrack, tracked.stdout);
      }

      agent.kill('SIGKILL');
      await rules.call('renewing', 0);
      // Sockets that the agent has answered before, look-ups by libc over UDP and over TCP: all begin while nobody is there.
      const pinned = fixed();
      const lookUps = Promise.all(
        places
          .slice(0, 2)
          .flatMap((place) =>
            HOSTS.flatMap((host) =>
              ['', 'use-vc'].map((option) => world.getent(place, 'a.wild.example.test', [host], option)),
            ),
          ),
      );
      await until('cluster-dns');
      assert.deepEqual(new Set(await pinned), new Set(['cluster-dns']));
      assert.deepEqual(new Set((await lookUps).map(({ code }) => code)), new Set([0]));
      for (const client of clients) {
        for (const { name, refused } of await client.stop()) assert.equal(refused, 0, name);
      }
      await rules.call('remove');
      assert.deepEqual(await shape(rules), untouched);
      assert.equal((await world.node.run(program('ipset'), 'list', '-name')).stdout, '');
    });
  }

  test('what others do to the rules is found, named, and mended without duplicates', async (t) => {
    const world = await create(t, 'nft');
    const rules = start(world, { variant: 'nft' }, wanted(true));
    const before = await world.node.run(program('iptables-nft-save'));
    const foreign = (await shape(rules)).sort();
    await rules.call('apply');
    const right = (await shape(rules)).sort();
    assert.deepEqual(
      right.filter((line) => !line.includes('SIGNPOST-')),
      foreign,
    );
    const old = await world.node.run(program('iptables-nft-save'));
    const restore = async (name: string, text: string) => {
      const file = join(world.folder, name);
      await writeFile(file, text);
      return `iptables-nft-restore < ${file}`;
    };
    for (const [what, script, code] of [
      ['a table is flushed', 'iptables-nft -t raw -F', 'rules-missing'],
      ['a chain is flushed', 'ip6tables-nft -t nat -F SIGNPOST-PREROUTING', 'rules-missing'],
      [
        'a jump is deleted',
        'iptables-nft -D INPUT -m comment --comment "signpost: DNS of this node" -j SIGNPOST-INPUT',
        'rules-missing',
      ],
      ['a rule is deleted', 'iptables-nft -D SIGNPOST-OUTPUT 2', 'rules-changed'],
      ['a rule is changed', 'iptables-nft -t raw -R SIGNPOST-PREROUTING 1 -d 169.254.20.10 -j ACCEPT', 'rules-changed'],
      ['a drop is put in front', 'iptables-nft -I INPUT -p udp -m state --state INVALID -j DROP', 'rules-behind'],
      ['a jump is there twice', 'iptables-nft -t raw -A PREROUTING -j SIGNPOST-PREROUTING', 'rules-duplicated'],
      ['a dump of before is restored', await restore('before', before.stdout), 'rules-missing'],
      [
        'an old dump of ours is restored',
        await restore('old', old.stdout.replaceAll(/^(-A SIGNPOST-.*)10\.244\.1\.54/gm, '$110.244.1.99')),
        'rules-changed',
      ],
      ['everything is gone', 'nft flush ruleset; ipset destroy', 'rules-missing'],
    ] as const) {
      const { code: exit, stderr } = await world.node.run('sh', '-ec', script);
      assert.equal(exit, 0, `${what}: ${stderr}`);
      const codes = (await rules.findings()).map((finding) => finding.code);
      assert.ok(codes.includes(code), `${what}: ${codes}`);
      await rules.call('apply');
      assert.deepEqual(await rules.findings(), [], what);
      await rules.call('renew');
      if (what === 'everything is gone') await world.syncProxy();
    }
    await rules.call('apply');
    await rules.call('cycles', 100);
    const ours = (lines: readonly string[]) => lines.filter((line) => line.includes('SIGNPOST-')).sort();
    assert.deepEqual(ours(await shape(rules)), ours(right));
  });

  for (const switchKind of ['ipset', 'xt_recent'] as const) {
    test(`a successor renews what the rules before match while it cannot write its own (${switchKind})`, async (t) => {
      const world = await create(t, 'nft');
      const before = start(world, { variant: 'nft', switchKind }, wanted(true, [LINK_LOCAL[4]]));
      await before.call('apply');
      await before.call('renew');
      const next = start(world, { variant: 'nft', switchKind }, wanted(true, [LINK_LOCAL[4]]));
      await next.call('renewing', 1);
      await sleep(4000);
      const script = 'ipset list signpost-4 2>/dev/null || cat /proc/net/xt_recent/signpost-4';
      const { stdout } = await world.node.run('sh', '-c', script);
      if (switchKind === 'ipset') assert.match(stdout, /^169\.254\.20\.10,udp:53 timeout [123]$/m);
      else assert.ok(stdout.split(',').length >= 4, stdout);
      await next.call('renewing', 0);
      await next.call('withdraw');
      const { stdout: after } = await world.node.run('sh', '-c', script);
      assert.ok(!after.includes('169.254.20.10'), after);
    });
  }

  test('a thousand looks and repairs leave each rule once', async (t) => {
    const world = await create(t, 'legacy');
    const rules = start(world, { variant: 'legacy' }, wanted(true, [LINK_LOCAL[4]]));
    await rules.call('apply');
    const right = await shape(rules);
    for (let round = 0; round < 20; round++) {
      await world.node.run(program('iptables-legacy'), '-t', 'raw', '-I', 'OUTPUT', '-j', 'SIGNPOST-OUTPUT');
      await rules.call('cycles', 50);
    }
    assert.deepEqual((await shape(rules)).sort(), right.sort());
  });

  test("the fail-over follows kube-proxy's rules, and kube-proxy can delete its chains", async (t) => {
    const world = await create(t, 'legacy');
    const rules = start(world, { variant: 'legacy' }, wanted(true));
    const targets = async () =>
      (await shape(rules))
        .filter((line) => /-A SIGNPOST-PREROUTING .* -j DNAT/.test(line))
        .map((line) => line.split(' ').at(-1));
    await rules.call('apply');
    assert.equal(new Set(await targets()).size, 4);
    await world.syncProxy({ 4: [DNS_PODS[4][1]], 6: DNS_PODS[6] });
    assert.ok((await rules.findings()).some(({ code }) => code === 'rules-changed'));
    await rules.call('apply');
    assert.deepEqual(
      new Set((await targets()).filter((target) => !target?.startsWith('['))),
      new Set([`${DNS_PODS[4][1]}:53`]),
    );
    // Without endpoints for a moment: the last ones stand.
    await world.syncProxy({ 4: [], 6: [] });
    assert.deepEqual(await rules.findings(), []);
    await rules.call('remove');
  });

  for (const variant of ['nft', 'legacy'] as const) {
    test(`a large cluster's thousands of rules are not read for ours (iptables-${variant})`, async (t) => {
      const node = await Namespace.create('169.254.20.10/32');
      t.after(() => node.delete());
      const folder = await mkdtemp(join(tmpdir(), 'signpost-'));
      t.after(() => rm(folder, { recursive: true }));
      const sync = async (pods: number) => {
        const file = join(folder, 'rules');
        await writeFile(file, largeCluster({ services: 300, pods }));
        const { code, stderr } = await node.run('sh', '-c', `iptables-${variant}-restore --noflush < ${file}`);
        assert.equal(code, 0, stderr);
      };
      await sync(6);
      const failovers = [
        { family: 4 as const, listen: at(LINK_LOCAL[4]), service: { host: '10.97.0.0', port: 80 }, targets: [] },
      ];
      const rules = new IptablesNode(node, { variant }, { ...wanted(true, [LINK_LOCAL[4]]), failovers });
      t.after(() => rules.child.stop());
      const ours = async () => (await shape(rules)).filter((line) => line.includes('SIGNPOST-')).sort();
      const pods = async () =>
        new Set((await ours()).flatMap((line) => /DNAT --to-destination (\S+)/.exec(line)?.[1] ?? []));
      const foreign = (await shape(rules)).length;
      await rules.call('apply');
      assert.deepEqual(await rules.findings(), []);
      assert.equal((await pods()).size, 6);
      const right = await ours();
      for (const [what, script, code] of [
        ['a jump is deleted', '-t nat -D PREROUTING 1', 'rules-missing'],
        ['a chain is flushed', '-t raw -F SIGNPOST-PREROUTING', 'rules-missing'],
        ['a drop is put in front', '-I INPUT -p udp -j DROP', 'rules-behind'],
        ['a jump is there twice', '-t nat -A PREROUTING -j SIGNPOST-PREROUTING', 'rules-duplicated'],
      ] as const) {
        const { code: exit, stderr } = await node.run('sh', '-ec', `iptables-${variant} ${script}`);
        assert.equal(exit, 0, `${what}: ${stderr}`);
        const codes = (await rules.findings()).map((finding) => finding.code);
        assert.deepEqual(codes, [code], what);
        await rules.call('apply');
        assert.deepEqual(await rules.findings(), [], what);
      }
      await rules.call('cycles', 20);
      assert.deepEqual(await ours(), right);
      // A pod less, while the Service's rule stays what it was.
      await sync(5);
      assert.ok((await rules.findings()).some(({ code }) => code === 'rules-changed'));
      await rules.call('apply');
      assert.equal((await pods()).size, 5);
      await rules.call('remove');
      assert.deepEqual(await ours(), []);
      // One drop of ours above, and a pod less for each Service: three rules.
      assert.equal((await shape(rules)).length, foreign + 1 - 300 * 3);
    });
  }

  test("the DNS pods are found in kube-proxy's own table as well (nftables)", async (t) => {
    const world = await create(t, 'nft', 'nftables');
    const rules = start(world, { variant: 'nft' }, wanted(true));
    await rules.call('apply');
    const targets = (await shape(rules)).flatMap(
      (line) => /DNAT --to-destination \[?([^\]]+?)\]?:53$/.exec(line)?.[1] ?? [],
    );
    assert.deepEqual(new Set(targets), new Set([...DNS_PODS[4], ...DNS_PODS[6]]));
    const client = QueryClient.start(world.pods[0], lanesTo([LINK_LOCAL[4], LINK_LOCAL[6]], 100));
    world.own(client.child);
    await client.untilAnsweredBy('cluster-dns');
    await client.stop();
  });

  test('what an earlier process left in the other iptables is taken out', async (t) => {
    const world = await create(t, 'nft');
    const earlier = start(world, { variant: 'legacy', switchKind: 'ipset' }, wanted(true));
    await earlier.call('apply');
    const rules = start(world, { variant: 'nft', switchKind: 'xt_recent' }, wanted(true));
    await rules.call('apply');
    const left = await world.node.run(program('iptables-legacy-save'));
    assert.doesNotMatch(left.stdout, /SIGNPOST/);
    assert.equal((await world.node.run(program('ipset'), 'list', '-name')).stdout, '');
    assert.equal(rules.switchKind, 'xt_recent');
    assert.deepEqual(await rules.findings(), []);
  });

  test('the set is renewed and withdrawn in the order in which that was asked for, with no wait between', async (t) => {
    const node = await Namespace.create();
    t.after(() => node.delete());
    const script = `
      const { IpsetSwitch } = await import(process.argv[1]);
      const set = new IpsetSwitch();
      const listen = [{ host: '169.254.20.10', port: 53 }];
      const asked = [set.renew(listen), set.renew(listen), set.withdraw(listen)];
      console.log((await Promise.allSettled(asked)).map(({ status, reason }) => reason?.message ?? status).join());
      set.close();`;
    const module = new URL('../../src/node-network/ipset.ts', import.meta.url).href;
    const { stdout } = await node.run(process.execPath, '--input-type=module', '--eval', script, module);
    assert.equal(stdout, 'fulfilled,fulfilled,fulfilled\n');
    assert.doesNotMatch((await node.run(program('ipset'), 'list', 'signpost-4')).stdout, /169\.254\.20\.10/);
  });

  test('a lock that another holds is waited for, with an end, and the switch is renewed meanwhile', async (t) => {
    const world = await create(t, 'legacy');
    const lock = join(world.folder, 'xtables.lock');
    const rules = start(world, { variant: 'legacy' }, wanted(true), { XTABLES_LOCKFILE: lock });
    await rules.call('apply');
    await world.node.run(program('iptables-legacy'), '-t', 'raw', '-F');
    const holder = world.own(new Child(program('flock'), ['--no-fork', lock, 'sh', '-c', 'echo held; exec sleep 60']));
    await holder.waitUntil('holding the lock', () => holder.output.includes('held'));
    const applying = assert.rejects(rules.call('apply'), { code: 'ERR_IPTABLES_LOCK' });
    const other = start(world, { variant: 'legacy' }, wanted(true), { XTABLES_LOCKFILE: join(world.folder, 'free') });
    await other.call('apply');
    await other.call('renew');
    const { stdout } = await world.node.run(program('ipset'), 'list', 'signpost-4');
    assert.match(stdout, /169\.254\.20\.10,udp:53/);
    await applying;
    await holder.stop();
    await rules.call('apply');
    assert.deepEqual(await rules.findings(), []);
  });
});
