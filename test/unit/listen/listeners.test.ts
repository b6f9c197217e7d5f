import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import type { SocketAddress } from '../../../src/config/config.ts';
import { ConfigError, StartError } from '../../../src/core/errors.ts';
import { registerListenMetrics } from '../../../src/listen/metrics.ts';
import { Register } from '../../../src/metrics/register.ts';
import { exchangeTcp, exchangeUdp, frame, TcpClient } from '../../client/ask.ts';
import { freePort } from '../../servers/free-port.ts';
import { skipWithout } from '../../servers/programs.ts';
import { LOOPBACK, open, query, until } from './setup.ts';

test('many addresses of both families answer over UDP and TCP, each pair on one port', async (t) => {
  const addresses = [...Array.from({ length: 20 }, (_, i) => `127.0.0.${i + 1}`), '::1', '::1'];
  const { listeners } = await open(
    t,
    addresses.map((host) => ({ host, port: 0 })),
  );
  assert.equal(listeners.addresses.length, addresses.length);
  for (const [i, address] of listeners.addresses.entries()) {
    assert.equal(address.host, addresses[i]);
    assert.deepEqual(listeners.udp[i]!.address, address);
    assert.equal((await exchangeUdp(address, query('now.test', i))).readUInt16BE(0), i);
    assert.equal((await exchangeTcp(address, query('now.test', i))).readUInt16BE(0), i);
  }
});

test('a wildcard is refused before anything is opened where answers cannot leave from the address that was asked', async (t) => {
  for (const host of ['0.0.0.0', '::']) {
    await assert.rejects(
      open(t, [LOOPBACK, { host, port: 5353 }], { udpKinds: ['portable'] }),
      (error: ConfigError) => {
        assert.ok(error instanceof ConfigError);
        assert.equal(error.code, 'ERR_LISTEN_WILDCARD');
        assert.match(error.message, /^Cannot listen on (0\.0\.0\.0|\[::\]):5353 \(--listen\): /);
        return true;
      },
    );
  }
});

function expectStartError(code: string, message: RegExp): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof StartError);
    assert.equal(error.code, code);
    assert.match(error.message, message);
    return true;
  };
}

test('a port in use is told with the process that holds it, and nothing stays open', async (t) => {
  const port = await freePort();
  const free: SocketAddress = { host: '127.0.0.1', port: await freePort() };
  for (const host of ['127.0.0.1', '::1']) {
    const address = host === '::1' ? `\\[::1\\]:${port}` : `127\\.0\\.0\\.1:${port}`;
    const text = (protocol: string) =>
      new RegExp(
        `^Cannot listen on ${address}, ${protocol} .*: the port is in use by node \\(process ${process.pid}\\)\\.`,
      );

    const tcp = createServer().listen(port, host);
    await once(tcp, 'listening');
    await assert.rejects(open(t, [free, { host, port }]), expectStartError('ERR_LISTEN_IN_USE', text('TCP')));
    tcp.close();
    await once(tcp, 'close');

    const udp = createSocket(host === '::1' ? 'udp6' : 'udp4');
    udp.bind(port, host);
    await once(udp, 'listening');
    await assert.rejects(open(t, [free, { host, port }]), expectStartError('ERR_LISTEN_IN_USE', text('UDP')));
    udp.close();
    await once(udp, 'close');
  }
  await open(t, [free, { host: '127.0.0.1', port }]);
});

test('a wildcard of another process that covers the address is found, too', async (t) => {
  const other = createServer().listen(0, '0.0.0.0');
  await once(other, 'listening');
  const { port } = other.address() as { port: number };
  const expected = expectStartError('ERR_LISTEN_IN_USE', new RegExp(`node \\(process ${process.pid}\\)`));
  await assert.rejects(open(t, [{ host: '127.0.0.3', port }]), expected);
  other.close();
});

