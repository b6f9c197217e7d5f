import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run } from '../../servers/child.ts';

const MIB = 1024 * 1024;
const MODULE = new URL('../../../src/agent/heap-growth.ts', import.meta.url).href;

/** Bytes of the halves for new objects in a process that has made many objects, a third of which lasted a while. */
async function youngBytes(prepare: string): Promise<number> {
  const script = `
    import { getHeapSpaceStatistics } from 'node:v8';
    import { limitHeapGrowth } from '${MODULE}';
    ${prepare}
    let kept = [];
    for (let i = 0; i < 3e6; i++) {
      const made = { i, list: [i] };
      if (i % 3 === 0) kept.push(made);
      if (kept.length > 20000) kept = [];
    }
    console.log(getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space').space_size);`;
  const { stdout, stderr, code } = await run(process.execPath, ['--input-type=module', '--eval', script]);
  assert.equal(code, 0, stderr);
  return Number(stdout);
}

test('the part of the heap for new objects grows no more, with no flag on the command line', async () => {
  const unlimited = await youngBytes('');
  const limited = await youngBytes('limitHeapGrowth();');
  assert.ok(unlimited >= 16 * MIB, `${unlimited} bytes without the limit`);
  assert.ok(limited <= 4 * MIB, `${limited} bytes`);
});
