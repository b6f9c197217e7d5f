import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { silentLogger } from '../../../src/core/logger.ts';
import { SocketChannel } from '../../../src/handover/channel.ts';
import { Entrance } from '../../../src/handover/entrance.ts';
import type { Identity } from '../../../src/handover/identity.ts';
import { helloOf } from '../../../src/handover/message.ts';
import { connectTo, Standby } from '../../../src/handover/standby.ts';
import { House, libc, TIMES, until } from './house.ts';

const SELF: Identity = { id: 'self', generation: 1, attempt: 0, pod: 'a', pid: 1, version: '9.9.9' };
const NEWEST: Identity = { id: 'newest', generation: 1e6, attempt: 0, pod: 'z', pid: 2, version: '9.9.9' };

test('an old one that is stopped while it leaves its addresses to another does not take them again', async (t) => {
  const house = new House(t);
  const old = await house.start('a');
  const left = Promise.withResolvers<void>();
  let yields = 0;
  old.yield = async () => {
    yields++;
    await left.promise;
    return () => old.resume();
  };
  old.passes = false;
  const next = house.newcomer('b').then((newcomer) => newcomer.begin());
  await until('the old one leaves', () => yields === 1);
  old.succession.close();
  left.resolve();
  await next;
  await sleep(4 * TIMES.againMs);
  assert.equal(old.succession.role, 'closed');
  assert.equal(old.succession.counts.takenBack, 0);
});

test('one that is stopped while it takes back what it had given stays stopped, and leaves the path alone', async (t) => {
  const house = new House(t);
  const old = await house.start('a');
  const resumed = Promise.withResolvers<void>();
  let resumes = 0;
  old.resume = () => {
    resumes++;
    return resumed.promise;
  };
  const next = await house.start('b');
  await until('the old one stands by', () => next.succession.standbys.length === 1);
  next.end();
  await until('the old one takes back', () => resumes === 1);
  old.succession.close();
  const third = await house.start('c');
  resumed.resolve();
  await sleep(TIMES.againMs);
  assert.equal(old.succession.role, 'closed');
  const channel = await connectTo(house.path);
  await channel.send(helloOf(NEWEST, true, [1]));
  assert.equal((await channel.expect('hello', TIMES.answerMs))['id'], third.succession.self.id);
  channel.close();
});

test('of two that stand by one serves when the one before is gone, however long its sockets and rules take', async (t) => {
  const house = new House(t);
  const first = await house.start('a');
  const second = await house.start('b');
  const third = await house.start('c');
  await until('both stand by', () => third.succession.standbys.length === 2);
  const resumed = Promise.withResolvers<void>();
  for (const each of [first, second]) {
    const resume = each.resume.bind(each);
    each.resume = async () => {
      await resume();
      await resumed.promise;
    };
  }
  third.end();
  await sleep(5 * TIMES.rankMs);
  assert.deepEqual([first.state, second.state], ['paused', 'reads']);
  resumed.resolve();
  await until('one serves', () => second.succession.role === 'serving');
  await until('the other stands by', () => second.succession.standbys.length === 1);
  assert.equal(first.succession.role, 'standby');
});

test('an entrance that is looked after twice at once has one doorway, at the path', async (t) => {
  const house = new House(t);
  const never = async (): Promise<void> => {};
  const parts = { path: house.path, self: SELF, libc, protocols: [1], times: TIMES, onTake: never, onYield: never };
  const doorway = { ...parts, onDropped() {}, isServing: () => true, hasDropped: () => false };
  let others = 0;
  const onOther = async (channel: SocketChannel): Promise<void> => {
    others++;
    channel.close();
  };
  const entrance = new Entrance({ doorway, state: house.state, log: silentLogger, onOther });
  t.after(() => entrance.close());
  await entrance.open();
  for (let i = 0; i < 20; i++) {
    rmSync(house.path);
    await Promise.all([entrance.keep(), entrance.open(), entrance.keep()]);
    assert.equal(await entrance.doorway!.isFound(), true);
    await entrance.keep();
    assert.equal(others, 0);
  }
});

test('one that makes itself known twice at once stands in the line once', async (t) => {
  const house = new House(t);
  let connections = 0;
  const greeted = Promise.withResolvers<void>();
  const server = createServer(async (socket) => {
    connections++;
    const channel = new SocketChannel(socket);
    await channel.next(TIMES.answerMs);
    await greeted.promise;
    await channel.send(helloOf(NEWEST, true, [1]));
    await channel.next(TIMES.answerMs);
    await channel.send({ message: 'noted', rank: 0 });
  });
  await new Promise<void>((resolve) => server.listen(house.path, resolve));
  t.after(() => server.close());
  const standby = new Standby(
    { path: house.path, self: SELF, passesSockets: true, protocols: [1], times: TIMES },
    true,
  );
  t.after(() => standby.end());
  const registers = [standby.register(), standby.register()];
  await sleep(TIMES.againMs);
  greeted.resolve();
  await Promise.all(registers);
  assert.equal(connections, 1);
  standby.end();
});
