import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { generationOf } from '../../../src/handover/generations.ts';

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'signpost-generations-'));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
}

test('a pod has one generation for life, and each later pod a higher one', async (t) => {
  const state = folder(t);
  const a = await generationOf('a', state);
  const b = await generationOf('b', state);
  assert.ok(b > a);
  assert.equal(await generationOf('a', state), a);
  assert.equal(await generationOf('b', state), b);
});

test('a process that does not know its pod is newer than all before it', async (t) => {
  const state = folder(t);
  const first = await generationOf(undefined, state);
  assert.ok((await generationOf(undefined, state)) > first);
});

test('pods that start at once have generations of their own', async (t) => {
  const state = folder(t);
  const numbers = await Promise.all(Array.from({ length: 12 }, (_, i) => generationOf(`pod-${i}`, state)));
  assert.equal(new Set(numbers).size, 12);
});

test('no more is kept than is of use, and what is not ours is left alone', async (t) => {
  const state = folder(t);
  for (let i = 0; i < 40; i++) await generationOf(`pod-${i}`, state);
  const generations = join(state, 'generations');
  assert.ok(readdirSync(generations).length <= 16);
  writeFileSync(join(generations, 'notes'), 'x');
  writeFileSync(join(generations, '99999999999999999999'), 'y');
  const next = await generationOf('next', state);
  assert.equal(next, 41);
  assert.ok(readdirSync(generations).includes('notes'));
});

test('a pod that is known needs nothing to be written', async (t) => {
  const state = folder(t);
  const first = await generationOf('a', state);
  const folderOfNumbers = join(state, 'generations');
  const before = statSync(folderOfNumbers).mtimeMs;
  await sleep(20);
  assert.equal(await generationOf('a', state), first);
  assert.equal(statSync(folderOfNumbers).mtimeMs, before);
});

test('a folder that cannot be made is told by the code of the system', async (t) => {
  const state = join(folder(t), 'file');
  writeFileSync(state, '');
  await assert.rejects(generationOf('a', state), { code: 'ENOTDIR' });
});
