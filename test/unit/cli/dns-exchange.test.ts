import assert from 'node:assert/strict';
import dgram from 'node:dgram';
import { once } from 'node:events';
import net from 'node:net';
import { type TestContext, test } from 'node:test';
import { exchange, NoAnswer } from '../../../src/cli/dns-exchange.ts';
import { queryMessage } from '../../../src/cli/query-message.ts';
import type { SocketAddress } from '../../../src/config/config.ts';
import { freePort } from '../../servers/free-port.ts';

const QUERY = queryMessage(new Uint8Array(1), 2, { id: 0x1234, dnssecOk: false, askedOptions: [] });
const LONG_MS = 20_000;
const SHORT_MS = 60;

/** The query with QR set, and with TC where asked. */
function reply(id = 0x1234, flags = 0x8000): Buffer {
  const bytes = Buffer.from(QUERY);
  bytes.writeUInt16BE(id, 0);
  bytes.writeUInt16BE(flags, 2);
  return bytes;
}

/** Servers on one port of 127.0.0.1, which send what the functions return. */
async function servers(t: TestContext, onUdp: () => Buffer[], onTcp: () => Buffer[]): Promise<SocketAddress> {
  const tcp = net.createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => {
      const messages = onTcp();
      if (messages.length === 0) socket.destroy();
      for (const bytes of messages)
        socket.write(Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length]), bytes]));
    });
  });
  const port = await freePort();
  await once(tcp.listen(port, '127.0.0.1'), 'listening');
  const udp = dgram.createSocket('udp4');
  udp.on('message', (_bytes, client) => {
    for (const bytes of onUdp()) udp.send(bytes, client.port, client.address);
  });
  udp.bind(port, '127.0.0.1');
  await once(udp, 'listening');
  t.after(() => {
    udp.close();
    tcp.close();
  });
  return { host: '127.0.0.1', port };
}

test('a reply over UDP is the answer', async (t) => {
  const server = await servers(
    t,
    () => [reply()],
    () => [],
  );
  const answer = await exchange(QUERY, server, { isTcp: false, timeoutMs: LONG_MS });
  assert.equal(answer.transport, 'udp');
  assert.deepEqual(Buffer.from(answer.bytes), reply());
});

test('a truncated reply is asked for again over TCP', async (t) => {
  const server = await servers(
    t,
    () => [reply(0x1234, 0x8200)],
    () => [reply()],
  );
  const answer = await exchange(QUERY, server, { isTcp: false, timeoutMs: LONG_MS });
  assert.equal(answer.transport, 'tcp');
});

test('over TCP, no datagram is sent', async (t) => {
  let datagrams = 0;
  const server = await servers(
    t,
    () => {
      datagrams++;
      return [];
    },
    () => [reply()],
  );
  const answer = await exchange(QUERY, server, { isTcp: true, timeoutMs: LONG_MS });
  assert.deepEqual([answer.transport, datagrams], ['tcp', 0]);
});

test('a datagram that was lost is sent again', async (t) => {
  let queries = 0;
  const server = await servers(
    t,
    () => (queries++ === 0 ? [] : [reply()]),
    () => [],
  );
  const answer = await exchange(QUERY, server, { isTcp: false, timeoutMs: 1500 });
  assert.equal(answer.transport, 'udp');
});

test('messages that are no reply to the question are passed over', async (t) => {
  const noise = [Buffer.alloc(3), reply(0x4321), Buffer.from(QUERY)];
  const server = await servers(
    t,
    () => [...noise, reply()],
    () => [...noise, reply()],
  );
  for (const isTcp of [false, true]) {
    const { bytes } = await exchange(QUERY, server, { isTcp, timeoutMs: LONG_MS });
    assert.deepEqual(Buffer.from(bytes), reply());
  }
});

test('a closed port is told at once, over both', async () => {
  const port = await freePort();
  for (const isTcp of [false, true]) {
    await assert.rejects(
      exchange(QUERY, { host: '127.0.0.1', port }, { isTcp, timeoutMs: LONG_MS }),
      (error) => error instanceof NoAnswer && error.message === 'nothing listens there',
    );
  }
});

test('silence ends with the time there is', async (t) => {
  const server = await servers(
    t,
    () => [],
    () => [Buffer.alloc(0)],
  );
  for (const isTcp of [false, true]) {
    await assert.rejects(exchange(QUERY, server, { isTcp, timeoutMs: SHORT_MS }), /^Error: no answer within \d+ ms$/);
  }
});

test('a connection that is closed without an answer is told', async (t) => {
  const server = await servers(
    t,
    () => [],
    () => [],
  );
  await assert.rejects(exchange(QUERY, server, { isTcp: true, timeoutMs: LONG_MS }), NoAnswer);
});

test('an address that there is no way to is no answer', async () => {
  // Nothing is sent: the system refuses broadcasts to a socket that did not ask for them.
  const nowhere = { host: '255.255.255.255', port: 53 };
  await assert.rejects(exchange(QUERY, nowhere, { isTcp: false, timeoutMs: LONG_MS }), (error) => {
    return error instanceof NoAnswer && /EACCES|ENETUNREACH/.test(error.message);
  });
});
