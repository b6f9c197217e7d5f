import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { trimMemory } from '../../../src/agent/memory-trim.ts';
import { loadTrim } from '../../../src/native/malloc.ts';
import { run } from '../../servers/child.ts';

const MODULE = new URL('../../../src/agent/memory-trim.ts', import.meta.url).href;

test('memory is given back again and again until it is ended', async () => {
  const end = await trimMemory(1);
  await sleep(20);
  end();
});

test('free memory goes back in a call that returns nothing', async () => {
  const trim = await loadTrim();
  assert.equal(trim?.(), undefined);
});

test('where nothing of C can be called, nothing happens, and no process is kept alive', async () => {
  const script = `import { trimMemory } from '${MODULE}'; await trimMemory(1);`;
  for (const flags of [[], ['--no-addons']]) {
    const result = await run(process.execPath, [...flags, '--input-type=module', '--eval', script]);
    assert.deepEqual(result, { code: 0, stdout: '', stderr: '' });
  }
});
