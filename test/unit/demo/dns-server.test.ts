import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AnswerSource, found } from '../../../src/demo/answer-source.ts';
import { DnsServer } from '../../../src/demo/dns-server.ts';
import { ask, exchangeUdp, frame, TcpClient } from '../../client/ask.ts';
import { decodeMessage, encodeQuestion } from '../../client/message.ts';

const source: AnswerSource = { answer: (name) => found([{ name, type: 'A', ttl: 30, data: '10.0.0.1' }]) };

test('one port of loopback answers UDP and TCP', async () => {
  const server = await DnsServer.open(source);
  try {
    assert.equal(server.address.host, '127.0.0.1');
    for (const overTcp of [false, true]) {
      const { answers } = await ask(server.address, { name: 'a.example.com', type: 'A', overTcp });
      assert.equal(answers[0]?.data, '0a000001');
    }
  } finally {
    await server.close();
  }
});

test('queries that come in a row on one connection are answered in turn, wherever the pieces end', async () => {
  const server = await DnsServer.open(source);
  try {
    const client = await TcpClient.connect(server.address);
    const ids = Array.from({ length: 50 }, (_, at) => at + 1);
    const all = Buffer.concat(ids.map((id) => frame(encodeQuestion({ id, name: `n${id}.example.com`, type: 'A' }))));
    client.send(all.subarray(0, 701));
    await client.next();
    client.send(all.subarray(701));
    const rest = [];
    for (let left = ids.length - 1; left > 0; left--) rest.push(decodeMessage(await client.next()).id);
    assert.deepEqual(rest, ids.slice(1));
    client.close();
  } finally {
    await server.close();
  }
});

test('garbage does not stop it', async () => {
  const server = await DnsServer.open(source);
  try {
    const garbage = Buffer.alloc(40, 0x55);
    assert.equal((await exchangeUdp(server.address, garbage)).length, 12);
    const client = await TcpClient.connect(server.address);
    client.send(Buffer.from([0, 0, 0, 1, 9]));
    client.close();
    assert.equal((await ask(server.address, { name: 'a.example.com', type: 'A' })).answers.length, 1);
  } finally {
    await server.close();
  }
});

test('closing it closes the connections that are open', async () => {
  const server = await DnsServer.open(source);
  const client = await TcpClient.connect(server.address);
  client.send(frame(encodeQuestion({ name: 'a.example.com', type: 'A' })));
  await client.next();
  await server.close();
  await client.closed();
});
