import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noteLines, read, zoneOf } from './read.ts';

/** A Corefile with one stub zone, a root, and the cluster's zone. */
const corefile = (stub: string): string =>
  `stub.example {\n${stub}\n}\ncluster.local {\n forward . 192.0.2.99\n}\n. {\n forward . 192.0.2.98\n}\n`;

const upstreams = (to: string, ...options: string[]): unknown =>
  zoneOf(corefile(` forward . ${to} {\n  ${options.join('\n  ')}\n }`), 'stub.example')['upstreams'];

test('each way to write an address becomes one of ours', () => {
  assert.deepEqual(upstreams('192.0.2.1 dns://192.0.2.2:5353 2001:db8::1 [2001:db8::2]:54'), [
    'udp+tcp://192.0.2.1:53',
    'udp+tcp://192.0.2.2:5353',
    'udp+tcp://[2001:db8::1]:53',
    'udp+tcp://[2001:db8::2]:54',
  ]);
  assert.deepEqual(upstreams('192.0.2.1', 'force_tcp'), ['tcp://192.0.2.1:53']);
  assert.deepEqual(upstreams('192.0.2.1', 'prefer_udp'), ['udp+tcp://192.0.2.1:53']);
});

test('encrypted upstreams keep the name on their certificate, wherever it stands', () => {
  assert.deepEqual(upstreams('tls://192.0.2.1%a.example tls://[2001:db8::1]:8853%b.example'), [
    'tls://192.0.2.1:853#a.example',
    'tls://[2001:db8::1]:8853#b.example',
  ]);
  assert.deepEqual(upstreams('tls://192.0.2.1', 'tls_servername a.example'), ['tls://192.0.2.1:853#a.example']);
  assert.deepEqual(upstreams('https://192.0.2.1', 'tls_servername a.example'), [
    'https://a.example:443/dns-query@192.0.2.1',
  ]);
});

test('a resolv.conf stands for its name servers', () => {
  const files = { '/run/resolv.conf': 'nameserver 192.0.2.7\nnameserver 2001:db8::7\n' };
  const zone = zoneOf(corefile(' forward . /run/resolv.conf {\n force_tcp\n }'), 'stub.example', { files });
  assert.deepEqual(zone['upstreams'], ['tcp://192.0.2.7:53', 'tcp://[2001:db8::7]:53']);
});

test('policy, time limit, source address and authorities of a forward are those of its zone', () => {
  const options = ['policy round_robin', 'read_timeout 1500ms', 'source_address 192.0.2.50', 'tls /ca.pem'];
  const zone = zoneOf(corefile(` forward . tls://192.0.2.1 {\n  ${options.join('\n  ')}\n }`), 'stub.example');
  assert.equal(zone['policy'], 'round-robin');
  assert.equal(zone['tryTimeout'], '1500ms');
  assert.equal(zone['source'], '192.0.2.50');
  assert.deepEqual(zone['tls'], { caFile: '/ca.pem' });
});

test('a forward for a part of the block is a zone of its own, and an exception that nothing else answers is refused', () => {
  const text = corefile(' forward part.stub.example 192.0.2.2\n forward . 192.0.2.1 {\n  except gone.stub.example\n }');
  assert.deepEqual(zoneOf(text, 'part.stub.example')['upstreams'], ['udp+tcp://192.0.2.2:53']);
  assert.deepEqual(zoneOf(text, 'stub.example')['upstreams'], ['udp+tcp://192.0.2.1:53']);
  assert.deepEqual(zoneOf(text, 'stub.example')['refuse'], ['gone.stub.example.']);
});

test('an exception goes to the next forward, and a name that has a block of its own goes there', () => {
  const text = `. {\n forward . 192.0.2.1 {\n  except a.example b.example\n }\n forward . 192.0.2.2\n}\nb.example cluster.local {\n forward . 192.0.2.3\n}\n`;
  assert.deepEqual(zoneOf(text, 'a.example')['upstreams'], ['udp+tcp://192.0.2.2:53']);
  assert.deepEqual(zoneOf(text, 'b.example')['upstreams'], ['udp+tcp://192.0.2.3:53']);
  assert.deepEqual(read(text).settings['upstreams'], ['udp+tcp://192.0.2.1:53']);
});

