import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { TCP_CLOSINGS_A_TURN } from '../../../src/core/limits.ts';
import { Portions } from '../../../src/core/portions.ts';
import { TimerWheel } from '../../../src/core/timer-wheel.ts';
import type { CloseReason } from '../../../src/listen/close-reason.ts';
import { ConnectionCounts } from '../../../src/listen/connection-counts.ts';
import { OUTPUT_BUFFER_BYTES, OutputBuffers } from '../../../src/listen/output-buffers.ts';
import { TcpClient } from '../../../src/listen/tcp-client.ts';
import { type Closable, TCP_BOUNDS, TCP_TIMES } from '../../../src/listen/tcp-parts.ts';
import { TrafficTable } from '../../../src/metrics/traffic-table.ts';
import { ZoneIds } from '../../../src/metrics/zone-ids.ts';
import { frame, TcpClient as Peer } from '../../client/ask.ts';
import { FakeClock } from '../../fake-clock.ts';
import { EchoResponder, query } from './setup.ts';

/** A connection whose reads the test makes: how the kernel cuts a stream into reads is chance. */
async function connection(t: TestContext) {
  const server = createServer({ noDelay: true, allowHalfOpen: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const [[socket], peer] = await Promise.all([
    once(server, 'connection') as Promise<[Socket]>,
    Peer.connect({ host: '127.0.0.1', port }),
  ]);
  const clock = new FakeClock();
  const wheel = new TimerWheel({ clock, tickMs: 250, arm: () => {} });
  const buffers = new OutputBuffers();
  const closed: CloseReason[] = [];
  const traffic = new TrafficTable(new ZoneIds()).open('dns://127.0.0.1:53', 'tcp', 1);
  const owner = { traffic, onClosed: (_: TcpClient, reason: CloseReason) => closed.push(reason) };
  const responder = new EchoResponder();
  const counts = new ConnectionCounts();
  const closings = new Portions<Closable>(TCP_CLOSINGS_A_TURN, (due) => due.closeWhenDue());
  const shared = { responder, clock, wheel, counts, buffers, closings, times: TCP_TIMES, bounds: TCP_BOUNDS };
  const client = new TcpClient(socket, '127.0.0.1', owner, shared);
  t.after(() => {
    client.destroy();
    peer.close();
    server.close();
  });
  const read = (chunk: Buffer): void => void socket.emit('data', chunk);
  const pass = (ms: number): void => {
    clock.advance(ms);
    wheel.advance();
  };
  return { peer, buffers, closed, read, pass };
}

const queries = (count: number): Buffer =>
  Buffer.concat(Array.from({ length: count }, (_, id) => frame(query('now.test', id))));

test('the answers to what one read has brought leave in one write, as many as a buffer holds', async (t) => {
  const { peer, buffers, read } = await connection(t);
  const length = queries(1).length;
  const most = Math.floor(OUTPUT_BUFFER_BYTES / length);
  for (const [count, writes] of [
    [1, 1],
    [2, 1],
    [100, 1],
    [most, 1],
    [most + 1, 2],
    [3 * most, 3],
  ] as const) {
    const before = buffers.writes;
    read(queries(count));
    assert.equal(buffers.writes - before, writes, `${count} queries`);
    for (let id = 0; id < count; id++) assert.equal((await peer.next()).readUInt16BE(0), id);
  }
});

test('the end of a message and those after it are answered in one write', async (t) => {
  const { peer, buffers, read } = await connection(t);
  const bytes = queries(10);
  read(bytes.subarray(0, 7));
  assert.equal(buffers.writes, 0);
  read(bytes.subarray(7));
  assert.equal(buffers.writes, 1);
  for (let id = 0; id < 10; id++) assert.equal((await peer.next()).readUInt16BE(0), id);
});

test('a query that comes when the time is over, but before the connection is closed, keeps it', async (t) => {
  const { peer, closed, read, pass } = await connection(t);
  read(queries(1));
  pass(TCP_TIMES.idleMs + 750);
  read(queries(1));
  await turn();
  await turn();
  for (let i = 0; i < 2; i++) await peer.next();
  assert.equal(peer.isClosed, false);
  pass(TCP_TIMES.idleMs + 750);
  await peer.closed();
  assert.deepEqual(closed, ['idle']);
});
