import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { SuccessorProcesses } from '../../../src/agent/successor-processes.ts';
import type { Logger } from '../../../src/core/logger.ts';

const SERVING = { isPossible: true, servingPid: undefined };

/** Successors that cannot be started, and what is said of it. */
function unstartable(t: TestContext): { processes: SuccessorProcesses; said: string[] } {
  const { execPath } = process;
  process.execPath = '/nonexistent/node';
  t.after(() => {
    process.execPath = execPath;
  });
  const said: string[] = [];
  const note = (_fields: object, message: string): void => void said.push(message);
  const log: Logger = { debug() {}, info: note, warn: note, error: note };
  return { processes: new SuccessorProcesses(log), said };
}

test('a successor that cannot be started is said, and waited for neither by the next one nor at the end', async (t) => {
  const { processes, said } = unstartable(t);
  for (const what of ['path', 'arguments']) {
    const { execArgv } = process;
    // No program is begun with that: it is thrown.
    if (what === 'arguments') process.execArgv = ['\0'];
    processes.begin(SERVING);
    process.execArgv = execArgv;
    while (!said.includes('cannot start a successor')) await new Promise((resolve) => setImmediate(resolve));
    said.length = 0;
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
  await processes.end('SIGTERM');
});

test('none is started once the end has begun', async (t) => {
  const { processes, said } = unstartable(t);
  await processes.end('SIGTERM');
  processes.begin(SERVING);
  assert.deepEqual(said, []);
});
