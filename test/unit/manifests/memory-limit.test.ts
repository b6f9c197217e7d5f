import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memoryLimitMiB, memoryRequestMiB } from '../../../src/manifests/memory-limit.ts';

const MIB = 2 ** 20;

test('the limit grows with the cache, its copy for a successor, and snapshots that lie in memory', () => {
  const onDisk = memoryLimitMiB(32 * MIB, '/var/lib/signpost');
  assert.equal(memoryLimitMiB(33 * MIB, '/var/lib/signpost'), onDisk + 2);
  assert.equal(memoryLimitMiB(32 * MIB, undefined), onDisk);
  for (const folder of ['/run/signpost', '/var/run/signpost', '/dev/shm/x']) {
    assert.equal(memoryLimitMiB(32 * MIB, folder), onDisk + 64);
  }
  assert.equal(memoryLimitMiB(32 * MIB, '/runner/signpost'), onDisk);
});

test('the request is what the agent has at rest', () => {
  assert.equal(memoryRequestMiB(32 * MIB), 96);
});
