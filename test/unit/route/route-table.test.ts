import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigError } from '../../../src/core/errors.ts';
import { RouteTable } from '../../../src/route/route-table.ts';
import { encodeName } from '../../client/message.ts';

function lookup<T>(table: RouteTable<T>, name: string): T | undefined {
  const wire = encodeName(name);
  const message = Buffer.concat([Buffer.alloc(12, 0x61), wire, Buffer.from([0, 1, 0, 1])]);
  return table.lookup(message, 12, 12 + wire.length);
}

test('the longest zone that a name lies in wins', () => {
  const zones = ['.', 'cluster.local.', 'svc.cluster.local.', 'corp.example.', 'a.b.c.corp.example.', 'in-addr.arpa.'];
  const table = RouteTable.of(zones.map((zone): [string, string] => [zone, zone]));
  const expected = {
    '.': '.',
    'com.': '.',
    'cluster.local.': 'cluster.local.',
    'x.cluster.local.': 'cluster.local.',
    'svc.cluster.local.': 'svc.cluster.local.',
    'web.default.svc.cluster.local.': 'svc.cluster.local.',
    'xsvc.cluster.local.': 'cluster.local.',
    'local.': '.',
    'xcluster.local.': '.',
    'cluster.local.example.': '.',
    'c.corp.example.': 'corp.example.',
    'b.c.corp.example.': 'corp.example.',
    'a.b.c.corp.example.': 'a.b.c.corp.example.',
    'z.a.b.c.corp.example.': 'a.b.c.corp.example.',
    '1.0.0.127.in-addr.arpa.': 'in-addr.arpa.',
  };
  for (const [name, zone] of Object.entries(expected)) assert.equal(lookup(table, name), zone, name);
});

test('letters count in either case, in zones and in names', () => {
  const table = RouteTable.of([['Corp.EXAMPLE', 1]]);
  assert.equal(lookup(table, 'wWw.cORP.example.'), 1);
  // 0x40 and 0x60 differ as A and a do, and are no letters.
  const strange = RouteTable.of([['@x.example', 2]]);
  assert.equal(lookup(strange, '@x.example.'), 2);
  assert.equal(lookup(strange, '`x.example.'), undefined);
});

test('without a root zone, a name in no zone has no target', () => {
  const table = RouteTable.of([['corp.example', 1]]);
  assert.equal(lookup(table, 'example.'), undefined);
  assert.equal(lookup(table, '.'), undefined);
  assert.equal(lookup(RouteTable.of<number>([]), 'a.b.'), undefined);
});

test('every one of ten thousand zones is found, and none that is not there', () => {
  const entries = Array.from({ length: 10_000 }, (_, i): [string, number] => [`z${i}.t${i % 7}.corp.example`, i]);
  const table = RouteTable.of(entries);
  for (const [zone, target] of entries) {
    assert.equal(lookup(table, `www.${zone}.`), target);
    assert.equal(lookup(table, `x${zone}.`), undefined);
  }
});

test('a name of 127 labels and one of 255 octets are looked up like any other', () => {
  const table = RouteTable.of([['b', 1]]);
  assert.equal(lookup(table, `${'a.'.repeat(126)}b.`), 1);
  const label = `${'a'.repeat(63)}.`;
  assert.equal(lookup(table, `${label.repeat(3)}${'a'.repeat(59)}.b.`), 1);
});

test('a zone that is no name is an error that says so', () => {
  assert.throws(
    () => RouteTable.of([['a..b', 1]]),
    (error: unknown) => {
      return error instanceof ConfigError && error.code === 'ERR_ZONE' && error.message.includes('a..b');
    },
  );
});
