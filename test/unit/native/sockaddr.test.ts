import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressBytes, decodeSockaddr, encodeSockaddr } from '../../../src/native/sockaddr.ts';

test('what is encoded is decoded to the same address and port', () => {
  for (const host of ['127.0.0.1', '169.254.20.10', '255.255.255.255', '::', '::1', 'fd00::10', '2001:db8:0:1::a:b']) {
    for (const port of [0, 53, 258, 65_535]) {
      const padded = new Uint8Array(40);
      padded.set(encodeSockaddr(host, port), 5);
      assert.deepEqual(decodeSockaddr(padded, 5), { host, port });
    }
  }
});

test('IPv6 addresses are read in all their forms', () => {
  const hex = (host: string) => Buffer.from(addressBytes(host)).toString('hex');
  assert.equal(hex('::'), '0'.repeat(32));
  assert.equal(hex('1:2:3:4:5:6:7:8'), '00010002000300040005000600070008');
  assert.equal(hex('fe80::'), `fe80${'0'.repeat(28)}`);
  assert.equal(hex('::ffff:192.0.2.1'), '00000000000000000000ffffc0000201');
});

test('a zone that no interface has stands for none', () => {
  assert.deepEqual(encodeSockaddr('fe80::1%no-such-interface', 53), encodeSockaddr('fe80::1', 53));
});
