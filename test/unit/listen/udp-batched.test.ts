import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { monotonicClock } from '../../../src/core/clock.ts';
import { UDP_BATCHES_A_TURN, UDP_QUERY_BYTES } from '../../../src/core/limits.ts';
import type { Logger } from '../../../src/core/logger.ts';
import { registerListenMetrics } from '../../../src/listen/metrics.ts';
import { BatchedUdpListener } from '../../../src/listen/udp-batched.ts';
import type { UdpKind } from '../../../src/listen/udp-listener.ts';
import { UDP_KINDS, UdpOpener } from '../../../src/listen/udp-opener.ts';
import { Register } from '../../../src/metrics/register.ts';
import { TrafficTable } from '../../../src/metrics/traffic-table.ts';
import { ZoneIds } from '../../../src/metrics/zone-ids.ts';
import { exchangeUdp } from '../../client/ask.ts';
import { EchoResponder, LOOPBACK, openUdp, query, until } from './setup.ts';

const skip = process.platform !== 'linux';
const KINDS = ['batched', 'batched-dgram'] as const;

async function openOne(kind: (typeof KINDS)[number]) {
  const responder = new EchoResponder();
  const traffics = new TrafficTable(new ZoneIds());
  return {
    responder,
    listener: await BatchedUdpListener.open(LOOPBACK, kind, { responder, traffics, clock: monotonicClock }),
  };
}

test('bound to a wildcard it answers from the address that was asked, at once and later', { skip }, async (t) => {
  const wildcards = [
    { host: '0.0.0.0', asked: ['127.0.0.1', '127.0.0.2', '127.9.9.9'] },
    { host: '::', asked: ['::1'] },
  ];
  for (const { host, asked } of wildcards) {
    const { listeners, responder } = await openUdp(t, 'batched', [{ host, port: 0 }]);
    const { port } = listeners.addresses[0]!;
    for (const [id, address] of [...asked, ...asked].entries()) {
      // The client's socket is connected: from elsewhere it hears nothing.
      const server = { host: address, port };
      assert.equal((await exchangeUdp(server, query('now.test', id))).readUInt16BE(0), id);
      assert.equal((await exchangeUdp(server, query('large.test', id))).readUInt16BE(0), id);
      const late = exchangeUdp(server, query('held.test', 100 + id));
      await until('it is held', () => responder.held.length === 1);
      responder.held.pop()!.answer();
      assert.equal((await late).readUInt16BE(0), 100 + id);
    }
  }
});

test('a thousand datagrams in one go are all answered, and others get their turn in between', { skip }, async () => {
  for (const kind of KINDS) {
    const { listener, responder } = await openOne(kind);
    const client = createSocket({ type: 'udp4', recvBufferSize: 4 << 20 });
    client.connect(listener.address.port, '127.0.0.1');
    await once(client, 'connect');
    const ids = new Set<number>();
    client.on('message', (reply) => ids.add(reply.readUInt16BE(0)));
    const turns = UDP_BATCHES_A_TURN.hits;
    for (let id = 0; id < 1000; id++) client.send(query('now.test', id));
    await until('all are answered', () => ids.size === 1000);
    assert.equal(responder.answered, 1000);
    assert.ok(UDP_BATCHES_A_TURN.hits > turns);
    client.close();
    await listener.finish();
  }
});

test('a datagram longer than any question is counted, and does not harm the next', { skip }, async (t) => {
  const { listeners } = await openUdp(t, 'batched');
  const [server] = listeners.addresses;
  const cut = UDP_QUERY_BYTES.hits;
  const client = createSocket('udp4');
  for (const length of [2048, 2049, 65_507]) {
    client.send(Buffer.concat([query('drop.test'), Buffer.alloc(length)], length), server!.port, server!.host);
  }
  client.send(Buffer.concat([query('now.test', 77), Buffer.alloc(5000)]), server!.port, server!.host);
  const [reply] = await once(client, 'message');
  // What came of it comes back: the slot's bytes.
  assert.equal(reply.length, 2048);
  assert.equal(UDP_QUERY_BYTES.hits, cut + 3);
  assert.equal((await exchangeUdp(server!, query('now.test', 78))).readUInt16BE(0), 78);
  client.close();
});

