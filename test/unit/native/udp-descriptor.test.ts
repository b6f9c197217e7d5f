import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { test } from 'node:test';
import { loadLibc } from '../../../src/native/libc.ts';
import { UdpDescriptor, type UdpDescriptorOptions } from '../../../src/native/udp-descriptor.ts';
import { until } from '../listen/setup.ts';

const skip = process.platform !== 'linux';
const LOCAL: UdpDescriptorOptions = { host: '127.0.0.1', port: 0, receiveBufferBytes: 1 << 16, isWildcard: false };

test('errors of the system have their names', { skip }, async () => {
  const libc = await loadLibc();
  const first = new UdpDescriptor(libc, LOCAL);
  assert.throws(() => new UdpDescriptor(libc, { ...LOCAL, port: first.port }), { code: 'EADDRINUSE', syscall: 'bind' });
  assert.throws(() => new UdpDescriptor(libc, { ...LOCAL, host: '192.0.2.1' }), { code: 'EADDRNOTAVAIL' });
  assert.throws(() => new UdpDescriptor(libc, { ...LOCAL, host: '2001:db8::1' }), { code: 'EADDRNOTAVAIL' });
  first.close();
  new UdpDescriptor(libc, { ...LOCAL, port: first.port }).close();
});

test('IPv6 leaves the IPv4 port to others', { skip }, async () => {
  const libc = await loadLibc();
  const v6 = new UdpDescriptor(libc, { ...LOCAL, host: '::', isWildcard: true });
  const v4 = new UdpDescriptor(libc, { ...LOCAL, host: '0.0.0.0', isWildcard: true, port: v6.port });
  assert.equal(v4.port, v6.port);
  v4.close();
  v6.close();
});

test('datagrams that nobody reads in time are counted', { skip }, async () => {
  const libc = await loadLibc();
  const descriptor = new UdpDescriptor(libc, LOCAL);
  assert.equal(descriptor.drops, 0);
  const client = createSocket('udp4');
  client.connect(descriptor.port, '127.0.0.1');
  await once(client, 'connect');
  for (let i = 0; i < 500; i++) client.send(Buffer.alloc(1000));
  await until('some are dropped', () => descriptor.drops > 0);
  assert.ok(descriptor.drops < 500);
  assert.ok(descriptor.receiveBufferBytes >= 1 << 16);
  client.close();
  descriptor.close();
});
