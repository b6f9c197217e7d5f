import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeMessage } from '../../../client/message.ts';
import { type WrittenRecord, writeMessage } from '../../../wire/message-writer.ts';
import { framed } from '../../upstream/scripted-server.ts';
import type { House } from '../house.ts';
import { AXFR, houseOf, replyTo, request, StreamClient, serve, until, ZONE } from './relay-house.ts';

const SERVFAIL = 2;
const axfr = request({ flags: 0, type: AXFR });
const soa: WrittenRecord = {
  owner: ZONE,
  type: 6,
  class: 1,
  ttl: 60,
  data: [ZONE, ZONE, Buffer.alloc(20, 1)],
};
const txt: WrittenRecord = { owner: ZONE, type: 16, class: 1, ttl: 60, data: [Buffer.alloc(20_000, 7)] };

/** A message of a transfer. */
function part(...answers: WrittenRecord[]): Buffer {
  const message = { id: 0x4711, flags: 0x8400, questions: [], answers, authorities: [], additionals: [] };
  return Buffer.from(writeMessage(message));
}

function begin(house: House, message = axfr): StreamClient {
  const client = new StreamClient(house.traffic, true);
  house.sendAs(client, message);
  return client;
}

test('a transfer comes message by message, byte for byte, and ends with the last; the connection is closed then', async (t) => {
  const parts = [part(soa), ...Array.from({ length: 20 }, () => part(txt)), part(soa)];
  const server = await serve(t, ({ raw }) => {
    const stream = Buffer.concat(parts.map(framed));
    // Cut where it hurts.
    for (let at = 0; at < stream.length; at += 7001) raw(stream.subarray(at, at + 7001));
  });
  const house = houseOf(server);
  const client = begin(house);
  await until('it has ended', () => client.hasEnded);
  assert.deepEqual(client.replies, parts);
  assert.deepEqual(server.received[0]!.query, axfr);
  await until('the connection is closed', () => server.sockets.size === 0);
  assert.equal(house.passThrough.counts.ended.transfer.answered, 1);
});

test('a client that takes nothing for now has the server wait too', async (t) => {
  let sent = 0;
  const server = await serve(t, ({ socket }) => {
    const pump = (): void => {
      for (let isFree = true; isFree && sent < 3000; sent++)
        isFree = socket!.write(framed(part(sent === 0 ? soa : txt)));
    };
    socket!.on('drain', pump);
    pump();
  });
  const house = houseOf(server);
  const client = new StreamClient(house.traffic, true);
  client.isFast = false;
  house.sendAs(client, axfr);
  await until('the first has come', () => client.replies.length > 0);
  let sentBefore = -1;
  await until('the server waits', () => {
    const isStill = sent === sentBefore;
    sentBefore = sent;
    return isStill && server.sockets.values().next().value!.writableNeedDrain;
  });
  assert.ok(client.replies.length <= 5, `${client.replies.length} messages came`);
  assert.ok(sent < 3000, 'the server could not get rid of all');
  house.pass(100_000);
  assert.equal(client.hasEnded, false, 'who waits for the client is not too slow');
  client.isFast = true;
  client.source!.onDrain();
  await until('it goes on', () => client.replies.length > 100);
  house.passThrough.close();
});

test('when the client leaves in the middle the connection to the server is closed', async (t) => {
  const server = await serve(t, ({ reply }) => reply(part(soa, txt)));
  const house = houseOf(server);
  const client = begin(house);
  await until('it has begun', () => client.replies.length === 1);
  client.source!.onGone();
  await until('the connection is closed', () => server.sockets.size === 0);
  assert.equal(house.passThrough.counts.ended.transfer['client-gone'], 1);
  assert.equal(client.replies.length, 1);
});

for (const [what, end] of [
  ['dies', (destroy: () => void) => destroy()],
  ['falls silent', () => {}],
] as const) {
  test(`when the server ${what} in the middle the client is told, and its connection lives on`, async (t) => {
    const server = await serve(t, ({ reply, socket }) => {
      reply(part(soa, txt));
      end(() => socket!.end());
    });
    const house = houseOf(server);
    const client = begin(house);
    await until('it has begun', () => client.replies.length === 1);
    if (what === 'falls silent') house.pass(30_100);
    await until('it has ended', () => client.hasEnded);
    const last = decodeMessage(client.replies[1]!);
    assert.deepEqual([last.id, last.rcode, last.question], [0x4711, SERVFAIL, axfr.subarray(12).toString('hex')]);
  });
}

test('a transfer that is refused is over with the refusal', async (t) => {
  const server = await serve(t, ({ query, reply }) => reply(replyTo(query, 5)));
  const house = houseOf(server);
  const client = begin(house);
  await until('it has ended', () => client.hasEnded);
  assert.equal(client.replies[0]![3], 5);
  await until('the connection is closed', () => server.sockets.size === 0);
});

test('a transfer that is asked over UDP has one datagram as its answer', async (t) => {
  const server = await serve(t, ({ query, reply }) => reply(replyTo(query, 1)));
  const client = houseOf(server).send(axfr);
  await until('it is answered', () => client.replies.length === 1);
  assert.equal(client.reply.rcode, 1);
  assert.equal(server.received[0]!.overTcp, false);
});
