import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { readInstructions, readStages } from '../image/dockerfile.ts';

const root = join(import.meta.dirname, '../..');
const instructions = readInstructions(join(root, 'Dockerfile')).map((each) => ({
  ...each,
  rest: each.text.split(' '),
}));
const stages = readStages(join(root, 'Dockerfile'));
const copies = instructions.filter(({ word }) => word === 'COPY').map(({ rest }) => rest);
const only = (word: string) => {
  const found = instructions.filter((instruction) => instruction.word === word);
  assert.equal(found.length, 1, word);
  return found[0]!;
};

test('what the image copies is in the repository, and let through by .dockerignore', () => {
  const [everything, ...allowed] = readFileSync(join(root, '.dockerignore'), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  assert.equal(everything, '*');
  const sources = copies.filter(([first]) => !first!.startsWith('--from')).flatMap((words) => words.slice(0, -1));
  for (const source of sources) assert.ok(existsSync(join(root, source)), source);
  assert.deepEqual(allowed.map((line) => line.slice(1)).sort(), [...new Set(sources)].sort());
});

test('what is copied from another stage was made there', () => {
  assert.equal(stages.at(-1)!.name, undefined);
  for (const [from = ''] of copies.filter(([first]) => first!.startsWith('--from'))) {
    assert.ok(
      stages.some(({ name }) => `--from=${name}` === from),
      from,
    );
  }
});

test('stages that build run on the architecture of the builder, the last one on its own', () => {
  const platforms = instructions.filter(({ word }) => word === 'FROM').map(({ rest }) => rest[0]);
  assert.deepEqual(platforms.slice(0, -1), ['--platform=$BUILDPLATFORM', '--platform=$BUILDPLATFORM']);
  assert.equal(platforms.at(-1), stages.at(-1)!.base);
  assert.equal(new Set(stages.map(({ base }) => base)).size, 1);
});

test('flags of Node.js are arguments, for NODE_OPTIONS is not read where capabilities are raised', () => {
  const command = JSON.parse(only('ENTRYPOINT').text) as string[];
  assert.equal(command[0], 'node');
  assert.equal(command.at(-1), 'bin/signpost.js');
  for (const flag of [/^--max-semi-space-size=\d+$/, /^--disable-sigusr1$/]) {
    assert.ok(
      command.some((word) => flag.test(word)),
      String(flag),
    );
  }
  // The index of the cache lies in the heap: with a bound of 64 MiB, a cache of 256 MiB ended the process.
  assert.ok(!command.some((word) => word.startsWith('--max-old-space-size')));
  assert.deepEqual(JSON.parse(only('CMD').text), ['serve']);
  assert.equal(only('USER').text, '0');
  assert.ok(!instructions.some(({ word, text }) => word === 'HEALTHCHECK' || text.includes('NODE_OPTIONS')));
});
