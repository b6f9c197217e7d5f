import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDocument } from 'yaml';
import { Manifest } from '../../../src/manifests/manifest.ts';

const TEXT = `# On top.
kind: Thing
metadata:
  name: one
spec:
  # First.
  a: 1
  # Second.
  b: [x, y]
  list:
    # Of p.
    - name: p
      deep: {way: 1}
    - name: q
`;
const thing = () => new Manifest(parseDocument(TEXT));

test('what is not changed stays as it was written, comments and all', () => {
  assert.equal(String(thing()), TEXT);
});

test('what is taken out goes with its comment', () => {
  assert.doesNotMatch(String(thing().remove(['spec', 'b'])), /Second|b:/);
  assert.doesNotMatch(String(thing().removeNamed(['spec', 'list'], 'p')), /Of p|name: p/);
});

test('comments are put in the place of others, or taken away', () => {
  const text = String(thing().commentAt(['spec', 'b'], 'Other,\nof two lines.').commentAt(['spec', 'a'], undefined));
  assert.match(text, /spec:\n {2}a: 1\n {2}# Other,\n {2}# of two lines\.\n {2}b:/);
});

test('values are set, added and read by their way', () => {
  const manifest = thing()
    .set(['spec', 'b', 1], 'z')
    .append(['spec', 'b'], 'w')
    .setNamed(['spec', 'list'], 'p', ['deep', 'way'], 2);
  assert.deepEqual(manifest.valueAt(['spec', 'b']), ['x', 'z', 'w']);
  assert.equal(manifest.valueAt(['spec', 'list', 0, 'deep', 'way']), 2);
  assert.equal(manifest.valueAt(['spec', 'nothing']), undefined);
});

test('text of several lines stays readable', () => {
  assert.match(String(thing().setText(['spec', 'a'], 'one: 1\n# two\n')), /a: \|\n {4}one: 1\n {4}# two\n/);
});

test('a template that has changed shape is an error, not a manifest that lacks something', () => {
  assert.throws(() => thing().remove(['spec', 'c']), /one: nothing at spec\.c/);
  assert.throws(() => thing().removeNamed(['spec', 'list'], 'r'), /one: no r at spec\.list/);
  assert.throws(() => thing().append(['spec', 'a'], 1), /one: no list at spec\.a/);
  assert.throws(() => thing().commentAt(['spec', 'c'], 'x'), /nothing at spec\.c/);
});
