import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noteLines, read, zoneOf } from './read.ts';

const REST = 'cluster.local {\n forward . 192.0.2.99\n}\n';
const root = (...lines: string[]): string => `${REST}. {\n forward . 192.0.2.1\n ${lines.join('\n ')}\n}\n`;
const cacheOf = (...lines: string[]): unknown => zoneOf(root(...lines), '.')['cache'];
const notes = (...lines: string[]): string[] => noteLines(read(root(...lines)));

test('a TTL of the cache is the most for answers and for denials, and each may have its own', () => {
  assert.deepEqual(cacheOf('cache 90'), { maxTtl: '90s', negativeMaxTtl: '90s' });
  assert.deepEqual(cacheOf('cache 30 {', 'success 100 300 20', 'denial 100 5 1', '}'), {
    maxTtl: '5m',
    negativeMaxTtl: '5s',
    minTtl: '20s',
    negativeMinTtl: '1s',
  });
  assert.equal(cacheOf('cache', 'log'), undefined);
});

test('a least that is above the most gives way to it', () => {
  assert.deepEqual(cacheOf('cache 30 {', 'success 100 30 60', '}'), {
    maxTtl: '30s',
    negativeMaxTtl: '30s',
    minTtl: '30s',
  });
});

test('a block without cache keeps nothing, nor does a zone that its cache is not for', () => {
  assert.deepEqual(cacheOf(), { maxTtl: '0', negativeMaxTtl: '0' });
  const text = root('cache 30 a.example');
  assert.deepEqual(zoneOf(text, '.')['cache'], { maxTtl: '0', negativeMaxTtl: '0' });
  assert.deepEqual(zoneOf(text, 'a.example')['cache'], { maxTtl: '30s', negativeMaxTtl: '30s' });
});

test('what is not to be kept of a zone is not kept', () => {
  const text = root('cache 30 {', 'disable denial a.example', 'disable success b.example', '}');
  assert.deepEqual(zoneOf(text, '.')['cache'], { maxTtl: '30s', negativeMaxTtl: '30s' });
  assert.deepEqual(zoneOf(text, 'a.example')['cache'], { maxTtl: '30s', negativeMaxTtl: '0' });
  assert.deepEqual(zoneOf(text, 'b.example')['cache'], { maxTtl: '0', negativeMaxTtl: '30s' });
});

test('prefetch and stale answers have their words', () => {
  assert.deepEqual(cacheOf('cache {', 'prefetch 5 1m 20%', 'serve_stale 2h verify 300ms 10s', '}'), {
    prefetch: '5',
    stale: '2h',
    staleAfter: '300ms',
    staleTtl: '10s',
  });
  assert.deepEqual(cacheOf('cache {', 'serve_stale', '}'), { stale: '1h', staleAfter: '100ms' });
  assert.deepEqual(cacheOf('cache {', 'serve_stale 0s', '}'), { stale: 'off', staleAfter: '100ms' });
});

test('what is above the most that may be set is cut to it, with a note', () => {
  assert.deepEqual(cacheOf('cache 604800'), { maxTtl: '24h', negativeMaxTtl: '24h' });
  assert.ok(notes('cache 604800').some((note) => note.startsWith('Corefile:6: cache 604800 becomes 24h')));
});

test('a template that answers all AAAA with nothing turns AAAA off, in its zones alone', () => {
  assert.equal(zoneOf(root('template IN AAAA {', 'rcode NXDOMAIN', '}'), '.')['aaaa'], 'off');
  assert.equal(zoneOf(root('template ANY AAAA a.example'), 'a.example')['aaaa'], 'off');
  assert.equal(zoneOf(root('template ANY AAAA a.example'), '.')['aaaa'], undefined);
  assert.equal(
    zoneOf(root('template IN AAAA {', 'match .*', 'authority "a. 1 IN SOA b. c. 1 1 1 1 1"', '}'), '.')['aaaa'],
    'off',
  );
});

test('a template that answers all of a zone with nothing refuses the zone', () => {
  assert.deepEqual(zoneOf(root('template ANY ANY bad.example {', 'rcode NXDOMAIN', '}'), '.')['refuse'], [
    'bad.example.',
  ]);
  assert.ok(
    notes('template ANY ANY bad.example {', 'rcode NXDOMAIN', '}').some((note) =>
      /^! Corefile:6: template answers REFUSED .* instead of NXDOMAIN/.test(note),
    ),
  );
});

for (const [lines, reason] of [
  [['template IN A a.example {', 'answer "a.example 1 IN A 192.0.2.1"', '}'], /it makes records/],
  [['template IN AAAA {', 'match ^x', '}'], /a pattern/],
  [['template IN MX'], /it is for type MX/],
] as const) {
  test(`a template is left out and named where it does more: ${lines[0]}`, () => {
    assert.ok(
      notes(...lines).some((note) => note.startsWith('! Corefile:6: template is left out') && reason.test(note)),
    );
  });
}

