import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readFileSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { LogOutput } from '../../../src/agent/log-output.ts';

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'signpost-log-'));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
}

/** A pipe's two ends, and all that can be read from it now. */
function pipe(t: TestContext) {
  const path = join(folder(t), 'pipe');
  execFileSync('mkfifo', [path]);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writer = openSync(path, constants.O_WRONLY);
  t.after(() => {
    closeSync(reader);
    closeSync(writer);
  });
  const drain = (): string => {
    const chunks: Buffer[] = [];
    for (;;) {
      const chunk = Buffer.alloc(65_536);
      try {
        chunks.push(chunk.subarray(0, readSync(reader, chunk)));
      } catch {
        return Buffer.concat(chunks).toString();
      }
    }
  };
  return { writer, drain };
}

test('a pipe that nobody reads stops nothing: lines are lost, counted, and the loss is told when there is room again', (t) => {
  const { writer, drain } = pipe(t);
  const output = new LogOutput(writer);
  const told: number[] = [];
  output.onLost = (lost) => {
    told.push(lost);
    output.write(`lost ${lost}\n`);
  };
  const line = (id: number) => `${id} ${'x'.repeat(1000)}\n`;
  for (let id = 0; id < 200; id++) output.write(line(id));
  const lost = output.lost;
  assert.ok(lost > 0 && lost < 200);
  const first = drain().split('\n');
  output.write(line(200));
  assert.equal(output.lost, 0);
  assert.deepEqual(told, [lost]);
  const second = drain();
  assert.ok(second.endsWith(`${line(200)}lost ${lost}\n`));
  assert.equal(first.length - 1 + lost, 200);
});

test('a line longer than the pipe is whole once somebody reads', (t) => {
  const { writer, drain } = pipe(t);
  const output = new LogOutput(writer);
  const long = `${'y'.repeat(200_000)}\n`;
  output.write(long);
  output.write('short\n');
  let read = drain();
  for (let i = 0; i < 10; i++) {
    output.write('next\n');
    read += drain();
  }
  assert.ok(read.startsWith(`${long}next\n`), 'nothing comes between the pieces of a line');
  assert.equal(read.includes('short'), false);
});

test('other descriptors are written as they are, in order', (t) => {
  const path = join(folder(t), 'file');
  const descriptor = openSync(path, 'a');
  t.after(() => closeSync(descriptor));
  const output = new LogOutput(descriptor);
  output.write('one\n');
  output.write('two\n');
  assert.equal(readFileSync(path, 'utf8'), 'one\ntwo\n');
});

test('a reader that went away costs lines, not the process', (t) => {
  const path = join(folder(t), 'pipe');
  execFileSync('mkfifo', [path]);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writer = openSync(path, constants.O_WRONLY);
  t.after(() => closeSync(writer));
  const output = new LogOutput(writer);
  closeSync(reader);
  output.write('one\n');
  output.write('two\n');
  assert.equal(output.lost, 2);
});
