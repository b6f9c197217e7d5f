import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareLinks, parseLinks } from '../../../src/node-network/link.ts';

const LINKS = parseLinks(
  JSON.stringify([
    { ifname: 'lo', flags: ['LOOPBACK', 'UP', 'LOWER_UP'], addr_info: [{ family: 'inet', local: '127.0.0.1' }] },
    { ifname: 'nodelocaldns', flags: ['BROADCAST'], addr_info: [{ family: 'inet', local: '169.254.20.10' }] },
    {
      ifname: 'signpost0',
      flags: ['BROADCAST', 'NOARP', 'UP'],
      addr_info: [
        { family: 'inet6', local: 'fd00:20::10', prefixlen: 128 },
        { family: 'inet6', local: 'fd00:20::11', prefixlen: 128, dadfailed: true },
      ],
    },
    {},
  ]),
);

function codes(name: string, ...addresses: string[]): string[] {
  return compareLinks(name, addresses, LINKS).map(({ code }) => code);
}

test('nothing is amiss where the link is up and the addresses are there', () => {
  assert.deepEqual(codes('signpost0', 'fd00:20::10'), []);
});

test("an address on somebody else's link is there: it serves as well", () => {
  assert.deepEqual(codes('signpost0', '169.254.20.10'), []);
});

test('what is missing is named: the link, a link that is down, an address, one that lost to a neighbour', () => {
  assert.deepEqual(codes('signpost1', 'fd00:20::10'), ['link-missing']);
  assert.deepEqual(codes('nodelocaldns', 'fd00:20::10'), ['link-down']);
  assert.deepEqual(codes('signpost0', '10.96.0.10', 'fd00:20::11'), ['address-missing', 'address-missing']);
});
