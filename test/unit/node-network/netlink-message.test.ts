import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  attribute,
  errorCode,
  message,
  nested,
  readMessages,
  text,
  textOf,
} from '../../../src/node-network/netlink-message.ts';
import { isOfTables } from '../../../src/node-network/network-watch.ts';

const NFTABLES = 10 << 8;
const HEAD = Uint8Array.of(1, 0, 0, 0);

/** An event of nf_tables about a table, and a set in it. */
function event(verb: number, table: string, set?: string): Uint8Array {
  return message(NFTABLES | verb, 0, 0, HEAD, text(1, table), ...(set === undefined ? [] : [text(2, set)]));
}

function isNews(bytes: Uint8Array, tables = ['signpost']): boolean {
  const [header] = readMessages(bytes);
  return header !== undefined && isOfTables(bytes, header, tables);
}

test('what is written can be read again, however long its parts are', () => {
  const bytes = Buffer.concat([
    message(7, 1, 1, attribute(3, Uint8Array.of(1, 2, 3)), text(4, 'eth0')),
    message(8, 1, 2, nested(5, text(1, 'inner'))),
  ]);
  const [first, second] = [...readMessages(bytes)];
  assert.deepEqual([first!.type, first!.sequence, second!.type, second!.sequence], [7, 1, 8, 2]);
  assert.equal(textOf(bytes, first!.start, first!.end, 4), 'eth0');
  assert.equal(textOf(bytes, first!.start, first!.end, 9), undefined);
  assert.equal(textOf(bytes, second!.start + 4, second!.end, 1), 'inner');
});

test('refusals and acknowledgements are told from everything else', () => {
  const error = message(2, 0, 5, Uint8Array.of(0xfe, 0xff, 0xff, 0xff));
  const done = message(2, 0, 6, new Uint8Array(4));
  const other = message(3, 0, 7, new Uint8Array(4));
  assert.deepEqual(
    [error, done, other].map((bytes) => errorCode(bytes, [...readMessages(bytes)][0]!)),
    [2, 0, undefined],
  );
});

test('bytes that are cut short, or say that they are longer than they are, end the reading', () => {
  const whole = event(6, 'signpost', 'armed4');
  for (let length = 0; length < whole.length; length++) {
    assert.deepEqual([...readMessages(whole.subarray(0, length))], []);
  }
  const lying = Uint8Array.from(whole);
  lying[20] = 0xff;
  const [header] = readMessages(lying);
  assert.equal(textOf(lying, header!.start + 4, header!.end, 1), undefined);
  assert.equal(isNews(lying), false);
});

test("changes of our table are news; others' tables and the switch's own elements are not", () => {
  const [newRule, deletedTable, newElement, deletedElement, generation] = [6, 2, 12, 14, 15] as const;
  assert.ok(isNews(event(newRule, 'signpost')));
  assert.ok(isNews(event(deletedTable, 'signpost')));
  assert.ok(isNews(event(newElement, 'signpost', 'listen4')));
  assert.ok(isNews(event(newRule, 'nat'), ['raw', 'filter', 'nat']));
  assert.ok(!isNews(event(newRule, 'kube-proxy')));
  for (const set of ['armed4', 'armed6', 'leaving4', 'moved6']) {
    assert.ok(!isNews(event(newElement, 'signpost', set)));
    assert.ok(!isNews(event(deletedElement, 'signpost', set)));
  }
  assert.ok(!isNews(event(generation, 'signpost')));
});
