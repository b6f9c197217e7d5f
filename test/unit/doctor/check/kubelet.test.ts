import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kubeletCheck } from '../../../../src/doctor/check/kubelet.ts';
import { codesOf, exampleFiles, examplePatient } from '../example-patient.ts';

const CONFIG = '/var/lib/kubelet/config.yaml';

test('new pods that are given the listen address: in order', async (t) => {
  const files = await exampleFiles(t, { [CONFIG]: 'clusterDomain: cluster.local\nclusterDNS:\n- 169.254.20.10\n' });
  assert.deepEqual(codesOf(await kubeletCheck.look(examplePatient({ files }))), ['ok kubelet-here']);
});

test('new pods that are given another address: a warning with both, and what to set', async (t) => {
  const files = await exampleFiles(t, { [CONFIG]: 'clusterDNS: [10.96.0.10]\n' });
  const [finding] = await kubeletCheck.look(examplePatient({ files }));
  assert.equal(finding!.code, 'kubelet-elsewhere');
  assert.match(finding!.message, /10\.96\.0\.10 .*169\.254\.20\.10:53/);
  assert.match(finding!.remedy!, /clusterDNS: \[169\.254\.20\.10\].*--listen/);
});

test('a second address that is not the agent: a warning', async (t) => {
  const files = await exampleFiles(t, { [CONFIG]: 'clusterDNS: [169.254.20.10, 10.96.0.10]\n' });
  assert.deepEqual(codesOf(await kubeletCheck.look(examplePatient({ files }))), ['warning kubelet-mixed']);
});

test('a drop-in file beats the main one, and JSON is read as well', async (t) => {
  const files = await exampleFiles(t, {
    [CONFIG]: 'clusterDNS: [10.96.0.10]\n',
    '/etc/kubernetes/kubelet.conf.d/10-dns.conf': '{"clusterDNS": ["169.254.20.10"]}',
    '/etc/kubernetes/kubelet.conf.d/20-other.conf': 'maxPods: 50\n',
  });
  assert.deepEqual(codesOf(await kubeletCheck.look(examplePatient({ files }))), ['ok kubelet-here']);
});

test('no file, or one that is no YAML: it cannot be seen, and the note says where to look', async (t) => {
  const files = await exampleFiles(t, { [CONFIG]: '{{ template' });
  const [finding] = await kubeletCheck.look(examplePatient({ files }));
  assert.equal(finding!.code, 'kubelet-unseen');
  assert.match(finding!.remedy!, /clusterDNS/);
});
