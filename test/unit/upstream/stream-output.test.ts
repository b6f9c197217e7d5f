import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { test } from 'node:test';
import { StreamOutput } from '../../../src/upstream/stream-output.ts';

test('what a server does not read takes no more memory than it is long, and comes whole when it reads on', async (t) => {
  const server = createServer({ pauseOnConnect: true });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [peer] = await once(server, 'connection');
  t.after(() => {
    socket.destroy();
    peer.destroy();
    server.close();
  });
  const output = new StreamOutput(socket);
  output.open();
  let length = 0;
  const send = (text: string): void => {
    output.commit(output.reserve(text.length) + output.buffer.write(text, output.reserve(text.length)));
    output.flush();
    length += text.length;
  };
  // Until the kernel takes no more, for good.
  for (let quiet = 0; quiet < 20; quiet++) {
    if (socket.writableLength === 0) quiet = 0;
    while (socket.writableLength === 0) send('a'.repeat(16_000));
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  const before = process.memoryUsage().arrayBuffers;
  for (let i = 0; i < 2000; i++) send(`${i};`);
  const grown = process.memoryUsage().arrayBuffers - before;
  assert.ok(grown < 1_000_000, `${grown} bytes for ${output.backlog}`);
  const chunks: Buffer[] = [];
  peer.on('data', (chunk: Buffer) => chunks.push(chunk));
  peer.resume();
  while (chunks.reduce((sum, chunk) => sum + chunk.length, 0) < length) await once(peer, 'data');
  const text = Buffer.concat(chunks).toString();
  assert.equal(text.replace(/^a+/, ''), Array.from({ length: 2000 }, (_, i) => `${i};`).join(''));
});
