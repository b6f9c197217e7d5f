import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Readiness } from '../../../src/agent/readiness.ts';

function failing(readiness: Readiness): string[] {
  return readiness
    .reasons()
    .filter(({ ok }) => !ok)
    .map(({ name }) => name);
}

test('ready is: listeners bound, and something to answer with', () => {
  let hasAnswers = false;
  const readiness = new Readiness({ hasAnswers: () => hasAnswers });
  assert.deepEqual(failing(readiness), ['listeners', 'answers']);
  readiness.listening();
  assert.deepEqual(failing(readiness), ['answers']);
  hasAnswers = true;
  assert.deepEqual(failing(readiness), []);
});

test('once ready, silent upstreams and an empty cache do not end it; stopping does', () => {
  let hasAnswers = true;
  const readiness = new Readiness({ hasAnswers: () => hasAnswers });
  readiness.listening();
  readiness.reasons();
  hasAnswers = false;
  assert.deepEqual(failing(readiness), []);
  readiness.leaving();
  assert.deepEqual(failing(readiness), ['lameduck']);
});