test('what comes from port 0 is not answered', { skip }, async () => {
  const { listener, responder } = await openOne('batched');
  listener.onDatagram(query('now.test'), 0, '127.0.0.1');
  listener.onDatagram(query('held.test'), 0, '127.0.0.1');
  assert.equal(responder.answered + responder.held.length, 0);
  listener.onDatagram(query('now.test'), 9, '127.0.0.1');
  assert.equal(responder.answered, 1);
  await listener.finish();
});

test('an answer that the kernel refuses is counted, and those beside it leave', { skip }, async () => {
  const { listener } = await openOne('batched');
  // Nobody may send to a broadcast address without asking for it.
  listener.onDatagram(query('now.test'), 9, '255.255.255.255');
  assert.equal(listener.sendErrors, 1);
  assert.equal((await exchangeUdp(listener.address, query('now.test', 5))).readUInt16BE(0), 5);
  await listener.finish();
});

test('an error thrown by what answers ends in the loop, not in libuv', { skip }, async () => {
  const { listener, responder } = await openOne('batched');
  const usual = responder.respond;
  responder.respond = () => {
    responder.respond = usual;
    throw new Error('thrown on purpose');
  };
  const listeners = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  const caught = once(process, 'uncaughtException');
  const client = createSocket('udp4');
  client.send(query('now.test'), listener.address.port, '127.0.0.1');
  const [error] = await caught;
  for (const each of listeners) process.on('uncaughtException', each);
  assert.equal(error.message, 'thrown on purpose');
  assert.equal((await exchangeUdp(listener.address, query('now.test', 6))).readUInt16BE(0), 6);
  client.close();
  await listener.finish();
});

test('descriptors and handles are given back', { skip }, async () => {
  for (const kind of KINDS) {
    const count = () => readdirSync('/proc/self/fd').length;
    const { listener: first } = await openOne(kind);
    await first.finish();
    const before = count();
    for (let round = 0; round < 50; round++) {
      const { listener } = await openOne(kind);
      if (round % 10 === 0) await exchangeUdp(listener.address, query('now.test'));
      listener.destroy();
      await listener.finish();
    }
    assert.equal(count(), before);
  }
});

test('a kind that is passed over is told in one line with its reason, and each listener has its kind on the metrics', async (t) => {
  const lines: object[] = [];
  const note = (fields: object): void => void lines.push(fields);
  const log: Logger = { debug: note, info: note, warn: note, error: note };
  const failing = (count: number) => (kind: UdpKind) =>
    UDP_KINDS.indexOf(kind) < count ? Promise.reject(new Error(`no ${kind} here`)) : Promise.resolve();
  assert.equal((await UdpOpener.choose(log, UDP_KINDS, failing(0))).kind, 'batched');
  assert.deepEqual(lines, []);
  assert.equal((await UdpOpener.choose(log, UDP_KINDS, failing(1))).kind, 'batched-dgram');
  assert.equal((await UdpOpener.choose(log, UDP_KINDS, failing(2))).kind, 'portable');
  assert.deepEqual(lines, [
    { udp: 'batched-dgram', reasons: ['batched: no batched here'] },
    { udp: 'portable', reasons: ['batched: no batched here', 'batched-dgram: no batched-dgram here'] },
  ]);

  const { listeners } = await openUdp(t, 'portable');
  const register = new Register();
  registerListenMetrics(register, listeners);
  const text = await register.text();
  assert.match(text, /^signpost_udp_listener_info\{server="dns:\/\/127\.0\.0\.1:\d+",kind="portable"\} 1$/m);
  assert.doesNotMatch(text, /^signpost_udp_kernel_drops_total\{/m);
});
