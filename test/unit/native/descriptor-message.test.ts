import assert from 'node:assert/strict';
import { closeSync, fstatSync, mkdtempSync, readdirSync, readSync, rmSync, writeSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { DESCRIPTORS_A_MESSAGE, DescriptorMessage } from '../../../src/native/descriptor-message.ts';
import { connectUnix, descriptorOf, duplicate, openMemoryFile } from '../../../src/native/descriptors.ts';
import { loadLibc } from '../../../src/native/libc.ts';

const libc = await loadLibc();
const folder = mkdtempSync(join(tmpdir(), 'signpost-descriptors-'));
after(() => rmSync(folder, { recursive: true }));

let made = 0;

/** Both ends of a connection: node's, and a bare descriptor. */
async function pair() {
  const path = join(folder, `${made++}.sock`);
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const connected = new Promise<Socket>((resolve) => server.once('connection', resolve));
  const fd = connectUnix(libc, path);
  const socket = await connected;
  server.close();
  return { fd, socket, other: descriptorOf(socket) };
}

const openCount = () => readdirSync('/proc/self/fd').length;

test('a file passes with the bytes that it was sent with, and both ends have it open', async () => {
  const { fd, socket, other } = await pair();
  const message = new DescriptorMessage(libc);
  const file = openMemoryFile(libc, 'signpost-test');
  writeSync(file, 'hello', 0);
  assert.equal(message.send(other, Buffer.from('take this\n'), [file]), true);
  const { bytes, descriptors } = message.receive(fd);
  assert.equal(Buffer.from(bytes!).toString(), 'take this\n');
  assert.equal(descriptors.length, 1);
  closeSync(file);
  const read = Buffer.alloc(5);
  readSync(descriptors[0]!, read, 0, 5, 0);
  assert.equal(read.toString(), 'hello');
  closeSync(descriptors[0]!);
  socket.destroy();
  closeSync(fd);
});

test('as many descriptors as one message takes arrive in their order, and none is left over', async () => {
  const { fd, socket, other } = await pair();
  const message = new DescriptorMessage(libc);
  const before = openCount();
  const file = openMemoryFile(libc, 'signpost-test');
  const copies = Array.from({ length: DESCRIPTORS_A_MESSAGE }, () => duplicate(libc, file));
  message.send(other, Buffer.from('{}\n'), copies);
  const { descriptors } = message.receive(fd);
  assert.equal(descriptors.length, DESCRIPTORS_A_MESSAGE);
  const { ino } = fstatSync(file);
  for (const descriptor of descriptors) assert.equal(fstatSync(descriptor).ino, ino);
  for (const descriptor of [...copies, ...descriptors, file]) closeSync(descriptor);
  assert.equal(openCount(), before);
  socket.destroy();
  closeSync(fd);
});

test('nothing there, and an end that has closed, are told apart', async () => {
  const { fd, socket } = await pair();
  const message = new DescriptorMessage(libc);
  assert.equal(message.receive(fd).bytes, undefined);
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.destroy();
  await closed;
  assert.equal(message.receive(fd).bytes?.length, 0);
  closeSync(fd);
});

test('who listens nowhere is named by the code that the system gave', () => {
  const before = openCount();
  assert.throws(() => connectUnix(libc, join(folder, 'none.sock')), { code: 'ENOENT' });
  assert.throws(() => connectUnix(libc, join(folder, 'x'.repeat(120))), /too long/);
  assert.equal(openCount(), before);
});
