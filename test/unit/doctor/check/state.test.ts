import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stateCheck } from '../../../../src/doctor/check/state.ts';
import { codesOf, exampleConfig, exampleFiles, examplePatient } from '../example-patient.ts';

const config = exampleConfig({ state: '/run/signpost' });

test('a folder that can be written to: what it holds is said', async (t) => {
  const agentFiles = await exampleFiles(t, { '/run/signpost/cache': 'x'.repeat(5000) });
  const findings = await stateCheck.look(examplePatient({ config, agentFiles }));
  assert.equal(findings[0]!.code, 'state-writable');
  assert.match(findings[0]!.message, /\/run\/signpost holds 5 KiB/);
});

test('a folder that is not there, or is a file: an error with the remedy', async (t) => {
  assert.deepEqual(codesOf(await stateCheck.look(examplePatient({ config }))), ['error state-missing']);
  const agentFiles = await exampleFiles(t, { '/run/signpost': '' });
  assert.deepEqual(codesOf(await stateCheck.look(examplePatient({ config, agentFiles }))), ['error state-missing']);
});

test('no --state: what is lost without is said', async () => {
  const [finding] = await stateCheck.look(examplePatient());
  assert.equal(finding!.code, 'state-none');
  assert.match(finding!.remedy!, /--state/);
});
