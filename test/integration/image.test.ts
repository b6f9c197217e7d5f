import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const root = join(import.meta.dirname, '../..');
const lines = (path: string) =>
  readFileSync(join(root, path), 'utf8')
    .replace(/\\\n/g, ' ')
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('#'));

const instructions = lines('Dockerfile').map((line) => {
  const [word = '', ...rest] = line.split(/\s+/);
  return { word, rest, text: rest.join(' ') };
});
const copies = instructions.filter(({ word }) => word === 'COPY').map(({ rest }) => rest);
const only = (word: string) => {
  const found = instructions.filter((instruction) => instruction.word === word);
  assert.equal(found.length, 1, word);
  return found[0]!;
};

test('what the image copies is in the repository, and let through by .dockerignore', () => {
  const [everything, ...allowed] = lines('.dockerignore');
  assert.equal(everything, '*');
  const sources = copies.filter(([first]) => !first!.startsWith('--from')).flatMap((words) => words.slice(0, -1));
  for (const source of sources) assert.ok(existsSync(join(root, source)), source);
  assert.deepEqual(allowed.map((line) => line.slice(1)).sort(), [...new Set(sources)].sort());
});

test('what is copied from another stage was made there', () => {
  const stages = instructions.filter(({ word }) => word === 'FROM').map(({ rest }) => rest[2]);
  assert.equal(stages.at(-1), undefined);
  for (const [from] of copies.filter(([first]) => first!.startsWith('--from'))) {
    assert.ok(stages.includes(from!.slice('--from='.length)), String(from));
  }
});

test('the image holds no sources and no development packages', () => {
  const runtime = instructions.slice(instructions.findLastIndex(({ word }) => word === 'FROM'));
  const targets = runtime.filter(({ word }) => word === 'COPY').map(({ rest }) => rest.at(-1));
  assert.deepEqual(targets.sort(), ['./', 'bin', 'dist', 'node_modules']);
  assert.ok(instructions.some(({ text }) => text.includes('npm prune --omit=dev')));
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
