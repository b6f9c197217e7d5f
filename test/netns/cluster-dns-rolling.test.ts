import assert from 'node:assert/strict';
import { after, before, suite, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Status } from '../../src/admin/status.ts';
import { ask } from '../client/ask.ts';
import { CLUSTER_PROGRAMS, type ControlPlane, startControlPlane } from '../cluster/control-plane.ts';
import { type Endpoint, endpoint, endpointSlice, namespace, port, service } from '../cluster/fixtures.ts';
import { type Agent, startAgent } from '../servers/agent.ts';
import { type Liar, startLiar } from '../servers/liar.ts';
import { skipWithoutNamespaces } from './namespace.ts';
import { enterOwnNetwork } from './own-network.ts';

const SERVICE = '10.96.0.10';
const PODS = Array.from({ length: 6 }, (_, i) => `10.244.0.${i + 2}`);
const PORTS = [port('dns', 53, 'UDP'), port('dns-tcp', 53)];
const SLICE = endpointSlice('kube-system', 'kube-dns', PORTS, []);
const NXDOMAIN = 3;
/** Clients that ask one question after the other. */
const CLIENTS = 16;

const skip = skipWithoutNamespaces('unshare', 'mount', ...CLUSTER_PROGRAMS);
if (!skip) enterOwnNetwork({ addresses: [SERVICE, ...PODS].map((address) => `${address}/32`) });

async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await isSo()); tries++) {
    if (tries > 1500) assert.fail(`not ${what}`);
    await sleep(20);
  }
}

/** Its answer to the signal that ends it: it serves on, but is no longer to be asked. */
const leaving = (pod: string): Endpoint =>
  endpoint(pod, { conditions: { ready: false, serving: true, terminating: true } });

suite('endpoints direct while the DNS pods are replaced', { skip }, () => {
  let cluster: ControlPlane;
  let atService: Liar;
  const running = new Map<string, Liar>();

  before(async () => {
    cluster = await startControlPlane({
      objects: [namespace('shop'), ...service('kube-system', 'kube-dns', { clusterIP: SERVICE, ports: PORTS }, [])],
    });
    atService = await startLiar(cluster.clusterDns, { host: SERVICE, port: 53 });
  });
  after(async () => {
    for (const liar of [atService, ...running.values()]) liar?.stop();
    await cluster?.stop();
  });

  async function run(pod: string): Promise<void> {
    running.set(pod, await startLiar(cluster.clusterDns, { host: pod, port: 53 }));
  }

  function kill(pod: string): void {
    running.get(pod)!.stop();
    running.delete(pod);
  }

  const set = (...endpoints: Endpoint[]) => cluster.api.patch(SLICE, { endpoints });
  const setReady = (...pods: string[]) => set(...pods.map((pod) => endpoint(pod)));

  /** An agent that is led to these pods, and clients whose questions nothing but a pod can answer. */
  async function serve(t: TestContext, ...pods: string[]) {
    for (const pod of pods) await run(pod);
    await setReady(...pods);
    const agent = await startAgent([
      ...['--kubernetes', cluster.kubeconfig, '--node-name', 'node-1', '--upstream', '127.0.0.1:9'],
      ...['--search', 'off', '--cluster-dns', SERVICE, '--cluster-dns', 'endpoints'],
    ]);
    const load = { isOn: true, answered: 0, failed: [] as string[] };
    await ledTo(agent, ...pods);
    // As in a cluster whose kube-proxy has not heard of it yet.
    atService.behave(() => {});
    const clients = Array.from({ length: CLIENTS }, async (_, client) => {
      for (let i = 0; load.isOn; i++) {
        const name = `absent-${client}-${i}-${Math.random().toString(36).slice(2)}.shop.svc.cluster.local`;
        const rcode = await ask(agent, { name, type: 'A' }).then(
          (reply) => reply.rcode,
          (error: Error) => error.message,
        );
        if (rcode === NXDOMAIN) load.answered++;
        else load.failed.push(`${rcode} for ${name} after ${load.answered}`);
      }
    });
    async function end(): Promise<void> {
      load.isOn = false;
      await Promise.all(clients);
    }
    t.after(async () => {
      await end();
      await agent.stop();
      for (const pod of [...running.keys()]) kill(pod);
    });
    /** Until so many more questions were answered. */
    const pass = async (count: number): Promise<void> => {
      const before = load.answered;
      await until(`${count} answered`, () => load.answered >= before + count);
    };
    return { agent, load, end, pass };
  }

  async function ledTo(agent: Agent, ...pods: string[]): Promise<void> {
    await until(`led to ${pods}`, async () => {
      const { zones } = (await (await fetch(`${agent.adminUrl}/api/v1/status`)).json()) as Status;
      const { upstreams } = zones.find(({ zone }) => zone === 'cluster.local.')!;
      const asked = upstreams.filter(({ rank }) => rank === 0).map(({ address }) => address);
      return asked.toSorted().join() === pods.map((pod) => `tcp://${pod}:53`).join();
    });
  }

  test('no question is lost while all of them are replaced, one after the other', async (t) => {
    const pods = [PODS[0]!, PODS[1]!];
    const { agent, load, end, pass } = await serve(t, ...pods);
    for (const next of [...PODS.slice(2), ...PODS.slice(0, 2)]) {
      await run(next);
      await setReady(...pods, next);
      await pass(100);
      const old = pods.shift()!;
      await set(leaving(old), ...[...pods, next].map((pod) => endpoint(pod)));
      pods.push(next);
      await ledTo(agent, ...pods.toSorted());
      await pass(50);
      kill(old);
      await setReady(...pods);
      await pass(100);
    }
    await end();
    assert.deepEqual(load.failed, []);
    assert.ok(load.answered > 1000);
  });

  test('no question is lost where a pod is gone before the API says so, nor where the API says too early that another is ready', async (t) => {
    const { agent, load, end, pass } = await serve(t, PODS[0]!, PODS[1]!);
    await pass(100);
    kill(PODS[0]!);
    await pass(100);
    await setReady(PODS[1]!, PODS[2]!);
    await ledTo(agent, PODS[1]!, PODS[2]!);
    await pass(100);
    await run(PODS[2]!);
    await pass(100);
    await end();
    assert.deepEqual(load.failed, []);
  });
});
