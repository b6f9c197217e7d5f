import assert from 'node:assert/strict';
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { networkInterfaces } from 'node:os';
import { type TestContext, test } from 'node:test';
import { askItself } from '../../../src/admin/self-probe.ts';

/** A server on loopback that does with each datagram what it is told. */
async function serve(
  t: TestContext,
  onMessage: (socket: Socket, bytes: Buffer, from: RemoteInfo) => void,
  host = '127.0.0.1',
) {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  socket.on('message', (bytes, from) => onMessage(socket, bytes, from));
  await new Promise<void>((resolve) => socket.bind(0, host, resolve));
  t.after(() => socket.close());
  return { host, port: socket.address().port };
}

function answer(bytes: Buffer): Buffer {
  const reply = Buffer.from(bytes);
  reply[2] = 0x84;
  return reply;
}

const loopback = Object.values(networkInterfaces()).flatMap((addresses = []) =>
  addresses.map(({ address }) => address),
);

for (const host of ['127.0.0.1', '::1']) {
  const skip = loopback.includes(host) ? false : `this machine has no ${host}`;
  test(`an answer on ${host} is enough, whatever it says`, { skip }, async (t) => {
    const asked: string[] = [];
    const address = await serve(
      t,
      (socket, bytes, from) => {
        asked.push(bytes.toString('latin1', 12, bytes.length - 5));
        socket.send(answer(bytes), from.port, from.address);
      },
      host,
    );
    await askItself(address);
    assert.deepEqual(asked, ['\x02id\x06server']);
  });
}

test('a lost question is asked again', async (t) => {
  let count = 0;
  const address = await serve(t, (socket, bytes, from) => {
    if (++count === 2) socket.send(answer(bytes), from.port, from.address);
  });
  await askItself(address, 1500);
  assert.ok(count >= 2);
});

test('what is no answer to the question does not count', async (t) => {
  const address = await serve(t, (socket, bytes, from) => {
    const otherId = answer(bytes);
    otherId[0] = otherId[0]! ^ 0xff;
    for (const wrong of [otherId, bytes, answer(bytes).subarray(0, 11)]) socket.send(wrong, from.port, from.address);
  });
  await assert.rejects(askItself(address, 60), {
    code: 'ERR_NO_ANSWER',
    message: /127\.0\.0\.1 port \d+: silent for 60 ms/,
  });
});

test('a closed port is told at once', async (t) => {
  const address = await serve(t, () => {});
  const free = createSocket('udp4');
  await new Promise<void>((resolve) => free.bind(0, address.host, resolve));
  const { port } = free.address();
  await new Promise<void>((resolve) => free.close(() => resolve()));
  await assert.rejects(askItself({ host: address.host, port }, 60_000), { code: 'ERR_NO_ANSWER' });
});
