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

test('a bad new configuration is told, and does not end readiness', () => {
  let configError: string | undefined;
  const readiness = new Readiness({ hasAnswers: () => true, configError: () => configError });
  readiness.listening();
  const told = () => readiness.reasons().find(({ name }) => name === 'configuration')!.message;
  assert.equal(told(), 'what the files say');
  configError = 'signpost.yaml:3: Cannot set policy to best: expected random';
  assert.deepEqual(failing(readiness), []);
  assert.match(told(), /signpost\.yaml:3/);
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
