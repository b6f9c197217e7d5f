import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseCores } from '../../../bench/machine.ts';

test('server and generator never share a core', () => {
  assert.throws(() => chooseCores(1), /one core/);
  assert.deepEqual(chooseCores(2), { server: 0, generator: 1, upstream: 1 });
  assert.deepEqual(chooseCores(8), { server: 0, generator: 1, upstream: 2 });
});
