import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

const ROOM = new URL('../../../src/node-network/', import.meta.url);

const SCRIPT = `
import { closeSync, openSync } from 'node:fs';
const { runTool } = await import('${ROOM}tool.ts');
const { IpsetSession } = await import('${ROOM}ipset-session.ts');
const session = new IpsetSession();
const open = [];
const errors = [];
process.on('uncaughtException', ({ message }) => errors.push('uncaught: ' + message));
for (;;) {
  try {
    open.push(openSync('/dev/null'));
  } catch {
    break;
  }
}
await runTool('true', []).catch(({ code }) => errors.push(code));
await session.command([], 'set', '192.0.2.1').catch(({ code }) => errors.push(code));
await new Promise((resolve) => setTimeout(resolve, 20));
for (const fd of open) closeSync(fd);
const { code } = await runTool('true', []);
console.log(JSON.stringify({ errors, code }));
`;

test('where no more files may be open, tools fail as they do elsewhere, and do not end the process', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'signpost-tool-'));
  t.after(() => rmSync(folder, { recursive: true }));
  symlinkSync('/bin/true', join(folder, 'ipset'));
  const node = [process.execPath, '--input-type=module', '--eval', SCRIPT];
  const said = execFileSync('sh', ['-c', 'ulimit -n 64; exec "$@"', 'sh', ...node], {
    encoding: 'utf8',
    env: { ...process.env, PATH: `${folder}:${process.env['PATH']}` },
  });
  assert.deepEqual(JSON.parse(said), { errors: ['ERR_TOOL', 'ERR_TOOL'], code: 0 });
});