test('lines of hosts go to the zones that are asked for their names', () => {
  const text = root('hosts {', '192.0.2.5 a.example b.cluster.local', '192.0.2.6 c.example', 'fallthrough', '}');
  assert.deepEqual(zoneOf(text, '.')['hosts'], ['192.0.2.5 a.example.', '192.0.2.6 c.example.']);
  assert.ok(
    noteLines(read(text)).includes(
      'Corefile:7: hosts passes over the line: b.cluster.local. is in no zone of this block',
    ),
  );
});

test('a hosts file is read where it is named, and the zones behind it bound it', () => {
  const text = root('hosts /etc/my-hosts a.example {', 'fallthrough', '}');
  assert.equal(zoneOf(text, 'a.example')['hostsFile'], '/etc/my-hosts');
  assert.equal(zoneOf(text, '.')['hostsFile'], undefined);
});

test('hosts without fallthrough are named, since other names are asked upstream here', () => {
  assert.ok(
    notes('hosts {', '192.0.2.5 a.example', '}').some((note) =>
      note.startsWith('! Corefile:6: hosts is not all that is known of .:'),
    ),
  );
});

test('what is not supported is named, what is not known as well, and a slip of the pen is an error', () => {
  assert.ok(notes('dns64').some((note) => note.startsWith('! Corefile:6: dns64 is left out: not supported')));
  assert.ok(
    notes('fanout . 192.0.2.1').some((note) => note === '! Corefile:6: fanout is left out: the agent does not know it'),
  );
  assert.deepEqual(read(root('chache 30')).errors, [
    'Corefile:6: Cannot read chache: there is no such directive; did you mean cache?',
  ]);
});

test('a Corefile without a block for the root refuses what no block is for', () => {
  assert.deepEqual(zoneOf(REST, '.')['refuse'], ['.']);
});

test('a zone that has two blocks for one address is refused, for two addresses the first counts', () => {
  const block = (address: string, to: string): string => `. {\n bind ${address}\n forward . ${to}\n}\n`;
  assert.match(
    read(`${REST}${block('127.0.0.1', '192.0.2.1')}${block('127.0.0.1', '192.0.2.2')}`).errors[0]!,
    /^Corefile:8: .*has a block/,
  );
  const told = read(`${REST}${block('127.0.0.1', '192.0.2.1')}${block('127.0.0.2', '192.0.2.2')}`);
  assert.deepEqual(told.settings['upstreams'], ['udp+tcp://192.0.2.1:53']);
  assert.ok(noteLines(told).some((note) => note.startsWith('! Corefile:8: . . has a block already')));
});

test('prefixes are reverse zones, several where they do not end on a border', () => {
  const text = `${root()}10.0.0.0/23 fd00::/16 {\n forward . 192.0.2.1\n}\n`;
  const zones = Object.keys(read(text).settings['zones'] as object);
  assert.deepEqual(
    zones.filter((zone) => zone.endsWith('.arpa')),
    ['0.0.10.in-addr.arpa', '1.0.10.in-addr.arpa', '0.0.d.f.ip6.arpa'],
  );
});

test('a block for encrypted clients is left out and named', () => {
  assert.ok(
    noteLines(read(`${root()}tls://. {\n forward . 192.0.2.1\n}\n`)).some((note) =>
      /^! Corefile:\d+: tls:\/\/\. is left out/.test(note),
    ),
  );
});

test('addresses without a host are those of the families that the agent listens on', () => {
  const text = (bind: string): string =>
    `${REST}. {\n bind ${bind}\n health\n prometheus :9253\n forward . 192.0.2.1\n}\n`;
  assert.deepEqual(read(text('192.0.2.20')).settings['probes'], ['0.0.0.0:8080']);
  assert.deepEqual(read(text('192.0.2.20 fd00::20')).settings['metrics'], '[::]:9253');
});

test('a template that refuses a block refuses all of its zones, those with a forward of their own as well', () => {
  const text = `${REST}a.example {\n template ANY ANY\n forward b.a.example 192.0.2.2\n forward . 192.0.2.1\n}\n`;
  assert.deepEqual(zoneOf(text, 'a.example')['refuse'], ['a.example.']);
  assert.deepEqual(zoneOf(text, 'b.a.example')['refuse'], ['b.a.example.']);
  assert.deepEqual(zoneOf(text, 'cluster.local')['refuse'], undefined);
});

test('a block with hosts and no forward answers its lines, and asks those of the zone above for all else', () => {
  const text = `${root()}a.example {\n hosts {\n  192.0.2.5 x.a.example\n }\n}\n`;
  const zone = zoneOf(text, 'a.example');
  assert.deepEqual(
    [zone['hosts'], zone['refuse'], zone['upstreams']],
    [['192.0.2.5 x.a.example.'], undefined, undefined],
  );
  assert.ok(
    noteLines(read(text)).some((note) => note.startsWith('! Corefile:9: hosts is not all that is known of a.example.')),
  );
});

test('a block that has nothing to answer with is refused', () => {
  assert.deepEqual(zoneOf(`${root()}a.example {\n whoami\n}\n`, 'a.example')['refuse'], ['a.example.']);
});
