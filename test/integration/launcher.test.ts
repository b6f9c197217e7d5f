import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Child, run } from '../servers/child.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Makes this Node believe that it is an old one; what it starts does not. */
const AS_OLD_NODE = [
  '--import',
  `data:text/javascript,${encodeURIComponent("Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.1.0' } })")}`,
];

/** A folder with the launcher and what stands in for the command line: `folders` of src and dist. */
function folderWith(t: TestContext, ...folders: ('src' | 'dist')[]): string {
  const root = mkdtempSync(join(tmpdir(), 'signpost-launcher-'));
  t.after(() => rmSync(root, { recursive: true }));
  writeFileSync(join(root, 'package.json'), '{"type":"module"}');
  cpSync(join(ROOT, 'bin'), join(root, 'bin'), { recursive: true });
  for (const folder of folders) {
    mkdirSync(join(root, folder, 'cli'), { recursive: true });
    const file = join(root, folder, 'cli', folder === 'src' ? 'main.ts' : 'main.js');
    writeFileSync(file, `export async function main(args) { process.stdout.write('${folder} ' + args.join(' ')); }`);
  }
  return join(root, 'bin', 'signpost.js');
}

test('a checkout runs from src, also when it has been built', async (t) => {
  const launcher = folderWith(t, 'src', 'dist');
  assert.deepEqual(await run(process.execPath, [launcher, 'a', 'b']), { code: 0, stdout: 'src a b', stderr: '' });
});

test('a package without src runs from dist', async (t) => {
  const launcher = folderWith(t, 'dist');
  assert.deepEqual(await run(process.execPath, [launcher, 'a']), { code: 0, stdout: 'dist a', stderr: '' });
});

test('an old Node is told in one line what is needed', async (t) => {
  for (const folder of ['src', 'dist'] as const) {
    const launcher = folderWith(t, folder);
    assert.deepEqual(await run(process.execPath, [...AS_OLD_NODE, launcher]), {
      code: 1,
      stdout: '',
      stderr: 'signpost needs Node.js 24 or later, and this is 20.1.0.\n',
    });
  }
});

test('an old Node in a checkout runs the one that the checkout brings, with its exit code', async () => {
  const { code, stderr } = await run(process.execPath, [
    ...AS_OLD_NODE,
    join(ROOT, 'bin', 'signpost.js'),
    'query',
    'a..b',
  ]);
  assert.equal(code, 2);
  assert.match(stderr, /^Cannot ask for a\.\.b/);
});

test('signals pass through to the Node that the checkout brings', async (t) => {
  const launcher = folderWith(t, 'src');
  const root = join(launcher, '..', '..');
  mkdirSync(join(root, 'node_modules', 'node', 'bin'), { recursive: true });
  symlinkSync(process.execPath, join(root, 'node_modules', 'node', 'bin', 'node'));
  const main = `export async function main() {
    for (const signal of ['SIGHUP', 'SIGINT']) process.on(signal, () => console.log(signal));
    process.on('SIGTERM', () => process.exit(7));
    setInterval(() => {}, 1000);
    console.log('ready');
  }`;
  writeFileSync(join(root, 'src', 'cli', 'main.ts'), main);
  const child = new Child(process.execPath, [...AS_OLD_NODE, launcher]);
  t.after(() => child.stop());
  await child.waitUntil('ready', () => child.output.includes('ready'));
  for (const signal of ['SIGHUP', 'SIGINT'] as const) {
    child.kill(signal);
    await child.waitUntil(`told of ${signal}`, () => child.output.includes(signal));
  }
  child.kill('SIGTERM');
  assert.deepEqual(await child.exit, { code: 7, signal: null });
});
