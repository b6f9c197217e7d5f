import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Check } from '../../../src/doctor/check/check.ts';
import { error, ok, warning } from '../../../src/doctor/diagnosis.ts';
import { examine } from '../../../src/doctor/examination.ts';
import { codesOf, examplePatient } from './example-patient.ts';

const check = (name: string, look: Check['look']): Check => ({ name, look });
const sound = check('sound', async () => [ok('fine', 'as it should be')]);

test('a node without an error is healthy, whatever its warnings', async () => {
  const doubtful = check('doubtful', async () => [warning('odd', 'look at it')]);
  const { healthy, counts } = await examine(examplePatient(), [sound, doubtful]);
  assert.equal(healthy, true);
  assert.deepEqual(counts, { ok: 1, note: 0, warning: 1, error: 0 });
});

test('one error makes it ill, and the checks keep their order', async () => {
  const ill = check('ill', async () => [error('broken', 'nobody answers', 'start it')]);
  const { healthy, checks } = await examine(examplePatient(), [ill, sound]);
  assert.equal(healthy, false);
  assert.deepEqual(
    checks.map((report) => report.check),
    ['ill', 'sound'],
  );
});

test('a check that fails or hangs is told as not known, and the others go on', async () => {
  const failing = check('failing', () => Promise.reject(new Error('no such file')));
  const hanging = check('hanging', () => new Promise(() => {}));
  const { healthy, checks } = await examine(examplePatient(), [failing, hanging, sound], 20);
  assert.equal(healthy, true);
  assert.deepEqual(
    checks.flatMap(({ findings }) => codesOf(findings)),
    ['note failing-unknown', 'note hanging-unknown', 'ok fine'],
  );
  assert.match(checks[0]!.findings[0]!.message, /no such file/);
});

test('a check that makes no sense on this node is left out', async () => {
  const { checks } = await examine(examplePatient(), [check('elsewhere', async () => []), sound]);
  assert.equal(checks.length, 1);
});
