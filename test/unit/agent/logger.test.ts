import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const LOGGER = fileURLToPath(new URL('../../../src/agent/logger.ts', import.meta.url));

/** Runs `body` in a process of its own, where `createLogger` is at hand; what it wrote to both outputs. */
function run(body: string): { out: string; err: string } {
  const source = `import { createLogger } from ${JSON.stringify(LOGGER)}; ${body}`;
  const { stdout, stderr, error } = spawnSync(process.execPath, ['--input-type=module', '-e', source], {
    encoding: 'utf8',
  });
  assert.equal(error, undefined);
  return { out: stdout, err: stderr };
}

test('off a terminal a line is JSON with time, level, message and fields', () => {
  const { out, err } = run(`
    const log = createLogger({ level: 'info' });
    log.debug({}, 'not told');
    log.info({ address: '127.0.0.1:53' }, 'Listening');
    log.error({ err: Object.assign(new Error('no'), { code: 'ERR_NO' }) }, 'Failed');`);
  assert.equal(err, '');
  const lines = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.equal(lines.length, 2);
  const { time, ...first } = lines[0];
  assert.deepEqual(first, { level: 'info', address: '127.0.0.1:53', message: 'Listening' });
  assert.equal(new Date(time).toISOString(), time);
  assert.equal(lines[1].level, 'error');
  assert.equal(lines[1].err.message, 'no');
  assert.equal(lines[1].err.code, 'ERR_NO');
  assert.match(lines[1].err.stack, /Error: no/);
});

test('text goes where it is asked to, and the level can change while it runs', () => {
  const { out, err } = run(`
    const log = createLogger({ level: 'warn', format: 'text', descriptor: 2 });
    log.info({}, 'not told');
    log.level = 'debug';
    log.debug({ zone: '.' }, 'Told');`);
  assert.equal(out, '');
  assert.match(err, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z DEBUG Told zone=\.\n$/);
});

test('a line that was logged just before the process is killed is not missing', () => {
  const { out } = run(`
    const log = createLogger({ level: 'info', format: 'text' });
    log.error({}, 'Last words');
    process.kill(process.pid, 'SIGKILL');`);
  assert.match(out, /ERROR Last words\n$/);
});
