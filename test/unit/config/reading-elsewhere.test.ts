import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Config, ZoneConfig } from '../../../src/config/config.ts';
import { ConfigErrors } from '../../../src/config/config-errors.ts';
import { ConfigSource } from '../../../src/config/config-source.ts';
import { readConfig } from '../../../src/config/reading.ts';
import { readElsewhere } from '../../../src/config/reading-elsewhere.ts';
import { loadSettingsReaders } from '../../../src/config/settings-readers.ts';
import { silentLogger } from '../../../src/core/logger.ts';

const ENV = { KUBE_DNS_SERVICE_HOST: '10.96.0.10' };
const asItIs = (zone: ZoneConfig): ZoneConfig => zone;

function configuration(t: TestContext, zones: number) {
  const folder = mkdtempSync(join(tmpdir(), 'signpost-reading-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'signpost.yaml');
  const write = (lastOctet: number): void => {
    const lines = Array.from(
      { length: zones },
      (_, i) => `  z${i}.example: {upstreams: [10.0.0.${i % 9 === 0 ? lastOctet : 1}]}`,
    );
    writeFileSync(file, `upstreams: [192.0.2.1]\nzones:\n${lines.join('\n')}\n`);
  };
  write(1);
  return { file, write, flags: { config: file } };
}

test('a thread of its own reads what would be read here', async (t) => {
  const { flags, file } = configuration(t, 300);
  const surroundings = { env: ENV, isTerminal: false, readFile: (path: string) => readFileSync(path, 'utf8') };
  const here = readConfig(flags, surroundings, await loadSettingsReaders(flags));
  const there = await readElsewhere({ flags, env: ENV, isTerminal: false }, asItIs);
  assert.deepEqual(there.outcome(), here.outcome());
  assert.deepEqual(there.contents, here.contents);
  assert.equal(there.length, here.length);
  assert.ok(there.contents.has(file));
});

test('what is wrong comes back whole, with its codes', async (t) => {
  const { flags, file } = configuration(t, 1);
  writeFileSync(file, 'policy: best\ncacheSize: 1 elephant\n');
  const { outcome, contents } = await readElsewhere({ flags, env: ENV, isTerminal: false }, asItIs);
  assert.throws(outcome, (error: ConfigErrors) => {
    assert.ok(error instanceof ConfigErrors);
    assert.deepEqual(error.errors.map(({ code }) => code).toSorted(), ['ERR_CACHE_SIZE', 'ERR_POLICY']);
    return true;
  });
  assert.ok(contents.has(file), 'it is watched');
});

test('a large file is reloaded by way of that thread, and zones that did not change are the same objects', async (t) => {
  const { flags, write } = configuration(t, 1000);
  const surroundings = { env: ENV, isTerminal: false, readFile: (path: string) => readFileSync(path, 'utf8') };
  let readings = 0;
  const source = new ConfigSource(flags, surroundings, await loadSettingsReaders(flags), (task, same) => {
    readings++;
    return readElsewhere(task, same);
  });
  const before = source.load().config;
  const applied: Config[] = [];
  const apply = (config: Config): void => void applied.push(config);
  await source.reload(apply, silentLogger);
  assert.deepEqual([readings, applied.length], [1, 0]);
  write(2);
  await source.reload(apply, silentLogger);
  const after = applied[0]!;
  const same = after.zones.filter((zone) => before.zones.includes(zone)).length;
  assert.equal(before.zones.length - same, Math.ceil(1000 / 9));
  assert.equal(source.error, undefined);
});
