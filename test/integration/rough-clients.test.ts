import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { after, afterEach, before, suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ask, frame, TcpClient } from '../client/ask.ts';
import { decodeMessage, encodeQuestion } from '../client/message.ts';
import { type Agent, startAgent } from '../servers/agent.ts';
import { assertIdle, assertMetrics } from '../servers/idle.ts';
import type { Metrics } from '../servers/metrics.ts';
import { NAMED_PROGRAMS, type Named, startNamed } from '../servers/named.ts';
import { skipWithout } from '../servers/programs.ts';

const QUERY = encodeQuestion({ id: 7, name: 'one.example.test', type: 'A' });

/** After each of them the agent answers others, and its tables are empty. */
suite('clients that behave badly', { skip: skipWithout(...NAMED_PROGRAMS) }, () => {
  let named: Named;
  let agent: Agent;
  before(async () => {
    named = await startNamed();
    const upstream = `${named.host}:${named.port}`;
    agent = await startAgent(['--cluster-dns', upstream, '--upstream', upstream]);
  });
  afterEach(async () => {
    await assertIdle(agent, 20_000);
    const fresh = `fresh-${Math.random().toString(36).slice(2)}.wild.example.test`;
    for (const overTcp of [false, true]) {
      assert.equal((await ask(agent, { name: 'one.example.test', type: 'A', overTcp })).rcode, 0);
      assert.equal((await ask(agent, { name: fresh, type: 'A', overTcp })).rcode, 0);
    }
    await assertIdle(agent, 20_000);
  });
  after(async () => {
    await agent.stop();
    await named.stop();
  });

  test('half frames, then the end', async () => {
    for (let length = 0; length < QUERY.length + 2; length++) {
      const client = await TcpClient.connect(agent);
      client.send(frame(QUERY).subarray(0, length));
      client.socket.end();
      await client.closed();
    }
  });

  test('half frames, then a reset', async () => {
    for (let length = 0; length < QUERY.length + 2; length++) {
      const client = await TcpClient.connect(agent);
      client.send(frame(QUERY).subarray(0, length));
      client.socket.resetAndDestroy();
    }
  });

  test('half a frame and silence: closed when its time is over', async () => {
    const client = await TcpClient.connect(agent);
    client.send(frame(QUERY).subarray(0, 9));
    await client.closed();
  });

  test('three queries, a byte at a time', async () => {
    const client = await TcpClient.connect(agent);
    client.socket.setNoDelay(true);
    for (const byte of Buffer.concat([frame(QUERY), frame(QUERY), frame(QUERY)])) {
      client.send(Buffer.from([byte]));
      await sleep(1);
    }
    for (let i = 0; i < 3; i++) assert.equal(decodeMessage(await client.next()).answers.length, 1);
    client.close();
  });

  test('a query and the end of its sending side at once: the answer still comes', async () => {
    const client = await TcpClient.connect(agent);
    client.socket.end(frame(encodeQuestion({ name: `half-${Date.now()}.wild.example.test`, type: 'A' })));
    assert.equal(decodeMessage(await client.next()).rcode, 0);
    await client.closed();
  });

  test('a client that is gone before its answer came', async () => {
    for (let i = 0; i < 50; i++) {
      const client = await TcpClient.connect(agent);
      client.send(frame(encodeQuestion({ name: `gone-${i}.wild.example.test`, type: 'A' })));
      client.socket.resetAndDestroy();
    }
  });

  test('a thousand connections at once, all of them answered', async () => {
    const clients = await Promise.all(
      Array.from({ length: 1000 }, async (_, at) => {
        const localAddress = `127.0.${1 + (at >> 8)}.${at & 0xff}`;
        const socket = connect({ port: agent.port, host: agent.host, localAddress });
        await once(socket, 'connect');
        const answer = firstFrame(socket);
        // At once: a connection on which nothing is asked is closed after 3 s.
        socket.write(frame(QUERY));
        assert.equal(decodeMessage(await answer).rcode, 0);
        return socket;
      }),
    );
    const isOpen = (metrics: Metrics) => metrics.sum('signpost_tcp_connections') === 1000;
    await assertMetrics(agent, isOpen, 'there are not a thousand connections');
    for (const socket of clients) socket.destroy();
  });

  test('a client that does not read its answers is closed, and does not grow the agent', async () => {
    const client = await TcpClient.connect(agent);
    client.socket.pause();
    const large = frame(encodeQuestion({ name: 'longtext.example.test', type: 'TXT' }));
    const flood = Buffer.concat(Array.from({ length: 500 }, () => large));
    const before = (await agent.scrape()).sum('signpost_anonymous_memory_bytes');
    for (let i = 0; i < 20 && !client.isClosed; i++) {
      client.send(flood);
      await sleep(50);
    }
    const grown = (await agent.scrape()).sum('signpost_anonymous_memory_bytes') - before;
    // All answers together would be 76 MB.
    assert.ok(grown < 30e6, `${grown} bytes`);
    client.socket.resetAndDestroy();
  });

  test('a flood of names that were never asked: every one is answered or counted, and the tables stay within their bounds', async () => {
    const socket = createSocket('udp4');
    socket.connect(agent.port, agent.host);
    await once(socket, 'connect');
    let answered = 0;
    socket.on('message', () => answered++);
    for (let i = 0; i < 20_000; i++) {
      socket.send(encodeQuestion({ id: i, name: `flood-${i}-${Math.random()}.wild.example.test`, type: 'A' }));
      if (i % 200 === 0) await sleep(1);
      if (i % 5000 === 0) await assertWithinBounds(agent);
    }
    await assertIdle(agent, 20_000);
    socket.close();
    assert.ok(answered > 1000, `${answered} answers`);
  });

  test('datagrams without sense are passed over', async () => {
    const socket = createSocket('udp4');
    socket.connect(agent.port, agent.host);
    await once(socket, 'connect');
    for (let length = 0; length < 600; length++) socket.send(Buffer.alloc(length, length * 37));
    for (let length = 12; length < QUERY.length; length++) socket.send(QUERY.subarray(0, length));
    await ask(agent, { name: 'one.example.test', type: 'A' });
    socket.close();
  });
});

async function assertWithinBounds(agent: Agent): Promise<void> {
  const metrics = await agent.scrape();
  const inFlight = metrics.sum('signpost_questions_in_flight');
  assert.ok(inFlight <= metrics.sum('signpost_limit', { limit: 'in_flight' }), `${inFlight} in flight`);
}

async function firstFrame(socket: Socket): Promise<Buffer> {
  let bytes = Buffer.alloc(0);
  while (bytes.length < 2 || bytes.length < 2 + bytes.readUInt16BE()) {
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    bytes = Buffer.concat([bytes, chunk]);
  }
  return bytes.subarray(2);
}
