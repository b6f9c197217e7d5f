import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodeResolverCheck } from '../../../../src/doctor/check/node-resolver.ts';
import { codesOf, exampleConfig, exampleFiles, examplePatient } from '../example-patient.ts';

const config = exampleConfig({ resolvConf: '/run/systemd/resolve/resolv.conf' });
const look = async (t: Parameters<typeof exampleFiles>[0], own: string, upstreams: string) => {
  const files = await exampleFiles(t, { '/etc/resolv.conf': own });
  const agentFiles = await exampleFiles(t, { '/run/systemd/resolve/resolv.conf': upstreams });
  return nodeResolverCheck.look(examplePatient({ config, files, agentFiles }));
};

test('a node with servers of its own: in order', async (t) => {
  const findings = await look(t, 'nameserver 127.0.0.53\n', 'nameserver 192.0.2.1\n');
  assert.deepEqual(codesOf(findings), ['ok node-resolv-conf']);
});

test('a node that asks nobody but the agent: a warning, for its image may have to be pulled', async (t) => {
  const findings = await look(t, 'nameserver 169.254.20.10\n', 'nameserver 192.0.2.1\n');
  assert.deepEqual(codesOf(findings), ['warning node-asks-agent-alone']);
});

test('upstreams that are the agent itself: an error with the remedy', async (t) => {
  const findings = await look(t, 'nameserver 192.0.2.1\n', 'nameserver 169.254.20.10\n');
  assert.deepEqual(codesOf(findings), ['ok node-resolv-conf', 'error resolv-conf-loop']);
  assert.match(findings[1]!.remedy!, /--upstream/);
});

test('what is passed over in it is told', async (t) => {
  const findings = await look(t, 'nameserver 192.0.2.1\n', 'nameserver 192.0.2.1\nnameserver fe80::1%eth0\n');
  assert.deepEqual(codesOf(findings), ['ok node-resolv-conf', 'note resolv-conf-note']);
});

test('files that cannot be seen from here are no fault of the node', async () => {
  const findings = await nodeResolverCheck.look(examplePatient({ config }));
  assert.deepEqual(codesOf(findings), ['note node-resolv-conf-unseen', 'error resolv-conf-missing']);
});
