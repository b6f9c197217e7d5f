import assert from 'node:assert/strict';
import { readdirSync, readlinkSync } from 'node:fs';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { loadLibc } from '../../../src/native/libc.ts';
import { NetworkWatch } from '../../../src/node-network/network-watch.ts';

const SOL_NETLINK = 270;
const EPERM = 1;

function countSockets(): number {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith('socket:');
    } catch {
      return false;
    }
  }).length;
}

const options = { link: 'signpost0', tables: ['signpost'], onChange() {} };

test('a watch that cannot be had leaves nothing open, whichever of its groups it may not join', async (t) => {
  const libc = await loadLibc();
  const { setsockopt } = libc;
  let isRefused = false;
  let joins = 0;
  t.mock.method(libc, 'errno', () => EPERM);
  t.mock.method(libc, 'setsockopt', (...args: Parameters<typeof setsockopt>) => {
    const [, level] = args;
    if (level === SOL_NETLINK && isRefused && --joins < 0) return -1;
    return level === SOL_NETLINK ? 0 : setsockopt(...args);
  });
  (await NetworkWatch.open(options)).close();
  for (let waits = 0; waits < 10; waits++) await turn();
  const before = countSockets();
  isRefused = true;
  for (const refused of [0, 1, 3]) {
    joins = refused;
    await assert.rejects(NetworkWatch.open(options), { code: 'EPERM' });
  }
  for (let waits = 0; waits < 10; waits++) await turn();
  assert.equal(countSockets(), before);
});
