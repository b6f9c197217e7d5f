import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, afterEach, before, suite, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Child } from '../servers/child.ts';
import { program } from '../servers/programs.ts';
import { skipWithoutNamespaces } from './namespace.ts';
import { KUBE_DNS, LINK_LOCAL } from './world/addresses.ts';
import { doctor, networkState } from './world/command.ts';
import type { ProxyKind } from './world/kube-proxy.ts';
import { lanesTo, QueryClient } from './world/query-client.ts';
import { WORLD_PROGRAMS, World } from './world/world.ts';

const HOSTS = [LINK_LOCAL[4], LINK_LOCAL[6], KUBE_DNS[4], KUBE_DNS[6]];
const FURTHER = '169.254.20.11';
/** For so long the switch holds, and a query may be on its way. */
const LONGEST_GAP_MS = 3500;

const MODES: readonly { readonly mode: string; readonly other: string; readonly proxy: ProxyKind }[] = [
  { mode: 'nftables', other: 'iptables', proxy: 'nftables' },
  { mode: 'iptables', other: 'nftables', proxy: 'iptables-nft' },
];

const skip = skipWithoutNamespaces(...WORLD_PROGRAMS, 'ipset');

/** Says what lines differ, and not all of them. In which order tables, sets and addresses are listed is a matter of who was there first. */
function assertSame(state: string, wanted: string): void {
  const [there, before] = [state.split('\n').sort(), wanted.split('\n').sort()];
  const more = there.filter((line) => !before.includes(line));
  const less = before.filter((line) => !there.includes(line));
  const isSame = isDeepStrictEqual(there, before);
  assert.deepEqual({ more, less, isSame }, { more: [], less: [], isSame: true });
}