test('a forward that is never asked is named', () => {
  const told = read(corefile(' forward . 192.0.2.1\n forward a.stub.example 192.0.2.2'));
  assert.deepEqual(told.settings['zones'] && Object.keys(told.settings['zones']).includes('a.stub.example'), true);
  assert.ok(noteLines(told).some((line) => line.startsWith('Corefile:3: forward is never asked for a.stub.example.')));
});

for (const [option, line] of [
  ['max_concurrent 1000', 'Corefile:4: forward max_concurrent is left out: queries in flight are bounded already'],
  ['expire 20s', 'Corefile:4: forward expire is left out: connections'],
  ['max_fails 0', 'Corefile:4: forward max_fails is left out: an upstream is down after 3 failures'],
  ['health_check 5s no_rec', 'Corefile:4: forward health_check is left out'],
  ['failfast_all_unhealthy_upstreams', 'Corefile:4: forward failfast_all_unhealthy_upstreams is left out'],
  ['failover SERVFAIL REFUSED', 'Corefile:4: forward failover is built in'],
  ['failover NXDOMAIN', '! Corefile:4: forward failover is built in for SERVFAIL, REFUSED, NOTIMP; after NXDOMAIN'],
  ['next NXDOMAIN', '! Corefile:4: forward next is left out: after NXDOMAIN'],
  ['tls /a.crt /a.key', '! Corefile:4: forward tls leaves out the client certificate'],
  ['read_timeout 1ms', 'Corefile:4: forward read_timeout 1ms becomes 50ms'],
  ['read_timeout 1m', 'Corefile:4: forward read_timeout 1m becomes 5s'],
] as const) {
  test(`forward ${option} is named, with its line and what becomes of it`, () => {
    const told = read(corefile(`\n forward . tls://192.0.2.1 {\n${option}\n }`));
    assert.deepEqual(told.errors, []);
    assert.ok(
      noteLines(told).some((note) => note.startsWith(line)),
      noteLines(told).join('\n'),
    );
  });
}

for (const [to, error] of [
  [
    'dns.example',
    /^Corefile:2: Cannot read forward: dns\.example: expected an IP address or a file; the agent looks up no names/,
  ],
  ['grpc://192.0.2.1', /expected an IP address, dns:\/\/, tls:\/\/ or https:\/\/, or a file/],
  ['quic://192.0.2.1', /none of its addresses can be asked/],
  ['/gone/resolv.conf', /^Corefile:2: Cannot read forward: \/gone\/resolv\.conf: ENOENT/],
  ['__PILLAR__CLUSTER__DNS__', /^Corefile:2: Cannot read forward: the address of the cluster DNS is not known/],
  ['192.0.2.1 {\n  max_fails x\n }', /^Corefile:3: Cannot read forward: x: expected a whole number from 0/],
  [
    '192.0.2.1 {\n  force_tpc\n }',
    /^Corefile:3: Cannot read forward: forward has no option force_tpc; it has except, force_tcp/,
  ],
] as const) {
  test(`forward . ${to.split('\n').join(' ')} is refused, with its line`, () => {
    const { errors } = read(corefile(` forward . ${to}`));
    assert.equal(errors.length, 1);
    assert.match(errors[0]!, error);
  });
}

test('all that is wrong in a Corefile is said at once', () => {
  const { errors } = read('. {\n forward . {\n cache 0\n}\na..b {\n loop\n}\n');
  assert.equal(errors.length, 1);
  const several = read('. {\n forward . nobody\n cache 0\n}\na..b {\n forward a\n}\n').errors;
  assert.deepEqual(
    several.map((line) => line.split(': Cannot read ')[0]),
    ['Corefile:2', 'Corefile:3', 'Corefile:5', 'Corefile:6'],
  );
});
