import assert from 'node:assert/strict';
import { closeSync, readdirSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { FileChannel, SocketChannel } from '../../../src/handover/channel.ts';
import { Doorway } from '../../../src/handover/doorway.ts';
import type { Identity } from '../../../src/handover/identity.ts';
import { helloOf, type Message } from '../../../src/handover/message.ts';
import { openMemoryFile } from '../../../src/native/descriptors.ts';
import { House, libc, TIMES, until } from './house.ts';

const NEWEST: Identity = { id: 'newest', generation: 1000, attempt: 0, pod: 'z', pid: 1, version: '9' };
const OLDEST: Identity = { ...NEWEST, id: 'oldest', generation: 0, pod: 'y' };

/** What a successor does up to each step, at which it dies. */
const SUCCESSOR_STEPS: readonly [string, (channel: FileChannel) => Promise<void>][] = [
  ['it has connected', async () => {}],
  ['it has greeted', (channel) => channel.send(helloOf(NEWEST, true, [1]))],
  ['it was greeted', async (channel) => void (await channel.expect('hello', 1000))],
  ['it has asked for everything', (channel) => channel.send({ message: 'take', protocol: 1 })],
  ['it was given the cache', (channel) => takeCache(channel)],
  ['it has read the cache', (channel) => channel.send({ message: 'loaded' })],
  ['it was given the rest of the cache', (channel) => takeCache(channel)],
  ['it has read that', (channel) => channel.send({ message: 'loaded' })],
  ['it was given the sockets', (channel) => takeSockets(channel)],
  ['it has opened them', (channel) => channel.send({ message: 'opened' })],
  ['it was told to go on', async (channel) => void (await channel.expect('go-on', 1000))],
];

async function takeCache(channel: FileChannel): Promise<void> {
  await channel.expect('cache', 1000);
  for (const file of channel.takeFiles(1)) closeSync(file);
}

async function takeSockets(channel: FileChannel): Promise<void> {
  const { names } = await channel.expect('sockets', 1000);
  for (const file of channel.takeFiles((names as string[]).length)) closeSync(file);
}

/** Where a successor that gives nothing would be found. */
function doorwayOf({ path }: House): Doorway {
  const never = async (): Promise<void> => {};
  const parts = { path, self: NEWEST, libc, protocols: [1], times: TIMES, onTake: never, onYield: never };
  return new Doorway({ ...parts, onDropped() {}, isServing: () => true, hasDropped: () => false });
}

for (const [i, [what]] of SUCCESSOR_STEPS.entries()) {
  test(`a successor dies when ${what}: the old one has not stopped, and gives to the next`, async (t) => {
    const house = new House(t);
    const old = await house.start('a');
    const channel = new FileChannel(libc, house.path);
    for (const [, step] of SUCCESSOR_STEPS.slice(0, i + 1)) await step(channel);
    channel.close();
    const next = await house.start('b');
    assert.equal(next.succession.role, 'serving');
    assert.equal(next.succession.arrival, 'taken');
    assert.equal(old.state, 'paused');
  });
}

test('a successor dies after it has said that it reads: the old one reads again', async (t) => {
  const house = new House(t);
  const old = await house.start('a');
  const channel = new FileChannel(libc, house.path);
  for (const [, step] of SUCCESSOR_STEPS) await step(channel);
  await channel.send({ message: 'reading' });
  channel.close();
  await until('it was given', () => old.succession.counts.given === 1);
  await until('the old one serves', () => old.succession.role === 'serving' && old.state === 'reads');
  assert.equal((await house.start('b')).succession.role, 'serving');
});

test('a successor dies when it is just at the path: the old one is found there again, and stays', async (t) => {
  const house = new House(t);
  // Long, so that the old one is found again before it is done with making itself known to the one that has died.
  const times = { ...TIMES, againMs: 1000 };
  const old = await house.start('a', { times });
  const channel = new FileChannel(libc, house.path);
  for (const [, step] of SUCCESSOR_STEPS) await step(channel);
  const doorway = doorwayOf(house);
  await doorway.open();
  doorway.close();
  await channel.send({ message: 'reading' });
  channel.close();
  await until('the old one serves', () => old.succession.counts.takenBack === 1);
  await sleep(times.againMs / 5);
  assert.equal((await house.start('b')).succession.arrival, 'taken');
});

test('a successor that says nothing more is given up, and the old one serves on', async (t) => {
  const house = new House(t);
  const times = { ...TIMES, cacheMs: 100, readingMs: 100 };
  const old = await house.start('a', { times });
  for (const steps of [5, 9]) {
    const channel = new FileChannel(libc, house.path);
    for (const [, step] of SUCCESSOR_STEPS.slice(0, steps)) await step(channel);
    await channel.closed;
    assert.equal(old.state, 'reads');
  }
  await until('both have failed', () => old.succession.counts.failed === 2);
});

test('a successor that comes too late does not serve beside the old one', async (t) => {
  const house = new House(t);
  const old = await house.start('a', { times: { ...TIMES, readingMs: 100 } });
  const late = await house.newcomer('b');
  const begun = late.succession.enter(async () => {
    await until('the old one has given up', () => old.succession.counts.failed === 1);
  });
  await begun;
  await assert.rejects(late.succession.settle(late), { code: 'ERR_HANDOVER_LATE' });
  late.end();
  assert.equal(old.state, 'reads');
  await until('the old one is found at the path', () => old.succession.role === 'serving');
  assert.equal((await house.start('c')).succession.arrival, 'taken');
});

test('an old one that gave up a successor in vain, for it was stopped itself meanwhile, stands by behind it', async (t) => {
  const house = new House(t);
  const old = await house.start('a', { times: { ...TIMES, readingMs: 100 } });
  const channel = new FileChannel(libc, house.path);
  for (const [, step] of SUCCESSOR_STEPS.slice(0, 9)) await step(channel);
  await until('the successor is given up', () => old.succession.counts.failed === 1);
  const doorway = doorwayOf(house);
  await doorway.open();
  await until('the old one reads no more', () => old.state === 'paused' && doorway.standbys.length === 1);
  assert.equal(old.succession.role, 'standby');
  doorway.close();
  await until('it reads again when the other is gone', () => old.state === 'reads');
  assert.equal((await house.start('b')).succession.arrival, 'taken');
});

/** What an old one does up to each step, at which it dies. */
const OLD_STEPS: readonly [string, (channel: SocketChannel) => Promise<unknown>][] = [
  ['it was connected to', async () => {}],
  ['it was greeted', (channel) => channel.expect('hello', 1000)],
  ['it has greeted', (channel) => channel.send(helloOf(OLDEST, true, [1]))],
  ['it was asked', (channel) => channel.expect('take', 1000)],
  ['it has given the cache', (channel) => giveFile(channel, { message: 'cache', files: 1 })],
  ['that was read', (channel) => channel.expect('loaded', 1000)],
  ['it has given the sockets', (channel) => giveFile(channel, { message: 'sockets', names: ['udp 127.0.0.1:53'] })],
  ['they are read', (channel) => channel.expect('opened', 2000)],
  ['it has said to go on', (channel) => channel.send({ message: 'go-on' })],
  ['it has been told that the other serves', (channel) => channel.expect('reading', 2000)],
];

async function giveFile(channel: SocketChannel, message: Message): Promise<void> {
  const file = openMemoryFile(libc, 'signpost-test');
  await channel.send(message, [file]);
  closeSync(file);
}

/** An old one that dies with its first connection when it has done `steps`; where it `hangs` it says no more in place of that. */
async function oldOne(t: TestContext, house: House, steps: number, hangs = false): Promise<Server> {
  const server = createServer(async (socket) => {
    const channel = new SocketChannel(socket, libc);
    t.after(() => channel.close());
    if (!hangs) server.close();
    for (const [, step] of OLD_STEPS.slice(0, steps)) await step(channel).catch(() => {});
    if (hangs) return;
    channel.close();
  });
  await new Promise<void>((resolve) => server.listen(house.path, resolve));
  t.after(() => server.close());
  return server;
}

for (const [i, [what]] of OLD_STEPS.entries()) {
  test(`the old one dies when ${what}: the new one serves`, async (t) => {
    const house = new House(t);
    await oldOne(t, house, i + 1);
    const next = await house.start('b');
    assert.equal(next.succession.role, 'serving');
    assert.equal(next.state, 'reads');
    assert.equal((await house.start('c')).succession.arrival, 'taken');
  });
}

test('an old one that hangs is not waited for without end, and nothing is left open', async (t) => {
  const times = { ...TIMES, answerMs: 100, cacheMs: 100, readingMs: 100 };
  for (const steps of [1, 3, 5, 7]) {
    const house = new House(t);
    const server = await oldOne(t, house, steps, true);
    const open = readdirSync('/proc/self/fd').length;
    const next = await house.start('b', { times });
    assert.equal(next.succession.role, 'serving');
    next.end();
    server.close();
    await until('nothing is left open', () => readdirSync('/proc/self/fd').length <= open + 3);
  }
});

test('what is no agent at the path is passed over', async (t) => {
  for (const greeting of ['220 mail.example.com ESMTP\r\n', '{}\n', '{"message":"hello"}\n', `${'x'.repeat(70_000)}`]) {
    const house = new House(t);
    const server = createServer((socket) => socket.on('error', () => {}).end(greeting));
    await new Promise<void>((resolve) => server.listen(house.path, resolve));
    const process = await house.start('a');
    assert.equal(process.succession.role, 'serving');
    assert.equal(process.succession.arrival, 'cold');
    server.close();
  }
});

test('whoever speaks nonsense to the one that serves is shown the door, and it serves on', async (t) => {
  const house = new House(t);
  const old = await house.start('a');
  for (const message of [
    { message: 'hello' },
    { message: 'take' },
    { ...helloOf(NEWEST, true, [1]), pid: 'x' },
    { message: '\u{1f600}' },
  ]) {
    const channel = new FileChannel(libc, house.path);
    await channel.send(message as Message);
    await channel.closed;
  }
  assert.equal((await house.start('b')).succession.arrival, 'taken');
  assert.equal(old.state, 'paused');
});
