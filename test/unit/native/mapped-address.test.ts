import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeSockaddr, MAPPED_BYTES, mapAddress, mapSockaddr } from '../../../src/native/sockaddr.ts';

const ADDRESSES = [
  ['192.0.2.7', '00000000000000000000ffffc0000207'],
  ['::ffff:192.0.2.7', '00000000000000000000ffffc0000207'],
  ['2001:db8::1', '20010db8000000000000000000000001'],
  ['fe80::1%lo', 'fe800000000000000000000000000001'],
  ['::1', '00000000000000000000000000000001'],
] as const;

for (const [host, octets] of ADDRESSES) {
  test(`${host} has one form, whether it comes as text or from the kernel`, () => {
    const ofText = new Uint8Array(MAPPED_BYTES).fill(0xee);
    mapAddress(host, ofText);
    assert.equal(Buffer.from(ofText).toString('hex'), octets);

    const structure = Buffer.concat([Buffer.alloc(3, 0xdd), encodeSockaddr(host, 4242)]);
    const ofKernel = new Uint8Array(MAPPED_BYTES).fill(0xee);
    mapSockaddr(structure, 3, ofKernel);
    assert.equal(Buffer.from(ofKernel).toString('hex'), octets);
  });
}
