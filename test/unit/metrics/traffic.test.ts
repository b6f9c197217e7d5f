import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TYPE_LABELS } from '../../../src/metrics/labels.ts';
import { BLOCK_CELLS, SOURCE_CACHE, Traffic, TYPES_AT } from '../../../src/metrics/traffic.ts';

/** Types that CoreDNS 1.15 counted by name when it was asked every type from 0 to 299. */
const MONITORED = 'A NS CNAME SOA PTR MX TXT AAAA SRV DS RRSIG NSEC DNSKEY NSEC3 SVCB HTTPS IXFR AXFR ANY'.split(' ');

test('the types that CoreDNS counts by name are counted by name, all others together', () => {
  const traffic = new Traffic();
  for (let type = 0; type < 300; type++) traffic.request(0, type, 40, false);
  traffic.request(0, 65_535, 40, false);
  const cells = traffic.cells(0)!;
  const counted = TYPE_LABELS.map((label, slot) => [label, cells[TYPES_AT + slot]]);
  assert.deepEqual(
    counted.slice(1),
    MONITORED.map((label) => [label, 1]),
  );
  assert.deepEqual(counted[0], ['other', 301 - MONITORED.length]);
});

test('zones are kept apart, and one that was never asked about costs nothing', () => {
  const traffic = new Traffic();
  traffic.request(7, 1, 40, false);
  traffic.response(2, 0, 40, 0, SOURCE_CACHE);
  assert.equal(traffic.cells(0), undefined);
  assert.equal(traffic.cells(3), undefined);
  assert.equal(traffic.cells(9), undefined);
  assert.equal(traffic.cells(7)![TYPES_AT + 1], 1);
  assert.equal(traffic.cells(2)![TYPES_AT + 1], 0);
  assert.equal(traffic.cells(2)!.length, BLOCK_CELLS);
});

test('every cell of a block has one meaning', () => {
  const traffic = new Traffic();
  traffic.request(0, 255, 65_535, true);
  traffic.response(0, 99, 65_535, 60_000, 2);
  const touched = traffic.cells(0)!.reduce((count, cell) => count + (cell > 0 ? 1 : 0), 0);
  // type, request size and sum, DO; rcode, response size and sum, duration and sum
  assert.equal(touched, 9);
});
