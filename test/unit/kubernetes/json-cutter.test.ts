import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WATCH_OBJECT_BYTES } from '../../../src/core/limits.ts';
import { JsonCutter } from '../../../src/kubernetes/json-cutter.ts';

type Cut = [depth: number, value: unknown];

function cut(least: 0 | 1, pieces: readonly (string | Uint8Array)[]): Cut[] {
  const found: Cut[] = [];
  const cutter = new JsonCutter(least, (value, depth) => found.push([depth, value]));
  for (const piece of pieces) cutter.write(typeof piece === 'string' ? Buffer.from(piece) : piece);
  return found;
}

/** Every way of cutting the text in two, and octet by octet. */
function* ways(text: string): Generator<Uint8Array[]> {
  const bytes = Buffer.from(text);
  for (let at = 0; at <= bytes.length; at++) yield [bytes.subarray(0, at), bytes.subarray(at)];
  yield [...bytes].map((byte) => Uint8Array.of(byte));
}

const TRICKY = { name: 'a}{"\\', 'k"ey\\"': ['[{', { deep: { er: 'ü €' } }], none: null, empty: {} };

test('the objects of a watch come out one by one, wherever the pieces end', () => {
  const text = `${JSON.stringify({ type: 'ADDED', object: TRICKY })}\n${JSON.stringify({ type: 'DELETED' })}\n`;
  for (const pieces of ways(text)) {
    assert.deepEqual(cut(0, pieces), [
      [0, { type: 'ADDED', object: TRICKY }],
      [0, { type: 'DELETED' }],
    ]);
  }
});

test("a list's own metadata and its items come out, wherever the pieces end", () => {
  const list = {
    kind: 'List',
    metadata: { resourceVersion: '7', more: { a: 1 } },
    items: [TRICKY, {}, { metadata: {} }],
  };
  for (const pieces of ways(JSON.stringify(list))) {
    assert.deepEqual(cut(1, pieces), [
      [1, list.metadata],
      [2, TRICKY],
      [2, {}],
      [2, { metadata: {} }],
    ]);
  }
});

test('a list without items has its metadata all the same', () => {
  assert.deepEqual(cut(1, ['{"metadata":{"resourceVersion":"7"},"items":null}']), [[1, { resourceVersion: '7' }]]);
});

test('what ends in the middle is not whole', () => {
  const cutter = new JsonCutter(1, () => {});
  cutter.write(Buffer.from('{"metadata":{"resourceVersion":"7"},"items":[{}'));
  assert.equal(cutter.isWhole, false);
  cutter.write(Buffer.from(']}'));
  assert.equal(cutter.isWhole, true);
});

test('what is no JSON is refused', () => {
  for (const text of ['}', ']', '{"a":}', '{nonsense}']) {
    assert.throws(() => cut(0, [text]), { code: 'ERR_KUBERNETES_MALFORMED' }, text);
  }
  assert.deepEqual(cut(0, ['<html>no objects</html>', '"in a string {}"']), []);
});

test('an object that is too long is refused while it comes, and counted', () => {
  const hits = WATCH_OBJECT_BYTES.hits;
  const piece = Buffer.alloc(WATCH_OBJECT_BYTES.value / 4, 'x');
  assert.throws(() => cut(0, ['{"a":"', piece, piece, piece, piece, '"}']), { code: 'ERR_KUBERNETES_MALFORMED' });
  assert.equal(WATCH_OBJECT_BYTES.hits, hits + 1);
});
