import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FixedSettings } from '../../../src/agent/fixed-settings.ts';
import type { Config } from '../../../src/config/config.ts';
import { configFromFlags } from '../../../src/config/from-flags.ts';
import { silentLogger } from '../../../src/core/logger.ts';

const FLAGS = { clusterDns: ['10.96.0.10'], upstream: ['192.0.2.1'] };

function config(flags: Record<string, string | string[]> = {}): Config {
  return configFromFlags({ ...FLAGS, ...flags }, { env: {}, isTerminal: false, readFile: () => '' }).config;
}

function started() {
  const told: unknown[] = [];
  const log = { ...silentLogger, warn: (fields: object) => told.push(fields) };
  return { fixed: new FixedSettings(config(), log), told };
}

test('what takes a restart stays as it was, and all else is taken', () => {
  const { fixed, told } = started();
  const held = fixed.hold(config({ listen: ['127.0.0.9:53'], cacheSize: '64MiB', lameduck: '9s' }));
  assert.deepEqual(held.listen, config().listen);
  assert.equal(held.cacheBytes, config().cacheBytes);
  assert.equal(held.lameduckMs, 9000);
  assert.deepEqual(fixed.waiting, ['listen', 'cacheSize']);
  assert.deepEqual(told, [{ settings: ['listen', 'cacheSize'] }]);
});

test('whether searches are completed takes a restart', () => {
  const { fixed } = started();
  assert.equal(fixed.hold(config({ search: 'complete' })).search, 'local');
  assert.deepEqual(fixed.waiting, ['search']);
});

test('it is said once, again when it is another value, and never where nothing waits', () => {
  const { fixed, told } = started();
  fixed.hold(config());
  assert.equal(told.length, 0);
  for (let i = 0; i < 3; i++) fixed.hold(config({ cacheSize: '64MiB', policy: i === 1 ? 'random' : 'sequential' }));
  assert.equal(told.length, 1);
  fixed.hold(config({ cacheSize: '128MiB' }));
  assert.equal(told.length, 2);
  fixed.hold(config());
  assert.deepEqual(fixed.waiting, []);
  fixed.hold(config({ cacheSize: '128MiB' }));
  assert.equal(told.length, 3);
});
