import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Refusal } from '../../../src/config/refusal.ts';
import { formatSocketAddress, isMulticast, parseSocketAddress } from '../../../src/config/socket-address.ts';

const GOOD: [text: string, host: string, port: number][] = [
  ['169.254.20.10', '169.254.20.10', 53],
  ['169.254.20.10:5300', '169.254.20.10', 5300],
  ['127.0.0.1:0', '127.0.0.1', 0],
  ['127.0.0.1:65535', '127.0.0.1', 65_535],
  ['::1', '::1', 53],
  ['[::1]', '::1', 53],
  ['[FD00:0:0::10]:53', 'fd00::10', 53],
  ['fd00:0:0:0:0:0:0:10', 'fd00::10', 53],
];

for (const [text, host, port] of GOOD) {
  test(`${text} is ${host}, port ${port}`, () => {
    assert.deepEqual(parseSocketAddress(text, 53), { host, port });
  });
}

const BAD: [text: string, reason: RegExp][] = [
  ['', /expected IP or IP:PORT/],
  ['foo', /expected IP or IP:PORT, such as 169\.254\.20\.10 or \[fd00::10\]:53/],
  ['localhost:53', /expected IP/],
  ['127.1', /expected IP/],
  ['0x7f.1', /expected IP/],
  ['01.2.3.4', /expected IP/],
  ['1.2.3.4/24', /expected IP/],
  ['1.2.3.4:', /port is empty/],
  ['1.2.3.4:65536', /port is 65536, expected 0 to 65535/],
  ['1.2.3.4:+5', /port is \+5/],
  ['1.2.3.4:5x', /port is 5x/],
  ['[::1', /expected IP/],
  ['[1.2.3.4]:53', /expected IP/],
  ['[::1]53', /expected IP/],
  ['::1::53', /expected IP/],
  ['fe80::1%eth0', /zone id/],
  ['[fe80::1%eth0]:53', /zone id/],
  ['::ffff:1.2.3.4', /write the IPv4 address itself, 1\.2\.3\.4/],
  ['[::ffff:102:304]:53', /write the IPv4 address itself, 1\.2\.3\.4/],
];

for (const [text, reason] of BAD) {
  test(`"${text}" is refused with a reason`, () => {
    assert.throws(
      () => parseSocketAddress(text, 53),
      (error) => error instanceof Refusal && reason.test(error.message),
    );
  });
}

test('where no port is the default, one must be given', () => {
  assert.throws(() => parseSocketAddress('127.0.0.1', undefined), /port is missing/);
  assert.deepEqual(parseSocketAddress('127.0.0.1:80', undefined), { host: '127.0.0.1', port: 80 });
});

test('what is printed can be read again', () => {
  for (const [text] of GOOD) {
    const address = parseSocketAddress(text, 53);
    assert.deepEqual(parseSocketAddress(formatSocketAddress(address), undefined), address);
  }
});

test('multicast and broadcast are nobody’s own address', () => {
  assert.deepEqual(['224.0.0.1', '255.255.255.255', 'ff02::fb'].map(isMulticast), [true, true, true]);
  assert.deepEqual(['223.1.1.1', '10.0.0.1', 'fe80::1'].map(isMulticast), [false, false, false]);
});
