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
  ['tls://192.0.2.1', 'tls://192.0.2.1:853'],
  ['TLS://192.0.2.1:8853#DNS.Example.', 'tls://192.0.2.1:8853#dns.example'],
  ['tls://[FD00::10]:853#dns.example', 'tls://[fd00::10]:853#dns.example'],
  ['tls://fd00::10#dns.example', 'tls://[fd00::10]:853#dns.example'],
  ['https://192.0.2.1', 'https://192.0.2.1:443/dns-query'],
  ['https://192.0.2.1:8443/q', 'https://192.0.2.1:8443/q'],
  ['https://[fd00::10]/dns-query', 'https://[fd00::10]:443/dns-query'],
  ['https://DNS.example/dns-query@192.0.2.1', 'https://dns.example/dns-query@192.0.2.1'],
  ['https://dns.example@192.0.2.1', 'https://dns.example/dns-query@192.0.2.1'],
  ['https://dns.example:8443/a/b?c=d@[fd00::10]', 'https://dns.example:8443/a/b?c=d@fd00::10'],
  ['https://dns.example/dns-query@FD00::10', 'https://dns.example/dns-query@fd00::10'],
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
  ['tls://dns.example', /^dns.example would have to be looked up.*expected tls:\/\/IP/],
  ['tls://192.0.2.1#', /^the name is empty; expected tls:\/\/IP/],
  ['tls://192.0.2.1#a b', /^a b is no host name/],
  ['tls://192.0.2.1#a#b', /^expected tls:\/\/IP/],
  ['tls://192.0.2.1#192.0.2.1', /^192.0.2.1 is an address, not a name/],
  ['tls://192.0.2.1/dns-query', /^expected tls:\/\/IP|port/],
  ['tls://', /^expected tls:\/\/IP/],
  ['tls://0.0.0.0#dns.example', /address of one server/],
  [
    'https://dns.example/dns-query',
    /^dns.example would have to be looked up.*such as https:\/\/dns.example\/dns-query@192.0.2.1$/,
  ],
  ['https://dns.example/dns-query@elsewhere', /^expected an address behind @/],
  ['https://dns.example/dns-query@192.0.2.1:443', /^expected an address behind @/],
  ['https://192.0.2.1/dns-query@192.0.2.1', /^192.0.2.1 is an address already/],
  ['https://dns.example/dns-query{?dns}@192.0.2.1', /^leave out {\?dns}/],
  ['https://dns.example/dns-query#x@192.0.2.1', /^expected https:/],
  ['https://dns.example:0/dns-query@192.0.2.1', /port is 0/],
  ['https://a..b/dns-query@192.0.2.1', /^a..b is no host name/],
  ['https://', /^expected https:/],
  ['endpoints', /expected IP/],
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