suite("upgrades with the node's network on", { skip, concurrency: true }, () => {
  for (const { mode, other, proxy } of MODES) {
    suite(mode, { concurrency: 1 }, () => {
      let world: World;
      let agents: Child[] = [];
      let pods = 0;
      before(async () => {
        world = await World.create(proxy);
      });
      afterEach(async () => {
        for (const agent of agents.reverse()) agent.kill('SIGKILL');
        await Promise.all(agents.map(({ exit }) => exit));
        agents = [];
      });
      after(() => world?.delete());

      /** Resolves when it serves. `state`: of this test alone. */
      const start = async (state: string, hosts: readonly string[] = HOSTS, ...flags: string[]): Promise<Child> => {
        const listen = hosts.flatMap((host) => ['--listen', host]);
        const own = ['--node-network', mode, '--state', join(world.folder, state)];
        const agent = world.startAgent([...own, ...listen, ...flags], {
          env: { KUBE_DNS_SERVICE_HOST: KUBE_DNS[4], POD_UID: `pod-${pods++}` },
        });
        agents.push(agent);
        const isFirst = agents.length === 1;
        const serves = isFirst ? '"listening"' : '"took over"';
        await agent.waitUntil('serving', () => agent.output.includes(serves));
        await world.untilReady(agent);
        return agent;
      };
      const ask = (): QueryClient => {
        const client = QueryClient.start(world.pods[0], lanesTo(HOSTS, 50));
        world.own(client.child);
        return client;
      };
      /** Nobody was told that nobody is there, nor waited for longer than the switch holds. */
      const account = async (t: TestContext, client: QueryClient, isLossless: boolean): Promise<void> => {
        for (const report of await client.stop()) {
          t.diagnostic(JSON.stringify(report));
          const { name, unanswered, refused, reset, gapMs } = report;
          assert.deepEqual({ name, refused }, { name, refused: 0 });
          assert.ok(gapMs < LONGEST_GAP_MS, `${name}: ${gapMs} ms without an answer`);
          if (isLossless) assert.deepEqual({ name, unanswered, reset }, { name, unanswered: 0, reset: 0 });
        }
      };
      const stateIs = async (agent: Child, wanted: string, what: string): Promise<void> => {
        let state = '';
        const isSo = async (): Promise<boolean> => {
          state = await networkState(world.node);
          return isDeepStrictEqual(state.split('\n').sort(), wanted.split('\n').sort());
        };
        await agent.waitUntil(what, isSo, 15_000).catch(() => assertSame(state, wanted));
      };
      const isWellToTheDoctor = async (...flags: string[]): Promise<void> => {
        const { codes } = await doctor(world.node, ...flags);
        assert.ok(!codes().some((code) => /duplicated|foreign|twice/.test(code)), codes().join(', '));
      };
      const nobodyMended = (): void => {
        for (const { output } of agents) assert.doesNotMatch(output, /repaired|is not as it should be|"level":"error"/);
      };

      test('a hand-over, the end of the old one, and a kill of the new one: no gap, nothing twice, one renews', async (t) => {
        const first = await start('plain');
        const once = await networkState(world.node);
        let client = ask();
        await client.untilAnsweredBy('signpost');
        const second = await start('plain');
        await sleep(500);
        await account(t, client, true);
        await stateIs(second, once, 'as before the hand-over');

        client = ask();
        await client.untilAnsweredBy('signpost');
        second.kill('SIGKILL');
        await first.waitUntil('serving again', () => first.output.includes('serving again'));
        await sleep(500);
        await account(t, client, false);
        await world.untilReady(first);
        await stateIs(first, once, 'as before the kill');
        nobodyMended();

        const third = await start('plain');
        client = ask();
        await client.untilAnsweredBy('signpost');
        // Stopped in mid-air it renews no more: were there another that does, queries would wait for ever.
        await third.pause();
        await client.untilAnsweredBy('cluster-dns');
        third.kill('SIGCONT');
        await client.untilAnsweredBy('signpost');
        await account(t, client, false);
        client = ask();
        await client.untilAnsweredBy('signpost');
        assert.deepEqual(await first.stop(), { code: 0, signal: null });
        await sleep(500);
        await account(t, client, true);
        assertSame(await networkState(world.node), once);
        nobodyMended();
        await isWellToTheDoctor();
      });

      test('a successor with other addresses, or in another mode: its own are there and no others, and the old one has its own again when it is gone', async (t) => {
        const first = await start('other');
        const once = await networkState(world.node);
        const few = [LINK_LOCAL[4], KUBE_DNS[4], FURTHER];
        const second = await start('other', few);
        await second.waitUntil('alone', () => second.output.includes('Removed addresses'));
        const withFew = await networkState(world.node);
        for (const host of few) assert.match(await world.answerer(world.pods[0], host), /^signpost /, host);
        for (const host of [LINK_LOCAL[6], KUBE_DNS[6]]) assert.ok(!withFew.includes(`inet6 ${host}`), withFew);
        // What is led no more is the cluster DNS's, at once.
        assert.equal(await world.answerer(world.pods[0], KUBE_DNS[6]), 'cluster-dns');
        const client = ask();
        second.kill('SIGKILL');
        await first.waitUntil('serving again', () => first.output.includes('serving again'));
        await stateIs(first, once, 'as before');
        await client.untilAnsweredBy('signpost');
        await client.stop();

        const third = await start('other', HOSTS, '--node-network', other);
        await third.waitUntil('alone', () => third.output.includes('Removed the rules'));
        const otherwise = await networkState(world.node);
        assert.equal(/table inet signpost/.test(otherwise), other === 'nftables');
        assert.equal(/SIGNPOST/.test(otherwise), other === 'iptables');
        const asked = ask();
        await asked.untilAnsweredBy('signpost');
        third.kill('SIGKILL');
        await stateIs(first, once, 'as before');
        await asked.untilAnsweredBy('signpost');
        await account(t, asked, false);
        await isWellToTheDoctor();
      });

      test('a restart with other addresses, or in another mode, leaves nothing of before, and what others have put there stays', async () => {
        const ip = (...args: string[]) => world.node.run(program('ip'), ...args);
        await ip('address', 'add', '192.0.2.7/32', 'dev', 'lo', 'scope', 'host');
        await ip('address', 'add', '2001:db8::7/128', 'dev', 'lo', 'nodad');
        await ip('address', 'add', `${FURTHER}/32`, 'dev', 'lo');
        const restart = async (hosts: readonly string[], ...flags: string[]): Promise<string> => {
          for (const agent of agents.splice(0)) await agent.stop();
          const agent = await start('restart', hosts, ...flags);
          await agent.waitUntil('as it stays', async () => {
            const before = await networkState(world.node);
            await sleep(250);
            return before === (await networkState(world.node));
          });
          return networkState(world.node);
        };
        const few = [LINK_LOCAL[4], FURTHER];
        const fresh = await restart(few);
        await restart(HOSTS);
        assertSame(await restart(few), fresh);
        const elsewhere = await restart(few, '--node-network', other);
        assert.notEqual(/SIGNPOST/.test(elsewhere), /table inet signpost/.test(elsewhere), elsewhere);
        const bare = await restart(few, '--node-network', 'interface');
        assert.doesNotMatch(bare, /SIGNPOST|table inet signpost|\bsignpost-/i);
        for (const host of ['192.0.2.7', '2001:db8::7', FURTHER, LINK_LOCAL[4]])
          assert.ok(bare.includes(` ${host}/`), bare);
      });
    });
  }
});
