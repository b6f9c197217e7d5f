import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findStaleAddresses } from '../../../src/node-network/stale-addresses.ts';

const V4 = { family: 'inet', prefixlen: 32, scope: 'host', deprecated: true };
const V6 = { family: 'inet6', prefixlen: 128, scope: 'global', nodad: true, deprecated: true, noprefixroute: true };

function found(addresses: readonly object[], { link = 'signpost0', wanted = ['169.254.20.10'] } = {}) {
  return findStaleAddresses(JSON.stringify([{ ifname: link, addr_info: addresses }]), 'signpost0', wanted);
}

test('an address that an earlier process has put there and nobody wants is stale', () => {
  const addresses = [
    { ...V4, local: '169.254.20.10' },
    { ...V4, local: '169.254.20.11' },
    { ...V6, local: 'fd00:20::10' },
  ];
  for (const link of ['signpost0', 'lo']) {
    assert.deepEqual(found(addresses, { link }), [
      { name: link, address: '169.254.20.11', prefix: 32 },
      { name: link, address: 'fd00:20::10', prefix: 128 },
    ]);
  }
  assert.deepEqual(found(addresses, { wanted: ['169.254.20.10', '169.254.20.11', 'fd00:20::10'] }), []);
});

test('what others have put there is not, however alike', () => {
  const others = [
    { ...V4, local: '127.0.0.1', prefixlen: 8, deprecated: undefined },
    { ...V4, local: '192.0.2.1', deprecated: undefined },
    { ...V4, local: '192.0.2.1', prefixlen: 24 },
    { ...V4, local: '192.0.2.1', scope: 'global' },
    { ...V6, local: '2001:db8::1', deprecated: undefined },
    { ...V6, local: '2001:db8::1', nodad: undefined },
    { ...V6, local: '2001:db8::1', noprefixroute: undefined },
    { ...V6, local: '2001:db8::1', prefixlen: 64 },
    { family: 'inet' },
  ];
  assert.deepEqual(found(others), []);
});

test('nor is anything on a link of others', () => {
  assert.deepEqual(found([{ ...V4, local: '192.0.2.1' }], { link: 'eth0' }), []);
});
