import assert from 'node:assert/strict';
import { test } from 'node:test';
import { podsCheck } from '../../../../src/doctor/check/pods.ts';
import { codesOf, exampleFiles, examplePatient } from '../example-patient.ts';

const sandbox = (id: string) => `/var/lib/containerd/io.containerd.grpc.v1.cri/sandboxes/${id}/resolv.conf`;
const AGENT = 'search default.svc.cluster.local\nnameserver 169.254.20.10\noptions ndots:5\n';

test('pods are counted by the servers that they ask', async (t) => {
  const files = await exampleFiles(t, {
    [sandbox('a')]: AGENT,
    [sandbox('b')]: AGENT,
    [sandbox('c')]: 'nameserver 10.96.0.10\n',
  });
  const findings = await podsCheck.look(examplePatient({ files }));
  assert.deepEqual(codesOf(findings), ['ok pods-here']);
  assert.match(findings[0]!.message, /^2 of 3 .*; 1 ask 10\.96\.0\.10$/);
});

test('no pod that asks the agent: a warning, with what decides it', async (t) => {
  const files = await exampleFiles(t, { '/var/lib/docker/containers/a/resolv.conf': 'nameserver 10.96.0.10\n' });
  const [finding] = await podsCheck.look(examplePatient({ files }));
  assert.equal(finding!.code, 'pods-elsewhere');
  assert.match(finding!.remedy!, /kubelet/);
});

test('another server beside the agent is no fall-back, which is said', async (t) => {
  const files = await exampleFiles(t, { [sandbox('a')]: `${AGENT}nameserver 10.96.0.10\n` });
  const findings = await podsCheck.look(examplePatient({ files }));
  assert.deepEqual(codesOf(findings), ['ok pods-here', 'warning pods-mixed']);
});
