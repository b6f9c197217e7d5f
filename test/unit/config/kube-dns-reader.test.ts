import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Flags } from '../../../src/config/flags.ts';
import { configFromFlags, type LoadedConfig } from '../../../src/config/from-flags.ts';
import { kubeDnsReader } from '../../../src/config/kube-dns-reader.ts';
import { formatUpstreamAddress } from '../../../src/config/upstream-address.ts';

const RESOLV_CONF = 'nameserver 192.0.2.53\n';

/** The folder with these keys, under flags that are right. */
function load(files: Record<string, string>, flags: Flags = {}): LoadedConfig {
  const readFile = (path: string): string => {
    if (path === '/etc/resolv.conf') return RESOLV_CONF;
    const text = files[path.replace('/etc/kube-dns/', '')];
    if (text === undefined) throw Object.assign(new Error(`ENOENT: no such file, open '${path}'`), { code: 'ENOENT' });
    if (text === 'unreadable')
      throw Object.assign(new Error(`EACCES: permission denied, open '${path}'`), { code: 'EACCES' });
    return text;
  };
  const surroundings = { env: {}, isTerminal: false, readFile };
  return configFromFlags({ clusterDns: ['10.96.0.10'], ...flags }, surroundings, [kubeDnsReader('/etc/kube-dns')]);
}

function upstreamsOf({ config }: LoadedConfig, name: string): string[] | undefined {
  return config.zones.find(({ zone }) => zone === name)?.upstreams.map(formatUpstreamAddress);
}

function errorOf(files: Record<string, string>): string {
  try {
    load(files);
  } catch (error) {
    return (error as Error).message;
  }
  return assert.fail('it was taken');
}

test('stub domains are zones, and upstream name servers are asked for all else', () => {
  const loaded = load({
    stubDomains: '{"acme.local": ["1.2.3.4"], "Corp.Example": ["10.1.2.3:5353", "fd00::53"]}',
    upstreamNameservers: '["8.8.8.8", "8.8.4.4"]',
  });
  assert.deepEqual(upstreamsOf(loaded, 'acme.local.'), ['udp+tcp://1.2.3.4:53']);
  assert.deepEqual(upstreamsOf(loaded, 'corp.example.'), ['udp+tcp://10.1.2.3:5353', 'udp+tcp://[fd00::53]:53']);
  assert.deepEqual(upstreamsOf(loaded, '.'), ['udp+tcp://8.8.8.8:53', 'udp+tcp://8.8.4.4:53']);
  assert.equal(loaded.config.resolvConf, undefined);
});

test('what is not there, empty or an empty list says nothing: resolv.conf counts', () => {
  for (const files of [
    {},
    { stubDomains: '', upstreamNameservers: ' \n' },
    { stubDomains: '{}', upstreamNameservers: '[]' },
  ]) {
    const loaded = load(files);
    assert.deepEqual(upstreamsOf(loaded, '.'), ['udp+tcp://192.0.2.53:53']);
    assert.equal(loaded.config.resolvConf, '/etc/resolv.conf');
  }
});

test('flags beat the folder, zone by zone', () => {
  const files = {
    stubDomains: '{"acme.local": ["1.2.3.4"], "corp.example": ["10.1.2.3"]}',
    upstreamNameservers: '["8.8.8.8"]',
  };
  const loaded = load(files, { route: ['acme.local=10.9.9.9'], upstream: ['9.9.9.9'] });
  assert.deepEqual(upstreamsOf(loaded, 'acme.local.'), ['udp+tcp://10.9.9.9:53']);
  assert.deepEqual(upstreamsOf(loaded, 'corp.example.'), ['udp+tcp://10.1.2.3:53']);
  assert.deepEqual(upstreamsOf(loaded, '.'), ['udp+tcp://9.9.9.9:53']);
});

test('other keys of the ConfigMap are not read', () => {
  assert.deepEqual(upstreamsOf(load({ federations: 'unreadable', 'Corefile.base': 'x' }), '.'), [
    'udp+tcp://192.0.2.53:53',
  ]);
});

test('what is wrong is named by file, key and value, with what is allowed', () => {
  const cases: [files: Record<string, string>, expected: RegExp][] = [
    [
      { stubDomains: '{"acme.local": ["1.2.3.4"]' },
      /Cannot read \/etc\/kube-dns\/stubDomains \(--kube-dns-config\): .*expected a JSON object such as/,
    ],
    [{ stubDomains: '{\n "acme.local": ["1.2.3.4"],\n "b" ["1.2.3.4"]\n}' }, /stubDomains.*line 3 column/],
    [{ stubDomains: '["1.2.3.4"]' }, /stubDomains.*it is \["1\.2\.3\.4"\]; expected a JSON object/],
    [{ stubDomains: '{"acme.local": "1.2.3.4"}' }, /"acme\.local" has "1\.2\.3\.4"; expected an array of addresses/],
    [{ stubDomains: '{"acme.local": []}' }, /"acme\.local" has \[\]; expected an array/],
    [{ stubDomains: '{".": ["1.2.3.4"]}' }, /"\." is no stub domain; expected a domain name, or upstreamNameservers/],
    [
      { stubDomains: '{"acme.local": ["dns.acme.local"]}' },
      /^\/etc\/kube-dns\/stubDomains: Cannot set stubDomains\."acme\.local" to dns\.acme\.local: expected IP/,
    ],
    [{ stubDomains: '{"acme local": ["1.2.3.4"]}' }, /stubDomains.*"acme local".*expected a domain name/],
    [
      { upstreamNameservers: '["8.8.8.8", "8.8.4.400"]' },
      /^\/etc\/kube-dns\/upstreamNameservers: Cannot set upstreamNameservers to 8\.8\.4\.400: expected IP/,
    ],
    [
      { upstreamNameservers: '["1.1.1.1","1.0.0.1","8.8.8.8","8.8.4.4"]' },
      /upstreamNameservers.*it has 4; expected a JSON array of at most 3/,
    ],
    [{ upstreamNameservers: '{"a": 1}' }, /it is \{"a":1\}; expected a JSON array/],
    [{ upstreamNameservers: 'unreadable' }, /EACCES.*expected a readable file, or none/],
    [{ stubDomains: '{"acme.local": ["169.254.20.10"]}' }, /stubDomains.*own listen address/],
  ];
  for (const [files, expected] of cases) assert.match(errorOf(files), expected);
});

test('all that is wrong in both files is said at once', () => {
  const message = errorOf({ stubDomains: '[]', upstreamNameservers: '7' });
  assert.match(message, /stubDomains.*upstreamNameservers/s);
});
