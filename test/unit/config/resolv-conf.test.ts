import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseResolvConf } from '../../../src/config/resolv-conf.ts';

const hosts = (text: string): string[] => parseResolvConf(text).servers.map((server) => server.host);

test('name servers are taken in order, IPv4 and IPv6, port 53', () => {
  const { servers, notes } = parseResolvConf(
    '# by hand\nnameserver 10.0.0.2\nsearch a.example b.example\nnameserver FD00:0::53\noptions ndots:5\n',
  );
  assert.deepEqual(servers, [
    { host: '10.0.0.2', port: 53 },
    { host: 'fd00::53', port: 53 },
  ]);
  assert.deepEqual(notes, []);
});

test('comments, tabs, Windows line ends and text after the address do not disturb', () => {
  assert.deepEqual(
    hosts(';nameserver 1.1.1.1\n#nameserver 1.1.1.2\nnameserver\t10.0.0.3 # ours\r\nnameserver 10.0.0.4;x\r\n'),
    ['10.0.0.3', '10.0.0.4'],
  );
});

test('a keyword in the middle of a line or of a word is no keyword', () => {
  assert.deepEqual(hosts('nameservers 10.0.0.1\nxnameserver 10.0.0.2\nnameserver10.0.0.3\nnameserver\n'), []);
});

test('a stub resolver on a loopback address is a name server like any other', () => {
  assert.deepEqual(hosts('nameserver 127.0.0.53\n'), ['127.0.0.53']);
});

test('an address that is there twice counts once', () => {
  assert.deepEqual(hosts('nameserver 10.0.0.1\nnameserver 10.0.0.1\nnameserver ::ffff:10.0.0.1\n'), ['10.0.0.1']);
});

test('a scoped IPv6 address is passed over with a note', () => {
  const { servers, notes } = parseResolvConf('nameserver fe80::1%eth0\nnameserver 10.0.0.1\n');
  assert.equal(servers.length, 1);
  assert.deepEqual(notes, ['nameserver fe80::1%eth0 is passed over: a scoped address (%) is not supported']);
});

test('what is no address of one server is passed over with a note', () => {
  const { servers, notes } = parseResolvConf('nameserver dns.example\nnameserver 0.0.0.0\nnameserver ff02::fb\n');
  assert.deepEqual(servers, []);
  assert.equal(notes.length, 3);
  assert.match(notes[0]!, /^nameserver dns\.example is passed over: not the IP address of one server$/);
});

test('name servers after the third are passed over with a note, as the C library does', () => {
  const { servers, notes } = parseResolvConf([1, 2, 3, 4].map((last) => `nameserver 10.0.0.${last}`).join('\n'));
  assert.equal(servers.length, 3);
  assert.deepEqual(notes, ['nameserver 10.0.0.4 is passed over: only the first 3 count']);
});

test('an empty file has none', () => {
  assert.deepEqual(parseResolvConf(''), { servers: [], notes: [] });
});
