import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import type { Config } from '../../../src/config/config.ts';
import { ConfigSource } from '../../../src/config/config-source.ts';
import type { Logger } from '../../../src/core/logger.ts';

let text = '';
let applied: Config[] = [];
let lines: string[] = [];

const log: Logger = {
  debug() {},
  info: (_fields, message) => lines.push(`info ${message}`),
  warn: (_fields, message) => lines.push(`warn ${message}`),
  error: (fields, message) => lines.push(`error ${message}: ${(fields as { error: string }).error}`),
};

const apply = (config: Config): void => {
  applied.push(config);
};

function started(): ConfigSource {
  const source = new ConfigSource({ clusterDns: ['10.96.0.10'] }, { env: {}, isTerminal: false, readFile: () => text });
  source.load();
  return source;
}

beforeEach(() => {
  text = 'nameserver 192.0.2.1\n';
  applied = [];
  lines = [];
});

test('a file that changed is applied', async () => {
  const source = started();
  text = 'nameserver 192.0.2.2\n';
  await source.reload(apply, log);
  assert.deepEqual(
    applied.map((config) => config.zones.at(-1)!.upstreams[0]!.host),
    ['192.0.2.2'],
  );
  assert.deepEqual([source.reloads, source.failures, source.error], [1, 0, undefined]);
});

test('where nothing has changed, nothing is applied', async () => {
  const source = started();
  text = '# a comment\nnameserver 192.0.2.1\n';
  await source.reload(apply, log);
  assert.deepEqual(applied, []);
  assert.deepEqual(lines, ['info configuration read again: nothing has changed']);
});

test('a bad file keeps what runs, is counted each time and said once', async () => {
  const source = started();
  text = '';
  await source.reload(apply, log);
  await source.reload(apply, log);
  assert.deepEqual(applied, []);
  assert.deepEqual([source.reloads, source.failures], [2, 2]);
  assert.match(source.error!, /^Cannot take upstreams from/);
  assert.equal(lines.length, 1);
  assert.match(lines[0]!, /^error the new configuration is bad; the last good one stays: Cannot take upstreams from/);
});

test('another error is said again, and so is the same one after a good configuration', async () => {
  const source = started();
  text = '';
  await source.reload(apply, log);
  text = 'nameserver 169.254.20.10\n';
  await source.reload(apply, log);
  text = 'nameserver 192.0.2.1\n';
  await source.reload(apply, log);
  text = '';
  await source.reload(apply, log);
  assert.equal(lines.filter((line) => line.startsWith('error')).length, 3);
});

test('a good configuration after a bad one ends the failure', async () => {
  const source = started();
  text = '';
  await source.reload(apply, log);
  text = 'nameserver 192.0.2.2\n';
  await source.reload(apply, log);
  assert.deepEqual([applied.length, source.failures, source.error], [1, 1, undefined]);
});

test('a configuration that cannot be applied is a failure, and is tried again by the next reload', async () => {
  const source = started();
  text = 'nameserver 192.0.2.2\n';
  await source.reload(() => {
    throw new Error('no socket');
  }, log);
  assert.equal(source.error, 'Error: no socket');
  await source.reload(apply, log);
  assert.deepEqual([applied.length, source.error], [1, undefined]);
});

test('a note is said when it is new', async () => {
  const source = started();
  text = 'nameserver 192.0.2.1\nnameserver fe80::1%eth0\n';
  await source.reload(apply, log);
  await source.reload(apply, log);
  assert.equal(lines.filter((line) => line.startsWith('warn')).length, 1);
});

test('reloads that are asked for while one is on are one more', async () => {
  const source = started();
  text = 'nameserver 192.0.2.2\n';
  const slowly = async (config: Config): Promise<void> => {
    await new Promise((resolve) => setImmediate(resolve));
    applied.push(config);
  };
  const first = source.reload(slowly, log);
  text = 'nameserver 192.0.2.3\n';
  await Promise.all([first, ...Array.from({ length: 5 }, () => source.reload(slowly, log))]);
  assert.deepEqual(
    applied.map((config) => config.zones.at(-1)!.upstreams[0]!.host),
    ['192.0.2.2', '192.0.2.3'],
  );
  assert.equal(source.reloads, 2);
});
