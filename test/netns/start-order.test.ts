import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, afterEach, before, suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Child } from '../servers/child.ts';
import { program } from '../servers/programs.ts';
import { skipWithoutNamespaces } from './namespace.ts';
import { LINK_LOCAL, NAMES } from './world/addresses.ts';
import { doctor, networkState } from './world/command.ts';
import type { ProxyKind } from './world/kube-proxy.ts';
import { lanesTo, QueryClient } from './world/query-client.ts';
import { WORLD_PROGRAMS, World } from './world/world.ts';

const NOBODY = { 4: [], 6: [] };
/** A query without an answer is given up after 5 s. */
const GIVEN_UP_MS = 5500;
const ADMIN = '127.0.0.1:9254';
const MODES: readonly { readonly mode: string; readonly proxy: ProxyKind }[] = [
  { mode: 'nftables', proxy: 'iptables-nft' },
  { mode: 'iptables', proxy: 'iptables-nft' },
];

const skip = skipWithoutNamespaces(...WORLD_PROGRAMS, 'ipset');

suite('a start on a node that is not ready for it', { skip, concurrency: true }, () => {
  for (const { mode, proxy } of MODES) {
    suite(mode, { concurrency: 1 }, () => {
      let world: World;
      let agents: Child[] = [];
      before(async () => {
        world = await World.create(proxy);
      });
      afterEach(async () => {
        for (const agent of agents) await agent.stop();
        agents = [];
        // What a test that failed has left would fail the next ones.
        world.clusterDns.kill('SIGCONT');
        await world.syncProxy();
      });
      after(() => world?.delete());

      const start = (...flags: string[]): Child => {
        const agent = world.startAgent(['--node-network', mode, ...flags]);
        agents.push(agent);
        return agent;
      };
      const ready = async () => JSON.parse((await world.http(`http://${ADMIN}/ready`)).slice(4));
      const isListening = (agent: Child) => agent.waitUntil('listening', () => agent.output.includes('"listening"'));
      const isAnswering = (agent: Child, ...flags: string[]) =>
        agent.waitUntil('answering the pods', async () =>
          (await world.answerer(world.pods[0], LINK_LOCAL[4], ...flags)).startsWith('signpost '),
        );
      const reasonOf = async (name: string) =>
        (await ready()).reasons.find((reason: { name: string }) => reason.name === name);

      test('a first start where nobody else answers: not one query is led away from the agent when its rules come', async (t) => {
        await world.syncProxy(NOBODY);
        await world.clusterDns.pause();
        const agent = start();
        await isListening(agent);
        // A segment that is led away is sent again; a datagram is lost.
        const datagrams = lanesTo([LINK_LOCAL[4], LINK_LOCAL[6]], 10).filter(({ transport }) => transport === 'udp');
        const clients = [world.pods[0], world.node].map((from) => QueryClient.start(from, datagrams));
        for (const client of clients) world.own(client.child);
        for (const client of clients) await client.untilAnsweredBy('signpost');
        // Rules are not there before there is something to answer with.
        world.clusterDns.kill('SIGCONT');
        await world.untilReady(agent);
        await sleep(GIVEN_UP_MS);
        const reports = (await Promise.all(clients.map((client) => client.stop()))).flat();
        for (const report of reports) t.diagnostic(JSON.stringify(report));
        for (const { name, unanswered, refused } of reports) {
          assert.deepEqual({ name, unanswered, refused }, { name, unanswered: 0, refused: 0 });
        }
      });

      test('the Services of the cluster DNS have no endpoint yet: it serves outside names, the doctor says it, and cluster names follow', async () => {
        await world.syncProxy(NOBODY);
        const agent = start();
        // Until then the rules of the test before lead to the cluster DNS.
        await world.untilReady(agent);
        const outside = await world.node.dig(`@${LINK_LOCAL[4]}`, NAMES.wild);
        assert.match(outside, /status: NOERROR/);
        const { said, codes } = await doctor(world.node);
        assert.match(said('upstream-silent'), /10\.96\.0\.11.*nobody else answers for cluster\.local\./);
        assert.ok(codes('fail-over').includes('error failover-silent'), codes().join(', '));
        await world.syncProxy();
        await agent.waitUntil('answering cluster names', async () =>
          (await world.pods[0].dig(`@${LINK_LOCAL[4]}`, NAMES.service)).includes('192.0.2.53'),
        );
        await isAnswering(agent);
      });

      test('the cluster DNS is silent: the same, and it is ready when it answers', async () => {
        await world.clusterDns.pause();
        const agent = start();
        await isListening(agent);
        assert.match((await reasonOf('answers')).message, /no upstream has answered yet/);
        assert.equal((await ready()).ready, false);
        world.clusterDns.kill('SIGCONT');
        await world.untilReady(agent);
        await isAnswering(agent, '+tcp');
      });

      test('link, addresses and rules of one that was killed: taken over, nothing twice', async () => {
        const first = start();
        await world.untilReady(first);
        const once = await networkState(world.node);
        for (let times = 0; times < 3; times++) {
          const killed = agents.at(-1)!;
          killed.kill('SIGKILL');
          await killed.exit;
          await world.untilReady(start());
        }
        await agents.at(-1)!.waitUntil('as after the first', async () => (await networkState(world.node)) === once);
        await isAnswering(agents.at(-1)!);
        const { codes } = await doctor(world.node);
        assert.ok(!codes().some((code) => /duplicated|foreign|twice/.test(code)), codes().join(', '));
      });

      test('a link of that name that somebody else has made, down and with one of the addresses: used as it is', async () => {
        await world.node.run(program('ip'), 'link', 'add', 'signpost0', 'type', 'bridge');
        await world.node.run(program('ip'), 'address', 'add', `${LINK_LOCAL[4]}/32`, 'dev', 'signpost0');
        try {
          await world.untilReady(start());
          for (const host of [LINK_LOCAL[4], LINK_LOCAL[6]]) {
            assert.match(await world.answerer(world.pods[1], host), /^signpost /, host);
          }
        } finally {
          await world.node.run(program('ip'), 'link', 'delete', 'signpost0');
        }
      });

      test('a second agent by mistake, with a --state of its own: refused, and the first one serves on', async () => {
        const first = start('--state', join(world.folder, 'one'));
        await world.untilReady(first);
        const second = start('--state', join(world.folder, 'two'), '--admin', '127.0.0.1:9255');
        assert.deepEqual(await second.exit, { code: 1, signal: null });
        assert.match(second.output, /which says that it is signpost .*give both the same --state DIR/);
        assert.equal((await ready()).ready, true);
        await isAnswering(first);
        const { code, stdout, stderr } = await world.getent(world.pods[0], NAMES.service, [LINK_LOCAL[4]]);
        assert.match(stdout, /192\.0\.2\.53/, `getent ended with ${code}: ${stdout}${stderr}`);
      });
    });
  }
});
