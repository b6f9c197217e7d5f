import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, suite, type TestContext, test } from 'node:test';
import type { Child } from '../servers/child.ts';
import { program } from '../servers/programs.ts';
import { type Namespace, skipWithoutNamespaces } from './namespace.ts';
import { KUBE_DNS, LINK_LOCAL, NAMES } from './world/addresses.ts';
import { blockLoop, INSPECTED, takeAllMemory } from './world/agent-faults.ts';
import { ControlGroup } from './world/control-group.ts';
import type { ProxyKind } from './world/kube-proxy.ts';
import { lanesTo, QueryClient } from './world/query-client.ts';
import { WORLD_PROGRAMS, World } from './world/world.ts';

/** Both kinds of addresses at once: one that leads nowhere without the agent, and one that is a Service's. */
const HOSTS = [LINK_LOCAL[4], LINK_LOCAL[6], KUBE_DNS[4], KUBE_DNS[6]];
const MEMORY_BYTES = 512 * 1024 * 1024;

const MODES: readonly { readonly mode: string; readonly proxy: ProxyKind }[] = [
  { mode: 'nftables', proxy: 'nftables' },
  { mode: 'nftables', proxy: 'iptables-nft' },
  { mode: 'iptables', proxy: 'iptables-nft' },
  { mode: 'iptables', proxy: 'iptables-legacy' },
];

const skip = skipWithoutNamespaces(...WORLD_PROGRAMS, 'conntrack', 'ipset');

// They mostly wait, so they wait together.
suite('the dead-man’s switch', { skip, concurrency: true }, () => {
  for (const { mode, proxy } of MODES) {
    suite(`${mode} beside kube-proxy with ${proxy}`, { concurrency: 1 }, () => {
      let world: World;
      before(async () => {
        world = await World.create(proxy);
      });
      after(() => world?.delete());

      for (const hasNoTrack of [true, false]) {
        test(`whatever ends the agent, queries wait and are answered by the cluster DNS, and come back (noTrack: ${hasNoTrack})`, async (t) => {
          await new Scene(world, t, mode, hasNoTrack).play();
        });
      }
    });
  }
});

/** One life after another of the agent, while pods and the node ask it on every address, over UDP and TCP. */
class Scene {
  readonly #world: World;
  readonly #t: TestContext;
  readonly #mode: string;
  readonly #hasNoTrack: boolean;
  readonly #clients: QueryClient[] = [];

  constructor(world: World, t: TestContext, mode: string, hasNoTrack: boolean) {
    this.#world = world;
    this.#t = t;
    this.#mode = mode;
    this.#hasNoTrack = hasNoTrack;
  }

  async play(): Promise<void> {
    const { node, pods } = this.#world;
    let agent = await this.#begin();
    for (const from of [pods[0], node]) this.#clients.push(this.#ask(from));
    await this.#untilAnsweredBy('signpost');
    if (this.#hasNoTrack) await this.#expectNothingTracked();

    agent.kill('SIGKILL');
    // getent asks again from the same socket: tracked or not, its way is another then.
    const lookUps = this.#lookUpEverywhere();
    await this.#untilAnsweredBy('cluster-dns');
    await lookUps;
    agent = await this.#begin();
    await this.#untilAnsweredBy('signpost');

    if (this.#hasNoTrack) agent = await this.#sufferTheRest(agent);
    await agent.stop();
    await this.#untilAnsweredBy('cluster-dns');
    await this.#expectNothingRefused();
  }

  /** What ends an agent, or keeps it from answering, beside a signal. Tracked or not makes no difference any more. */
  async #sufferTheRest(first: Child): Promise<Child> {
    let agent = first;
    await agent.pause();
    await this.#untilAnsweredBy('cluster-dns');
    agent.kill('SIGCONT');
    await this.#untilAnsweredBy('signpost');

    await blockLoop(this.#world, agent, 6000);
    await this.#untilAnsweredBy('cluster-dns');
    await this.#untilAnsweredBy('signpost');

    const group = ControlGroup.create(`${this.#mode}-${this.#world.proxy}-${this.#hasNoTrack}`, {
      memoryBytes: MEMORY_BYTES,
    });
    group.add(agent.pid);
    await takeAllMemory(this.#world, agent);
    assert.equal((await agent.exit).signal, 'SIGKILL', agent.output);
    group.delete();
    await this.#untilAnsweredBy('cluster-dns');
    agent = await this.#begin();
    await this.#untilAnsweredBy('signpost');
    return agent;
  }

  #ask(from: Namespace): QueryClient {
    const client = QueryClient.start(from, lanesTo(HOSTS, 50));
    this.#world.own(client.child);
    return client;
  }

  async #begin(): Promise<Child> {
    const file = join(this.#world.folder, 'config.yaml');
    await writeFile(file, `noTrack: ${this.#hasNoTrack ? 'on' : 'off'}\n`);
    const listen = HOSTS.flatMap((host) => ['--listen', host]);
    const agent = this.#world.startAgent(['--config', file, '--node-network', this.#mode, ...listen], {
      env: { KUBE_DNS_SERVICE_HOST: KUBE_DNS[4] },
      nodeFlags: INSPECTED,
    });
    await this.#world.untilReady(agent);
    return agent;
  }

  async #untilAnsweredBy(answerer: string): Promise<void> {
    const beganMs = performance.now();
    for (const client of this.#clients) await client.untilAnsweredBy(answerer);
    this.#t.diagnostic(`${answerer} after ${Math.round(performance.now() - beganMs)} ms`);
  }

  async #expectNothingTracked(): Promise<void> {
    const { node } = this.#world;
    await node.run(program('conntrack'), '-F');
    // Several of each lane.
    await new Promise((resolve) => setTimeout(resolve, 200));
    for (const host of HOSTS) {
      const { stdout } = await node.run(
        program('conntrack'),
        '-L',
        '-f',
        host.includes(':') ? 'ipv6' : 'ipv4',
        '-d',
        host,
      );
      assert.equal(stdout, '', `queries to ${host} are tracked`);
    }
  }

  /** By libc, which gives up at the first refusal and asks again after silence. */
  async #lookUpEverywhere(): Promise<void> {
    const { node, pods } = this.#world;
    const places = [pods[1], node].flatMap((from) => HOSTS.map((host) => ({ from, host })));
    await Promise.all(
      places.map(async ({ from, host }) => {
        const { code, stderr } = await this.#world.getent(from, NAMES.service, [host]);
        assert.equal(code, 0, `getent by ${host}: ${stderr}`);
      }),
    );
  }

  async #expectNothingRefused(): Promise<void> {
    for (const [at, client] of this.#clients.entries()) {
      for (const { name, refused, errors, gapMs, ...counts } of await client.stop()) {
        const from = at === 0 ? 'pod' : 'host';
        this.#t.diagnostic(`${from} ${name}: longest gap ${Math.round(gapMs)} ms ${JSON.stringify(counts)}`);
        assert.equal(refused, 0, `${from} ${name}: ${JSON.stringify(errors)}`);
      }
    }
  }
}
