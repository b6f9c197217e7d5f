import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { Agent } from '../../../src/agent/agent.ts';
import type { Config } from '../../../src/config/config.ts';
import { configFromFlags } from '../../../src/config/from-flags.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import { decodeMessage, encodeQuestion } from '../../client/message.ts';
import { answering } from '../../servers/answering.ts';

function configFor(upstreamPort: number, more: Record<string, string | string[]> = {}): Config {
  const flags = {
    listen: ['127.0.0.1:0'],
    clusterDns: [`udp://127.0.0.1:${upstreamPort}`],
    upstream: [`udp://127.0.0.1:${upstreamPort}`],
    admin: 'off',
    metrics: 'off',
    ...more,
  };
  return configFromFlags(flags, { env: {}, isTerminal: false, readFile: () => '' }).config;
}

async function askUdp(port: number, name: string): Promise<string> {
  const socket = createSocket('udp4');
  socket.connect(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.send(encodeQuestion({ name, type: 'A' }));
  const [reply] = (await once(socket, 'message')) as [Buffer];
  socket.close();
  return decodeMessage(reply).answers[0]!.data;
}

test('a reload asks the new upstream, repeats nothing of the old one, and keeps what did not change', async (t) => {
  const [first, second] = [await answering(1), await answering(2)];
  const route = [`kept.example=udp://127.0.0.1:${first.port}`];
  const agent = await Agent.start(configFor(first.port, { route }), { log: silentLogger });
  t.after(async () => {
    await agent.stop({ lameduckMs: 0 });
    first.close();
    second.close();
  });
  const port = agent.addresses.listen[0]!.port;
  const all = ['one.example.com', 'www.kept.example', 'gone.example.com'];
  for (const name of all) assert.equal(await askUdp(port, name), 'c0000201');
  await agent.reload(configFor(second.port, { route: [...route, `gone.example.com=udp://127.0.0.1:${first.port}`] }));
  assert.equal(await askUdp(port, 'one.example.com'), 'c0000202');
  assert.equal(await askUdp(port, 'two.example.com'), 'c0000202');
  assert.equal(await askUdp(port, 'gone.example.com'), 'c0000201');
  first.close();
  assert.equal(await askUdp(port, 'www.kept.example'), 'c0000201', 'from the cache');
  await agent.reload(configFor(second.port, { route }));
  assert.equal(await askUdp(port, 'gone.example.com'), 'c0000202');
  assert.equal(await askUdp(port, 'www.kept.example'), 'c0000201', 'from the cache');
});

test('another policy, order of upstreams or longer life of answers drops nothing', async (t) => {
  const [first, second] = [await answering(1), await answering(1)];
  const upstream = [first, second].map(({ port }) => `udp://127.0.0.1:${port}`);
  const agent = await Agent.start(configFor(first.port, { upstream }), { log: silentLogger });
  t.after(() => agent.stop({ lameduckMs: 0 }));
  const port = agent.addresses.listen[0]!.port;
  assert.equal(await askUdp(port, 'one.example.com'), 'c0000201');
  for (const server of [first, second]) server.close();
  await agent.reload(configFor(first.port, { upstream: upstream.toReversed(), policy: 'sequential' }));
  assert.equal(await askUdp(port, 'one.example.com'), 'c0000201');
});

test('an admin port that is taken does not keep the agent from answering', async () => {
  const upstream = await answering(1);
  const holder = createServer().listen(0, '127.0.0.1');
  await once(holder, 'listening');
  const { port: taken } = holder.address() as { port: number };
  const said: string[] = [];
  const log = { ...silentLogger, error: (_fields: object, message: string) => said.push(message) };
  const agent = await Agent.start(configFor(upstream.port, { admin: `127.0.0.1:${taken}` }), { log });
  assert.equal(await askUdp(agent.addresses.listen[0]!.port, 'one.example.com'), 'c0000201');
  assert.equal(agent.addresses.admin, undefined);
  assert.equal(said.length, 1);
  await agent.stop({ lameduckMs: 0 });
  holder.close();
  upstream.close();
});
