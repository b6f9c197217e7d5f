import assert from 'node:assert/strict';
import { test } from 'node:test';
import { upstreamsCheck } from '../../../../src/doctor/check/upstreams.ts';
import type { UpstreamProbe } from '../../../../src/doctor/patient.ts';
import { codesOf, examplePatient } from '../example-patient.ts';

const ONE = { address: 'tcp://10.96.0.10:53', zones: ['cluster.local.'] };
const OTHER = { address: 'tcp://10.96.0.11:53', zones: ['cluster.local.'] };
const look = (...probes: UpstreamProbe[]) =>
  upstreamsCheck.look(examplePatient({ probeUpstreams: async () => probes }));

test('an upstream that answers, whatever it says, is reached', async () => {
  assert.deepEqual(codesOf(await look({ ...ONE, rcode: 'REFUSED', elapsedMs: 0.4 })), ['ok upstream-answers']);
});

test('the only upstream of a zone is silent: an error that names the zone', async () => {
  const findings = await look({ ...ONE, failure: 'nothing listens there' });
  assert.deepEqual(codesOf(findings), ['error upstream-silent']);
  assert.match(findings[0]!.message, /tcp:\/\/10\.96\.0\.10:53 .*nothing listens there.*cluster\.local\./);
});

test('one of two is silent: a warning, for the other answers', async () => {
  const findings = await look({ ...ONE, failure: 'no answer within 1000 ms' }, { ...OTHER, rcode: 'NOERROR' });
  assert.deepEqual(codesOf(findings), ['warning upstream-silent', 'ok upstream-answers']);
});
