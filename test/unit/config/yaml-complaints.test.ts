import assert from 'node:assert/strict';
import { test } from 'node:test';
import { complaintsAbout } from './from-yaml.ts';

const FILES = { '/empty.pem': 'no certificate\n', '/damaged.pem': pem('AAAA') };

/** Each text is wrong in one way, in its last line where nothing else is said. */
const BAD: [yaml: string, ...complaints: RegExp[]][] = [
  ['logSampel: 5', /^signpost\.yaml:1: Cannot set logSampel to 5: there is no such key; did you mean logSample\?$/],
  ['ndots: 5', /:1: Cannot set ndots to 5: there is no such key; expected one of listen, .*, zones$/],
  ['cacheSize: big', /:1: Cannot set cacheSize to big: expected a size from 1MiB to 1GiB, such as 32MiB$/],
  ['\n\ncacheSize:', /:3: Cannot set cacheSize to nothing: expected a size from 1MiB to 1GiB, such as 64MiB$/],
  ['cacheSize: [1]', /:1: Cannot set cacheSize to a list: expected a size/],
  ['cacheSize:\n  a: 1', /:1: Cannot set cacheSize to a map: expected a size/],
  ['lameduck: 5', /:1: Cannot set lameduck to 5: expected a duration from 0 to 1h/],
  ['logLevel: ""', /:1: Cannot set logLevel to "": expected debug, info, warn, error$/],
  ['logSample: 1e3', /:1: Cannot set logSample to 1e3: expected a whole number/],
  ['listen:\n  - 127.0.0.1\n  - foo', /:3: Cannot set listen\[1\] to foo: expected IP or IP:PORT/],
  [
    'listen: {a: b}',
    /:1: Cannot set listen to a map: expected a list, each IP or IP:PORT of this machine, no wildcard/,
  ],
  ['listen: []', /:1: Cannot set listen to a list: expected a list, each IP/],
  ['metrics: 127.0.0.1:9254', /Cannot serve both .* on port 9254 \(metrics in signpost\.yaml:1, --admin\)/],
  ['clusterDomain: .', /:1: Cannot set clusterDomain to \.: expected a domain name/],
  ['upstreams: dns.example', /:1: Cannot set upstreams to dns\.example: expected IP/],
  ['upstreams: 169.254.20.10', /:1: Cannot set upstreams to 169\.254\.20\.10: .*own listen address/],
  ['resolvConf: /nowhere', /:1: Cannot set resolvConf to \/nowhere: ENOENT/],
  ['zones: 5', /:1: Cannot set zones to 5: expected a map of keys$/],
  ['zones: {a b: {aaaa: off}}', /:1: Cannot set zones\."a b" to "a b": expected a domain name/],
  [
    'zones:\n  a.example:\n  A.example.:',
    /:3: Cannot set zones\."A\.example\." to A\.example\.: a\.example\. is there already/,
  ],
  ['zones:\n  a.example:\n  a.example:', /:3: Cannot set zones\."a\.example" twice: it is set already; give it once$/],
  ['zones: {__proto__: {aaaa: off}}', /:1: Cannot set zones\.__proto__: this word is reserved/],
  ['upstreams: 9.9.9.9\nzones: {.: {upstreams: 1.1.1.1}}', /:2: Cannot set zones\."\." to \.: upstreams says already/],
  zone('policy: quickest', /:3: Cannot set zones\."corp\.example"\.policy to quickest: expected random, round-robin,/),
  zone('tryTimeout: 6s', /\.tryTimeout to 6s: tryTimeout \(6s\) is above totalTimeout \(5s\)$/),
  zone('totalTimeout: 5m', /\.totalTimeout to 5m: expected a duration from 100ms to 1m/),
  zone('source: 0.0.0.0', /\.source to 0\.0\.0\.0: expected an IP address of this machine, such as/),
  zone("source: 'fd00::1'", /\.source to fd00::1: none of the zone's upstreams has an IPv6 address$/),
  zone('cookies: maybe', /\.cookies to maybe: expected on, off$/),
  zone(
    'tls: {caFile: /nowhere}',
    /\.tls\.caFile to \/nowhere: ENOENT.*; expected a readable file of certificates \(PEM\)$/,
  ),
  zone('tls: {caFile: /empty.pem}', /\.tls\.caFile to \/empty\.pem: there is no certificate in it/),
  zone('tls: {caFile: /damaged.pem}', /\.tls\.caFile to \/damaged\.pem: certificate 1 in it is damaged/),
  zone('tls: {cafile: x}', /\.tls\.cafile to x: there is no such key; did you mean caFile\?$/),
  zone(
    'cache: {maxTtl: 5y}',
    /\.cache\.maxTtl to 5y: expected a duration in whole seconds from 0 to 24h, such as 10m$/,
  ),
  zone('cache: {maxTtl: 1500ms}', /\.cache\.maxTtl to 1500ms: expected a duration in whole seconds/),
  zone('cache: {minTtl: 2h}', /\.cache\.minTtl to 2h: minTtl \(2h\) is above maxTtl \(1h\)$/),
  zone('cache: {negativeMinTtl: 1m}', /\.negativeMinTtl to 1m: negativeMinTtl \(1m\) is above negativeMaxTtl \(30s\)$/),
  zone('cache: {stale: never}', /\.cache\.stale to never: expected off, or a duration in whole seconds from 0 to 168h/),
  zone('cache: {prefetch: -1}', /\.cache\.prefetch to -1: expected off, or a whole number from 0 to 1000000/),
  zone('cache: [1, 2]', /:3: Cannot set zones\."corp\.example"\.cache to a list: expected a map of keys$/),
  zone('hosts: [10.0.0.1]', /\.hosts\[0\] to 10\.0\.0\.1: there is no name; expected an address and its names/),
  zone('hosts: [x a.corp.example]', /\.hosts\[0\] to "x a\.corp\.example": "x" is no IP address/),
  zone('hosts: [10.0.0.1 a.other.example]', /a\.other\.example\. is not in this zone, corp\.example\.$/),
  zone('hosts: {a.corp.example: b}', /\.hosts\."a\.corp\.example" to "b a\.corp\.example": "b" is no IP address/),
  zone(
    'hosts: {a.corp.example: {}}',
    /\.hosts\."a\.corp\.example" to a map: expected an IP address, or a list of them$/,
  ),
  zone('hosts: off', /\.hosts to off: /),
  zone('hostsFile: /nowhere', /\.hostsFile to \/nowhere: ENOENT.*expected a readable hosts file$/),
  zone('aliases: {a.example: b.example}', /\.aliases\."a\.example" to b\.example: a\.example\. is not in this zone/),
  zone('aliases: {a.corp.example: A.corp.example.}', /to A\.corp\.example\.: this is the name itself$/),
  zone('aliases: {a.corp.example: .}', /to \.: expected domain names, such as/),
  zone('aliases: {a.corp.example: a b}', /to "a b": expected a domain name such as/),
  zone(
    'aliases: {a.corp.example: x.example, A.corp.example: y.example}',
    /to y\.example: a\.corp\.example\. is there already/,
  ),
  zone(
    'aliases: {a.corp.example: b.corp.example, b.corp.example: c.corp.example}',
    /\."a\.corp\.example" to b\.corp\.example: b\.corp\.example\. is an alias, too; expected the name that it leads to in/,
  ),
  zone(
    'aliases: {a.corp.example: b.corp.example, b.corp.example: a.corp.example}',
    /\."a\.corp\.example" to b/,
    /\."b\.corp\.example" to a/,
  ),
  zone(
    'aliases: {a.corp.example: b.example}, hosts: {a.corp.example: 10.0.0.1}',
    /\.aliases\."a\.corp\.example" to b\.example: a\.corp\.example\. has hosts entries; give it one or the other$/,
  ),
  zone('aliases: [a.corp.example]', /\.aliases to a list: expected a map of names to names, such as \{db\.corp/),
  zone('aliases: {a.corp.example: [b.example]}', /\.aliases\."a\.corp\.example" to a list: expected a domain name/),
  zone(
    'refuse: [a.corp.example, example]',
    /\.refuse\[1\] to example: example\. is not in this zone, corp\.example\.$/,
  ),
];

for (const [yaml, ...expected] of BAD) {
  test(`${JSON.stringify(yaml)} is refused with file, line, key, value and what is allowed`, () => {
    const complaints = complaintsAbout(yaml, {}, FILES);
    assert.equal(complaints.length, expected.length, complaints.join('\n'));
    for (const [index, complaint] of expected.entries()) assert.match(complaints[index]!, complaint);
  });
}

test('all that is wrong is said at once, whatever is wrong with it', () => {
  const text =
    'logSampel: 5\nlistn: a\nzones:\n  corp.example:\n    upstreams: [{a: b}, 10.1.2.3, foo]\n    cache: {maxTtl: 5y}\n';
  const complaints = complaintsAbout(text, { lameduck: 'soon' });
  assert.deepEqual(complaints.map((line) => /^signpost\.yaml:(\d+)/.exec(line)?.[1] ?? line.slice(0, 14)).sort(), [
    '1',
    '2',
    '5',
    '5',
    '6',
    'Cannot go on f',
  ]);
});

test('a file that cannot be read is one complaint, and none about what it may have said', () => {
  assert.deepEqual(complaintsAbout('clusterDns: [', {}).length, 1);
});

test('ten thousand mistakes are counted, and the first are shown', () => {
  const zones = Array.from({ length: 1000 }, (_, index) => `  z${index}.example: {aaaa: maybe}`);
  const complaints = complaintsAbout(`zones:\n${zones.join('\n')}\n`);
  assert.equal(complaints.length, 1000);
});

function zone(yaml: string, ...complaints: RegExp[]): [string, ...RegExp[]] {
  return [`zones:\n  corp.example: {upstreams: [10.1.2.3, 'tls://10.1.2.4'],\n    ${yaml}}`, ...complaints];
}

function pem(body: string): string {
  return `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----\n`;
}
