import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import {
  anonymousMegabytes,
  busyPercent,
  childOf,
  connectionsTo,
  coreTime,
  countEstablished,
  cpuSeconds,
} from '../../../bench/processes.ts';

const TABLE = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:14E7 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 40001 1
   1: 0100007F:9C40 0100007F:14E7 01 00000000:00000000 00:00000000 00000000     0        0 40002 1
   2: 0100007F:14E7 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 40003 1
   3: 0100007F:9C41 0100007F:14E7 06 00000000:00000000 00:00000000 00000000     0        0 0 3
`;

test('only established connections to the port are counted, once each', () => {
  assert.equal(countEstablished(TABLE, 0x14e7), 1);
  assert.equal(countEstablished(TABLE, 0x9c40), 1);
  assert.equal(countEstablished(TABLE, 0x4e7), 0);
});

test('an open connection is seen in the table of this machine', {
  skip: process.platform !== 'linux' && 'needs /proc',
}, async () => {
  const accepted: Socket[] = [];
  const server = createServer((socket) => accepted.push(socket)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  assert.equal(connectionsTo(port), 0);
  const socket = connect(port, '127.0.0.1');
  await Promise.all([once(socket, 'connect'), once(server, 'connection')]);
  assert.equal(connectionsTo(port), 1);
  socket.destroy();
  for (const each of accepted) each.destroy();
  server.close();
});

test('this process has used CPU and memory', { skip: process.platform !== 'linux' && 'needs /proc' }, () => {
  const before = cpuSeconds(process.pid);
  const end = process.cpuUsage().user + 100_000;
  while (process.cpuUsage().user < end);
  const used = cpuSeconds(process.pid) - before;
  assert.ok(used >= 0.05 && used < 10, `${used} s`);
  const megabytes = anonymousMegabytes(process.pid);
  assert.ok(megabytes > 1 && megabytes < 2000, `${megabytes} MB`);
});

test('a core is busy for all of its time that is not idle, and guests are not counted twice', () => {
  const before = coreTime(1, 'cpu  9 9 9 9 9 9 9 9 9 9\ncpu1 100 0 50 800 50 0 0 0 30 0\ncpu10 1 1 1 1 1 1 1 1 1 1\n');
  assert.deepEqual(before, { busy: 150, total: 1000 });
  assert.equal(busyPercent(before, { busy: 200, total: 1200 }), 25);
  assert.equal(busyPercent(before, before), 0);
});

test('a child is found by the program that it runs', {
  skip: process.platform !== 'linux' && 'needs /proc',
}, async () => {
  const child = spawn('/bin/sleep', ['600']);
  await once(child, 'spawn');
  assert.equal(childOf(process.pid, 'sleep'), child.pid);
  child.kill();
  await once(child, 'exit');
  assert.throws(() => childOf(process.pid, 'kube-apiserver'), /has no child that runs kube-apiserver/);
});
