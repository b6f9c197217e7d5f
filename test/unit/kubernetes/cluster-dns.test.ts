import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { CLUSTER_DNS_SERVICES } from '../../../src/config/service-names.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import type { ApiClient } from '../../../src/kubernetes/api-client.ts';
import { ApiError } from '../../../src/kubernetes/api-error.ts';
import { ClusterDns } from '../../../src/kubernetes/cluster-dns.ts';

const KUBE_DNS = { metadata: { name: 'kube-dns', resourceVersion: '1' }, spec: { clusterIP: '10.96.0.10' } };
const SLICE = {
  metadata: { name: 'kube-dns-1', resourceVersion: '2', labels: { 'kubernetes.io/service-name': 'kube-dns' } },
  addressType: 'IPv4',
  ports: [{ name: 'dns', port: 53, protocol: 'UDP' }],
  endpoints: [{ addresses: ['10.244.0.2'] }],
};
const LISTED = { metadata: { resourceVersion: '3', annotations: { 'k8s.io/initial-events-end': 'true' } } };

/** A cluster DNS that is followed with a clock of the test's own. `read`: what a Service's name gives. */
function follow(t: TestContext, read: (name: string) => object) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const world = { reads: 0 };
  const client = {
    async get(_what: string, path: string): Promise<object> {
      world.reads++;
      return read(path.split('/').at(-1)!);
    },
    async stream(): Promise<AsyncIterable<Uint8Array>> {
      return events();
    },
  };
  const clusterDns = new ClusterDns({
    client: client as unknown as ApiClient,
    clock: { nowMs: () => 0 },
    log: silentLogger,
    services: CLUSTER_DNS_SERVICES,
    onChange() {},
  });
  t.after(() => clusterDns.close());
  clusterDns.start();
  async function pass(seconds: number): Promise<void> {
    for (let second = 0; second < seconds; second++) {
      t.mock.timers.tick(1000);
      for (let turns = 0; turns < 4; turns++) await new Promise(setImmediate);
    }
  }
  return { clusterDns, world, pass };
}

async function* events(): AsyncGenerator<Uint8Array, void> {
  for (const [type, object] of [
    ['ADDED', SLICE],
    ['BOOKMARK', LISTED],
  ]) {
    yield Buffer.from(JSON.stringify({ type, object }));
  }
  await new Promise(() => {});
}

function missing(name: string): never {
  throw new ApiError('missing', `no ${name}`);
}

test('Services that may not be read are asked for every few minutes, not every half minute', async (t) => {
  const { clusterDns, world, pass } = follow(t, () => {
    throw new ApiError('forbidden', 'no');
  });
  await pass(3600);
  assert.equal(clusterDns.trouble!.trouble, 'forbidden');
  assert.ok(world.reads > 20 && world.reads < 80, `${world.reads}`);
});

test('a Service that is there a moment after its endpoints is known soon', async (t) => {
  let isThere = false;
  const { clusterDns, pass } = follow(t, (name) => (name === 'kube-dns' && isThere ? KUBE_DNS : missing(name)));
  await pass(2);
  assert.deepEqual([clusterDns.services.length, clusterDns.service], [0, 'kube-system/kube-dns']);
  isThere = true;
  await pass(10);
  assert.equal(clusterDns.services.length, 1);
});
