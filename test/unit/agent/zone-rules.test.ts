import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { test } from 'node:test';
import { Agent } from '../../../src/agent/agent.ts';
import type { Config, ZoneConfig } from '../../../src/config/config.ts';
import { configFromFlags } from '../../../src/config/from-flags.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import { decodeMessage, encodeQuestion, extendedErrors, type Message } from '../../client/message.ts';

const REFUSED = 5;

/** The root zone with these settings; the upstream is one that nobody is. */
function configWith(root: Partial<ZoneConfig>): Config {
  const flags = {
    listen: ['127.0.0.1:0'],
    clusterDns: ['udp://127.0.0.1:9'],
    upstream: ['udp://127.0.0.1:9'],
    admin: 'off',
    metrics: 'off',
  };
  const { config } = configFromFlags(flags, { env: {}, isTerminal: false, readFile: () => '' });
  return { ...config, zones: config.zones.map((zone) => (zone.zone === '.' ? { ...zone, ...root } : zone)) };
}

async function ask(socket: Socket, name: string, type: string): Promise<Message> {
  socket.send(encodeQuestion({ name, type, udpSize: 1232 }));
  const [reply] = (await once(socket, 'message')) as [Buffer];
  return decodeMessage(reply);
}

test('hosts, refuse and aaaa off answer with no upstream alive, and a reload changes them', async () => {
  const hosts = [{ address: '192.0.2.7', names: ['db.example.com.'] }];
  const agent = await Agent.start(configWith({ hosts, refuse: ['ads.example.com.'], hasAaaa: false }), {
    log: silentLogger,
  });
  const socket = createSocket('udp4');
  socket.connect(agent.addresses.listen[0]!.port, '127.0.0.1');
  await once(socket, 'connect');
  assert.equal((await ask(socket, 'db.example.com', 'A')).answers[0]!.data, 'c0000207');
  assert.equal((await ask(socket, '7.2.0.192.in-addr.arpa', 'PTR')).answers.length, 1);
  const refused = await ask(socket, 'x.ads.example.com', 'A');
  assert.deepEqual([refused.rcode, extendedErrors(refused)], [REFUSED, [15]]);
  const noAaaa = await ask(socket, 'www.example.com', 'AAAA');
  assert.deepEqual([noAaaa.rcode, noAaaa.answers.length, noAaaa.authorities[0]!.type], [0, 0, 6]);

  await agent.reload(configWith({ hosts: [{ address: '192.0.2.8', names: ['db.example.com.'] }] }));
  assert.equal((await ask(socket, 'db.example.com', 'A')).answers[0]!.data, 'c0000208');
  socket.close();
  await agent.stop({ lameduckMs: 0 });
});
