import assert from 'node:assert/strict';
import { chmodSync, readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { FileChannel } from '../../../src/handover/channel.ts';
import { House, libc } from './house.ts';

const NOBODY = 65_534;

test('nothing is taken from a process of another user, which may listen where others can write', {
  skip: process.getuid?.() !== 0 && 'needs root',
}, async (t) => {
  const house = new House(t);
  chmodSync(house.state, 0o777);
  const server = createServer();
  t.after(() => server.close());
  process.seteuid!(NOBODY);
  try {
    await new Promise<void>((resolve) => server.listen(house.path, resolve));
  } finally {
    process.seteuid!(0);
  }
  const before = readdirSync('/proc/self/fd').length;
  assert.throws(() => new FileChannel(libc, house.path), { code: 'ERR_HANDOVER_FOREIGN', message: /user 65534 / });
  assert.equal(readdirSync('/proc/self/fd').length, before);
});
