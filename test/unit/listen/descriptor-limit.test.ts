import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TCP_CONNECTIONS } from '../../../src/core/limits.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import { fitToDescriptors } from '../../../src/listen/descriptor-limit.ts';

const WANTED = TCP_CONNECTIONS.value;

/** What the limit of connections becomes, and what is logged. */
function fitTo(openFiles: string): { connections: number; logged: object[] } {
  TCP_CONNECTIONS.value = WANTED;
  const logged: object[] = [];
  const limits = `Limit   Soft Limit   Hard Limit   Units\nMax open files    ${openFiles}    1048576   files\n`;
  fitToDescriptors({ ...silentLogger, warn: (fields) => logged.push(fields) }, limits);
  return { connections: TCP_CONNECTIONS.value, logged };
}

test('where enough files may be open, the limit of connections stays, and nothing is said', () => {
  for (const openFiles of ['1048576', 'unlimited', `${WANTED + 512}`]) {
    assert.deepEqual(fitTo(openFiles), { connections: WANTED, logged: [] }, openFiles);
  }
  fitToDescriptors(silentLogger, '');
  assert.equal(TCP_CONNECTIONS.value, WANTED);
});

test('where fewer files may be open, connections leave room for the rest, and one line says so', () => {
  for (const [openFiles, connections] of [
    [WANTED + 511, WANTED - 1],
    [4096, 3584],
    [1024, 512],
    [100, 50],
  ] as const) {
    const logged = [{ descriptors: openFiles, connections, wanted: WANTED }];
    assert.deepEqual(fitTo(`${openFiles}`), { connections, logged });
  }
});
