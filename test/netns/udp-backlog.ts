import assert from 'node:assert/strict';
import { execSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { monotonicClock } from '../../src/core/clock.ts';
import { silentLogger } from '../../src/core/logger.ts';
import type { UdpKind } from '../../src/listen/udp-listener.ts';
import { UdpOpener } from '../../src/listen/udp-opener.ts';
import { TrafficTable } from '../../src/metrics/traffic-table.ts';
import { ZoneIds } from '../../src/metrics/zone-ids.ts';
import { bound, EchoResponder, LOOPBACK, query, until } from '../unit/listen/setup.ts';

// Run by udp-backlog.test.ts in a network of its own. Arguments: the command that makes loopback slow, the kind of listener, bytes of an answer.
const [slow, kind, bodyBytes] = process.argv.slice(2) as [string, UdpKind, string];
const BODY_BYTES = Number(bodyBytes);
const QUESTIONS = 250;

const responder = new EchoResponder();
const backlog = bound(50);
const opener = await UdpOpener.choose(silentLogger, [kind]);
const listener = await opener.open(LOOPBACK, {
  responder,
  clock: monotonicClock,
  backlog,
  traffics: new TrafficTable(new ZoneIds()),
});
const client = createSocket({ type: 'udp4', recvBufferSize: 4 * 1024 * 1024 });
client.connect(listener.address.port, listener.address.host);
await once(client, 'connect');
const replies: Buffer[] = [];
client.on('message', (reply) => replies.push(reply));
for (let id = 0; id < QUESTIONS; id++) {
  client.send(query('held.test', id));
  await until('it is held', () => responder.held.length === id + 1);
}

execSync(slow);
for (const { id } of responder.held) responder.held[id]!.answer(new Uint8Array(BODY_BYTES).fill(id));
// Answers of one turn leave at its end.
await turn();
const dropped = listener.backlogDrops;
assert.ok(dropped > 0 && dropped < QUESTIONS - backlog.value, `${dropped} dropped`);
assert.equal(backlog.hits, dropped);

execSync(slow.replace('add', 'change').replace('8kbit', '1gbit'));
await until('all others have come', () => replies.length === QUESTIONS - dropped);
assert.equal(new Set(replies.map((reply) => reply.readUInt16BE(0))).size, replies.length, 'each reply is another');
for (const reply of replies) {
  const id = reply.readUInt16BE(0);
  assert.equal(reply.length, query('held.test').length + BODY_BYTES);
  assert.ok(
    reply.subarray(-BODY_BYTES).every((octet) => octet === id),
    `the reply to ${id}`,
  );
}
responder.held.length = 0;
client.send(query('now.test', 999));
await until('the next is answered', () => replies.some((reply) => reply.readUInt16BE(0) === 999));
client.close();
await listener.finish();
