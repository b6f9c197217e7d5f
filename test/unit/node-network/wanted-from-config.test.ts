import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Config } from '../../../src/config/config.ts';
import { type WantedFromConfigParts, wantedFromConfig } from '../../../src/node-network/wanted-from-config.ts';

/** A configuration as far as it speaks of the node's network. */
function wanted(
  listen: readonly string[],
  clusterDns: readonly string[],
  { hasNoTrack = true, ...parts }: WantedFromConfigParts & { hasNoTrack?: boolean } = {},
  transport = 'tcp',
) {
  const at = (host: string, port = 53) => ({ host, port });
  const config = {
    listen: listen.map((host) => at(host)),
    zones: [
      { zone: 'cluster.local.', upstreams: clusterDns.map((host) => ({ ...at(host), transport })) },
      { zone: '.', upstreams: [{ ...at('192.0.2.1'), transport: 'udp' }] },
    ],
    clusterDomain: 'cluster.local',
    nodeNetwork: { mode: 'auto', interface: 'signpost0', hasNoTrack },
  };
  return wantedFromConfig(config as unknown as Config, parts);
}

test('each address is wanted once, and loopback and wildcards are not ours to add', () => {
  const { addresses, rules } = wanted(['169.254.20.10', '127.0.0.1', '::1', '0.0.0.0', '::', 'fd00::10'], []);
  assert.deepEqual(addresses, ['169.254.20.10', 'fd00::10']);
  assert.equal(rules.listen.length, 2);
});

test("queries fail over to the cluster DNS of their own family, and never to the outside's servers", () => {
  const { failovers } = wanted(['169.254.20.10', 'fd00:20::10'], ['10.96.0.11']).rules;
  assert.deepEqual(
    failovers.map(({ listen, service }) => [listen.host, service?.host]),
    [
      ['169.254.20.10', '10.96.0.11'],
      ['fd00:20::10', undefined],
    ],
  );
});

test("where queries are tracked a Service's address has one too, for kube-proxy sees new connections only", () => {
  const parts = { services: ['10.96.0.10'], hasNoTrack: false };
  const { failovers } = wanted(['10.96.0.10'], ['10.96.0.10', '10.96.0.11'], parts).rules;
  assert.deepEqual(
    failovers.map(({ listen, service }) => [listen.host, service?.host]),
    [['10.96.0.10', '10.96.0.11']],
  );
});

test("a Service's address has no fail-over of ours: kube-proxy knows it", () => {
  const { failovers } = wanted(['169.254.20.10', '10.96.0.10'], ['10.96.0.11'], { services: ['10.96.0.10'] }).rules;
  assert.deepEqual(
    failovers.map(({ listen }) => listen.host),
    ['169.254.20.10'],
  );
});

test('an address never fails over to itself', () => {
  const { failovers } = wanted(['10.96.0.10'], ['10.96.0.10', '10.96.0.11']).rules;
  assert.equal(failovers[0]!.service!.host, '10.96.0.11');
});

test('a cluster DNS that is asked by TLS or HTTPS does not take plain queries', () => {
  assert.equal(wanted(['169.254.20.10'], ['10.96.0.11'], {}, 'tls').rules.failovers[0]!.service, undefined);
  assert.equal(wanted(['169.254.20.10'], ['10.96.0.11'], {}, 'https').rules.failovers[0]!.service, undefined);
});

test("the pods' own addresses are told by family", () => {
  const targets = [
    { host: '10.244.1.53', port: 53 },
    { host: 'fd00:244::53', port: 53 },
  ];
  const { failovers } = wanted(['169.254.20.10', 'fd00:20::10'], [], { targets }).rules;
  assert.deepEqual(
    failovers.map((failover) => failover.targets.map(({ host }) => host)),
    [['10.244.1.53'], ['fd00:244::53']],
  );
});
