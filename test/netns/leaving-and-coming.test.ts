import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Namespace, skipWithoutNamespaces } from './namespace.ts';
import { KUBE_DNS, LINK_LOCAL } from './world/addresses.ts';
import type { ProxyKind } from './world/kube-proxy.ts';
import { lanesTo, QueryClient } from './world/query-client.ts';
import { WORLD_PROGRAMS, World } from './world/world.ts';

const HOSTS = [LINK_LOCAL[4], LINK_LOCAL[6], KUBE_DNS[4], KUBE_DNS[6]];
const ROUNDS = 3;

const MODES: readonly { readonly mode: string; readonly proxy: ProxyKind }[] = [
  { mode: 'nftables', proxy: 'nftables' },
  { mode: 'iptables', proxy: 'iptables-nft' },
];

/** Who answers a query over TCP from port 30000; what went wrong, else. */
async function askFrom(from: Namespace, host: string): Promise<string> {
  const script = `
    import { connect } from 'node:net';
    const socket = connect({ host: process.argv[1], port: 53, localPort: 30000 });
    const question = Buffer.from('000101000001000000000000' + '0776657273696f6e0462696e640000100003', 'hex');
    socket.on('connect', () => socket.write(Buffer.concat([Buffer.of(0, question.length), question])));
    socket.on('error', ({ code }) => console.log(code));
    socket.setTimeout(4000, () => { console.log('silence'); socket.destroy(); });
    // By a reset: the port is free at once.
    socket.on('data', (data) => { console.log(/(signpost|cluster-dns)/.exec(data.toString('latin1'))?.[1]); socket.resetAndDestroy(); });`;
  return (await from.run(process.execPath, '--input-type=module', '--eval', script, host)).stdout.trim();
}

const skip = skipWithoutNamespaces(...WORLD_PROGRAMS, 'ipset');

suite('an agent that leaves and comes', { skip, concurrency: true }, () => {
  for (const { mode, proxy } of MODES) {
    const begin = (world: World, ...flags: string[]) =>
      world.startAgent(['--node-network', mode, ...HOSTS.flatMap((host) => ['--listen', host]), ...flags], {
        env: { KUBE_DNS_SERVICE_HOST: KUBE_DNS[4] },
      });

    test(`${mode}: told to stop, it is followed by the cluster DNS and comes back with no query lost`, async (t) => {
      const world = await World.create(proxy);
      try {
        let agent = begin(world, '--lameduck', '1s');
        await world.untilReady(agent);
        const clients = [world.pods[0], world.node].map((from) => QueryClient.start(from, lanesTo(HOSTS, 50)));
        for (const client of clients) world.own(client.child);
        for (let round = 0; round < ROUNDS; round++) {
          for (const client of clients) await client.untilAnsweredBy('signpost');
          await agent.stop();
          for (const client of clients) await client.untilAnsweredBy('cluster-dns');
          agent = begin(world, '--lameduck', '1s');
        }
        for (const client of clients) await client.untilAnsweredBy('signpost');
        // Longer than a query may be on its way.
        await sleep(500);
        for (const client of clients) {
          for (const report of await client.stop()) {
            t.diagnostic(JSON.stringify(report));
            const { name, unanswered, refused } = report;
            // By iptables a connection that is open in the very moment of the change is reset, and its client asks again.
            const reset = mode === 'iptables' ? 0 : report.reset;
            assert.deepEqual({ name, unanswered, refused, reset }, { name, unanswered: 0, refused: 0, reset: 0 });
          }
        }
      } finally {
        await world.delete();
      }
    });

    test(`${mode}: a TCP client that uses its port again is answered by the agent as soon as that is back`, async () => {
      const world = await World.create(proxy);
      try {
        const first = begin(world);
        await world.untilReady(first);
        first.kill('SIGKILL');
        await first.exit;
        const places = [world.pods[0], world.node];
        const hosts = [LINK_LOCAL[4], LINK_LOCAL[6]];
        const client = QueryClient.start(world.pods[0], lanesTo(hosts, 50));
        world.own(client.child);
        await client.untilAnsweredBy('cluster-dns');
        const ask = () => Promise.all(places.flatMap((place) => hosts.map((host) => askFrom(place, host))));
        assert.deepEqual(new Set(await ask()), new Set(['cluster-dns']));
        begin(world);
        await client.untilAnsweredBy('signpost');
        assert.deepEqual(new Set(await ask()), new Set(['signpost']));
        await client.stop();
      } finally {
        await world.delete();
      }
    });

    test(`${mode}: queries stay with the cluster DNS until somebody has answered the agent`, async () => {
      const world = await World.create(proxy);
      try {
        // The rules of a process that was killed lead there.
        const first = begin(world);
        await world.untilReady(first);
        first.kill('SIGKILL');
        await first.exit;
        const client = QueryClient.start(world.pods[0], lanesTo(HOSTS, 50));
        world.own(client.child);
        await client.untilAnsweredBy('cluster-dns');
        const silent = '198.51.100.1';
        const second = begin(world, '--cluster-dns', silent, '--upstream', silent);
        await second.waitUntil('listening', () => second.output.includes('"message":"listening"'));
        await sleep(1500);
        assert.match(await world.http('http://127.0.0.1:9254/ready'), /^503 .*no upstream has answered yet/);
        assert.deepEqual([...client.everyAnswerer], ['cluster-dns']);
      } finally {
        await world.delete();
      }
    });
  }
});
