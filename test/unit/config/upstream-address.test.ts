import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatUpstreamAddress, parseUpstreamAddress, upstreamKey } from '../../../src/config/upstream-address.ts';

const GOOD: [text: string, printed: string][] = [
  ['10.96.0.10', 'udp+tcp://10.96.0.10:53'],
  ['10.96.0.10:5353', 'udp+tcp://10.96.0.10:5353'],
  ['udp://10.96.0.10', 'udp://10.96.0.10:53'],
  ['TCP://10.96.0.10:5353', 'tcp://10.96.0.10:5353'],
  ['udp+tcp://9.9.9.9', 'udp+tcp://9.9.9.9:53'],
  ['tcp://[FD00::10]:53', 'tcp://[fd00::10]:53'],
  ['fd00::10', 'udp+tcp://[fd00::10]:53'],
  ['tcp://fd00::10', 'tcp://[fd00::10]:53'],
];

for (const [text, printed] of GOOD) {
  test(`${text} is ${printed}`, () => {
    const address = parseUpstreamAddress(text, 'udp+tcp');
    assert.equal(formatUpstreamAddress(address), printed);
    assert.deepEqual(parseUpstreamAddress(printed, 'tcp'), address);
  });
}

test('a bare address gets the transport of the place it stands in', () => {
  assert.equal(parseUpstreamAddress('10.96.0.10', 'tcp').transport, 'tcp');
});

const BAD: [text: string, reason: RegExp][] = [
  ['', /expected IP, IP:PORT, or one of these with udp:\/\/, tcp:\/\/ or udp\+tcp:\/\//],
  ['dns.example', /expected IP/],
  ['tls://1.1.1.1#one.example', /tls:\/\/ is not supported in this version; expected IP/],
  ['https://dns.example/dns-query', /https:\/\/ is not supported in this version; expected IP/],
  ['endpoints', /endpoints is not supported in this version; expected IP/],
  ['quic://1.1.1.1', /^expected IP/],
  ['://1.1.1.1', /^expected IP/],
  ['1.1.1.1,8.8.8.8', /one address at a time/],
  ['1.1.1.1:0', /port is 0, expected 1 to 65535/],
  ['1.1.1.1:70000', /port is 70000/],
  ['0.0.0.0', /address of one server/],
  ['[::]:53', /address of one server/],
  ['udp://224.0.0.251', /address of one server/],
  ['fe80::1%eth0', /zone id/],
  ['tcp://', /expected IP/],
];

for (const [text, reason] of BAD) {
  test(`"${text}" is refused with a reason`, () => {
    assert.throws(() => parseUpstreamAddress(text, 'udp+tcp'), { message: reason });
  });
}

test('two addresses are one upstream where nothing about them differs, a missing setting being the same as one that is off', () => {
  const plain = { host: '192.0.2.1', port: 53, transport: 'tcp' } as const;
  assert.equal(upstreamKey(plain), upstreamKey({ ...plain, hasCookies: false, hasMixedCase: false }));
  const others = [
    { ...plain, host: '192.0.2.2' },
    { ...plain, port: 54 },
    { ...plain, transport: 'udp' },
    { ...plain, transport: 'tls' },
    { ...plain, serverName: 'dns.example' },
    { ...plain, path: '/dns-query' },
    { ...plain, ca: 'PEM' },
    { ...plain, source: '192.0.2.9' },
    { ...plain, hasCookies: true },
    { ...plain, hasMixedCase: true },
  ] as const;
  assert.equal(new Set([plain, ...others].map(upstreamKey)).size, others.length + 1);
});