test('an address that this machine has not got is told with what adds it', async (t) => {
  // Of the ranges that are kept for documentation (RFC 5737, RFC 3849).
  const expected = (remedy: RegExp) => expectStartError('ERR_LISTEN_NO_ADDRESS', remedy);
  await assert.rejects(
    open(t, [{ host: '192.0.2.1', port: 5353 }]),
    expected(/^Cannot listen on 192\.0\.2\.1:5353, TCP .*\(ip address add 192\.0\.2\.1\/32 dev lo\)/),
  );
  await assert.rejects(
    open(t, [{ host: '2001:db8::1', port: 5353 }]),
    expected(/^Cannot listen on \[2001:db8::1\]:5353, TCP .*\(ip address add 2001:db8::1\/128 dev lo\)/),
  );
});

const isRoot = process.getuid?.() === 0;

test('a port that needs a capability is told with its name', { skip: isRoot && skipWithout('setpriv') }, (t) => {
  const program = join(import.meta.dirname, 'open-port-1.ts');
  const drop = isRoot ? ['setpriv', '--bounding-set=-net_bind_service'] : [];
  const [command, ...args] = [...drop, process.execPath, program];
  const { status, stdout } = spawnSync(command!, args, { encoding: 'utf8' });
  if (stdout.startsWith('opened')) return t.skip('this machine lets anybody open low ports');
  assert.equal(status, 0);
  assert.match(stdout, /^ERR_LISTEN_NO_PERMISSION Cannot listen on 127\.0\.0\.9:1, TCP .* NET_BIND_SERVICE/);
});

test('closing answers what is in flight, takes nothing new, and ends', async (t) => {
  const { listeners, responder } = await open(t);
  const [server] = listeners.addresses;
  const client = await TcpClient.connect(server!);
  const idle = await TcpClient.connect(server!);
  client.send(frame(query('held.test', 1)));
  const overUdp = exchangeUdp(server!, query('held.test', 2));
  await until('both are held', () => responder.held.length === 2);

  const closed = listeners.close();
  await idle.closed();
  client.send(frame(query('now.test', 3)));
  await assert.rejects(TcpClient.connect(server!));
  assert.equal(responder.answered, 0);
  for (const question of responder.held) question.answer();
  assert.equal((await client.next()).readUInt16BE(0), 1);
  assert.equal((await overUdp).readUInt16BE(0), 2);
  await client.closed();
  await closed;
  assert.equal(responder.answered, 0);
  assert.equal(listeners.counts.total, 0);
  assert.equal(listeners.tcp[0]!.closed.shutdown, 2);
});

test('closing does not wait for ever for answers that do not come', async (t) => {
  const { listeners, responder, pass } = await open(t);
  const [server] = listeners.addresses;
  const client = await TcpClient.connect(server!);
  client.send(frame(query('held.test', 1)));
  await until('it is held', () => responder.held.length === 1);
  const closed = listeners.close({ graceMs: 1000 });
  pass(1750);
  await closed;
  await client.closed();
  responder.held[0]!.answer();
  assert.equal(listeners.counts.total, 0);
});

test('the metrics name every listener and every way in which a connection ends', async (t) => {
  const { listeners } = await open(t, [LOOPBACK, { host: '::1', port: 0 }]);
  const register = new Register();
  registerListenMetrics(register, listeners);
  await exchangeTcp(listeners.addresses[0]!, query('now.test'));
  await until('it is closed', () => listeners.counts.total === 0);
  const text = await register.text();
  const server = `dns://127.0.0.1:${listeners.addresses[0]!.port}`;
  assert.ok(text.includes(`signpost_tcp_accepted_total{server="${server}"} 1\n`));
  assert.ok(text.includes(`signpost_tcp_connections{server="dns://[::1]:${listeners.addresses[1]!.port}"} 0\n`));
  assert.match(text, /^signpost_tcp_closed_total\{server="dns:\/\/127\.0\.0\.1:\d+",reason="(client|reset)"\} 1$/m);
  assert.match(text, /^signpost_tcp_refused_total\{.*reason="client"\} 0$/m);
  assert.match(text, /^signpost_udp_receive_buffer_bytes\{.*\} [1-9]\d+$/m);
});
